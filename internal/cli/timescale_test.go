package cli

import "testing"

func TestTimeScaleIsANumberFromOneToAThousand(t *testing.T) {
	for _, c := range []struct {
		text string
		want float64 // 0 is an error
	}{
		{"1", 1}, {"60", 60}, {"2.5", 2.5}, {"1000", 1000},
		{"0", 0}, {"-3", 0}, {"1001", 0}, {"NaN", 0}, {"fast", 0}, {"", 0},
	} {
		got, err := parseTimeScale(c.text)
		if got != c.want || (err == nil) != (c.want != 0) {
			t.Errorf("%q is %v, %v, want %v", c.text, got, err, c.want)
		}
	}
}

func TestTimeScaleReachesTheDaemonByTheEnvironment(t *testing.T) {
	t.Setenv(timeScaleVariable, "")
	if n, err := timeScale(); n != 0 || err != nil {
		t.Errorf("unset it is %v, %v", n, err)
	}
	if err := (timeScaleFlag{}).Set("60"); err != nil {
		t.Fatal(err)
	}
	if n, err := timeScale(); n != 60 || err != nil {
		t.Errorf("set to 60 it is %v, %v", n, err)
	}
	t.Setenv(scaleProbesVariable, "")
	if err := (scaleProbesFlag{}).Set("true"); err != nil || (scaleProbesFlag{}).String() != "true" {
		t.Errorf("probes are scaled: %s, %v", scaleProbesFlag{}, err)
	}
	if err := (scaleProbesFlag{}).Set("perhaps"); err == nil {
		t.Error("a word that is no bool passes")
	}
	t.Setenv(timeScaleVariable, "never")
	if _, err := timeScale(); err == nil {
		t.Error("a variable that is no number passes")
	}
}
