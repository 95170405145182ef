package kql_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/logsink/kql"
)

// cells runs a query and returns the cells of its first row by column, numbers
// as float64.
func cells(t *testing.T, text string) map[string]any {
	t.Helper()
	res, err := kql.Query(context.Background(), kql.Tables{}, text, kql.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	out := map[string]any{}
	for row := range res.Tables[0].Each {
		for i, v := range row {
			var x any
			if err := json.Unmarshal(kql.AppendCell(nil, v), &x); err != nil {
				t.Fatal(err)
			}
			out[res.Tables[0].Columns[i].Name] = x
		}
		return out
	}
	t.Fatalf("%s: no rows", text)
	return nil
}

// literal writes a series; NaN is null.
func literal(x []float64) string {
	s := make([]string, len(x))
	for i, v := range x {
		if s[i] = fmt.Sprint(v); v != v {
			s[i] = "null"
		}
	}
	return "dynamic([" + strings.Join(s, ",") + "])"
}

// reals is a cell that holds an array of numbers; null is NaN.
func reals(t *testing.T, cell any) []float64 {
	t.Helper()
	list, ok := cell.([]any)
	if !ok {
		t.Fatalf("%v is no array", cell)
	}
	out := make([]float64, len(list))
	for i, v := range list {
		out[i] = math.NaN()
		if v != nil {
			out[i] = v.(float64)
		}
	}
	return out
}

func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*max(1, math.Abs(a), math.Abs(b))
}

func noisy(rng *rand.Rand, n int, f func(x float64) float64) []float64 {
	y := make([]float64, n)
	for i := range y {
		y[i] = math.Round((f(float64(i))+rng.NormFloat64())*1000) / 1000
	}
	return y
}

// What the best polynomial leaves is orthogonal to every power it has.
func TestFitPolyIsTheLeastSquaresFit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for degree := range 9 {
		y := noisy(rng, 60, func(x float64) float64 { return 3 + x/2 - x*x/40 })
		c := cells(t, fmt.Sprintf("print y=%s | project (r2, coefs, v, rv, fit)=series_fit_poly(y, range(1, 60, 1), %d)", literal(y), degree))
		fit, coefs := reals(t, c["fit"]), reals(t, c["coefs"])
		if len(coefs) != degree+1 {
			t.Fatalf("degree %d has the coefficients %v", degree, coefs)
		}
		for power := range degree + 1 {
			s, size := 0.0, 0.0
			for i := range y {
				p := math.Pow((float64(i)-29.5)/29.5, float64(power))
				s, size = s+p*(y[i]-fit[i]), size+math.Abs(p*y[i])
			}
			if math.Abs(s) > 1e-9*size {
				t.Errorf("degree %d: the rest has the power %d in it, %g", degree, power, s)
			}
		}
		for i := range y {
			s := 0.0
			for _, k := range coefs {
				s = s*float64(i+1) + k
			}
			if !near(s, fit[i], 1e-6) {
				t.Errorf("degree %d: the coefficients give %g at %d, the fit is %g", degree, s, i, fit[i])
			}
		}
		if r2, want := c["r2"].(float64), 1-c["rv"].(float64)/c["v"].(float64); !near(r2, want, 1e-9) {
			t.Errorf("rsquare %g, by the variances %g", r2, want)
		}
	}
}

func TestFitPolyOfTheFirstDegreeIsFitLine(t *testing.T) {
	y := noisy(rand.New(rand.NewPCG(3, 4)), 30, func(x float64) float64 { return 7 - x })
	c := cells(t, "print y="+literal(y)+" | extend series_fit_line(y), series_fit_poly(y)")
	for _, part := range []string{"rsquare", "variance", "rvariance"} {
		if line, poly := c["series_fit_line_y_"+part].(float64), c["series_fit_poly_y_"+part].(float64); !near(line, poly, 1e-12) {
			t.Errorf("%s is %g and %g", part, line, poly)
		}
	}
	// Its x begin with 1, those of series_fit_line with 0.
	coefs := reals(t, c["series_fit_poly_y_coefficients"])
	slope := c["series_fit_line_y_slope"].(float64)
	if !near(coefs[0], slope, 1e-12) || !near(coefs[1], c["series_fit_line_y_interception"].(float64)-slope, 1e-12) {
		t.Errorf("coefficients %v, series_fit_line has %v", coefs, c)
	}
}

func TestTheBestSplitOfTwoLines(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		bend := 3 + 30*rng.Float64()
		y := noisy(rng, 36, func(x float64) float64 { return math.Abs(x-bend) * 2 })
		c := cells(t, "print y="+literal(y)+" | extend (r2, split, v, rv, fit)=series_fit_2lines(y), d=series_fit_2lines_dynamic(y)")
		best, at := math.Inf(1), 0
		for i := 2; i <= len(y)-2; i++ {
			rest := 0.0
			for _, side := range [][]float64{y[:i], y[i:]} {
				l := cells(t, "print y="+literal(side)+" | extend series_fit_line(y)")
				rest += l["series_fit_line_y_rvariance"].(float64) * float64(len(side)-1)
			}
			if rest < best {
				best, at = rest, i
			}
		}
		if c["split"] != float64(at) || !near(c["rv"].(float64)*35, best, 1e-9) {
			t.Errorf("split at %v with the rest %v, want %d with %g", c["split"], c["rv"], at, best)
		}
		d := c["d"].(map[string]any)
		if d["split_idx"] != float64(at) || d["rsquare"] != c["r2"] || d["right"].(map[string]any)["slope"] == nil {
			t.Errorf("the dynamic form has %v", d)
		}
	}
}

func TestFitsLeaveOutMissingPoints(t *testing.T) {
	for text, want := range map[string]string{
		"(series_fit_line_dynamic(dynamic([1,null,3,4]))).line_fit":                        "[1 2 3 4]",
		"series_fit_2lines_dynamic(dynamic([0,1,null,3,9,8,7])).line_fit":                  "[0 1 2 3 9 8 7]",
		"series_fit_2lines_dynamic(dynamic([1,2,3])).line_fit":                             "<nil>",
		"series_fit_2lines_dynamic(dynamic({'a':1}))":                                      "<nil>",
		"series_fit_line_dynamic(dynamic([null,7]))":                                       "<nil>",
		"series_fit_poly(dynamic([1,4,9]), dynamic([1,2,3]), 3)":                           "<nil>",
		"series_fit_poly(dynamic([1,4,9]), dynamic([1,2]), 1)":                             "<nil>",
		"series_fit_poly(dynamic([1,4,9,null,25]), dynamic([1,2,3,4,5]), 2)":               "1",
		"series_fit_poly(dynamic([1,4,9]), dynamic([2,2,2]), 1)":                           "<nil>",
		"round(toreal(series_fit_poly(dynamic([1,4,16]), dynamic([1,2,null]), 1)), 9)":     "1",
		"series_fit_poly(dynamic([5,5,5]))":                                                "1",
		"series_fit_poly(dynamic([1,2,3,4]), dynamic(null), 1)":                            "<nil>",
		"series_fit_poly(dynamic([1,2,3,4]), dynamic([1,2,3,4]), toint(-1))":               "<nil>",
		"series_fit_poly(dynamic([1,2,3,4]), dynamic([1,2,3,4]), int(null))":               "<nil>",
		"series_fit_2lines(dynamic([0,1,2,3,2,1,0]))":                                      "1",
		"series_fit_2lines_dynamic(dynamic([0,1,2,3,2,1,0])).split_idx":                    "3",
		"series_fit_2lines_dynamic(dynamic([1,1,1,1,1,1])).rsquare":                        "1",
		"array_length(series_fit_2lines_dynamic(range(1000000, 1002000, 1)).['line_fit'])": "2001",
	} {
		if got := fmt.Sprint(cells(t, "print x="+text)["x"]); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestNamesWithoutAResultAreReported(t *testing.T) {
	for text, want := range map[string]string{
		"print x=dynamic([1,2]) | extend (a, b, c, d) = series_decompose_anomalies(x)":    "42 1 KS150",
		"print x=dynamic([1,2]) | project (a, b, c, d) = series_decompose_anomalies(x)":   "43 1 KS150",
		"print (a, b, c, d) = series_decompose_anomalies(dynamic([1,2]))":                 "16 1 KS150",
		"print x=1 | extend (a, b) = x + 1":                                               "19 5 KS149",
		"print x=1 | summarize (a, b, c) = arg_max(x, 2)":                                 "29 1 KS150",
		"print x=1 | summarize (a, b) = sum(x)":                                           "22 5 KS149",
		"print x=1 | extend (a) = x + 1":                                                  "",
		"print x=dynamic([1,2]) | extend (a, b, c) = series_decompose_anomalies(x)":       "",
		"print x=dynamic([1]), y=dynamic([2]) | project (a, b) = array_sort_asc(x, y)":    "",
		"print x=1 | summarize (a, b) = arg_max(x, 2), (p, q) = percentiles(x, 50, 90.0)": "",
	} {
		ds, err := kql.Check(kql.Tables{}, text, kql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(ds) > 0 {
			got = fmt.Sprint(ds[0].Start, ds[0].Length, " ", ds[0].Code)
		}
		if got != want || len(ds) > 1 {
			t.Errorf("%s: %v, want %s", text, ds, want)
		}
	}
}

// A length without small factors, as that of two weeks of minutes and one more,
// is transformed as fast as others, there and back.
func TestFourierOfAnyLength(t *testing.T) {
	for _, n := range []int{63, 65, 67, 2 * 101, 100_003} {
		c := cells(t, fmt.Sprintf("print x=range(0, %d, 1) | extend x=series_cos(series_multiply(x, %v)) | project (re, im)=series_fft(x), x | extend (back, none)=series_ifft(re, im)", n-1, 2*math.Pi*7/float64(n)))
		re, im := reals(t, c["re"]), reals(t, c["im"])
		for k := range re {
			want := 0.0
			if k == 7 || k == n-7 {
				want = float64(n) / 2
			}
			if !near(re[k], want, 1e-6) || !near(im[k], 0, 1e-6) {
				t.Errorf("%d points: %g and %g at %d, want %g and 0", n, re[k], im[k], k, want)
				break
			}
		}
		x, back := reals(t, c["x"]), reals(t, c["back"])
		for i := range x {
			if !near(back[i], x[i], 1e-9) {
				t.Errorf("%d points: %g comes back as %g at %d", n, x[i], back[i], i)
				break
			}
		}
	}
}
