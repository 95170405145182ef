package dockerfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExposedPorts(t *testing.T) {
	tests := []struct {
		name, text string
		want       []int
	}{
		{"one", "FROM a\nEXPOSE 8000", []int{8000}},
		{"several, protocols, ranges", "FROM a\nEXPOSE 8080/tcp 53/udp 9000-9010", []int{8080, 9000}},
		{"lower case and continuation", "from a\nexpose \\\n  # why\n  80", []int{80}},
		{"from the stage it is built on", "FROM a AS base\nEXPOSE 5000\nFROM base\nRUN x", []int{5000}},
		{"not from another stage", "FROM a AS build\nEXPOSE 5000\nFROM b\nCOPY --from=build /x /x", nil},
		{"variables", "FROM a\nARG PORT=3000\nEXPOSE ${PORT} $NONE ${X:-90}", []int{3000, 90}},
		{"escape directive", "# escape=`\nFROM a\nEXPOSE `\n 81", []int{81}},
		{"in a here-document", "FROM a\nRUN <<EOF\nEXPOSE 1\nEOF\nEXPOSE 2", []int{2}},
		{"not a port", "FROM a\nEXPOSE 0 70000 http", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := Parse(strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, f.ExposedPorts(f.Target(""))); diff != "" {
				t.Errorf("ports (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInstructions(t *testing.T) {
	f, err := Parse(strings.NewReader("\ufeff# syntax=docker/dockerfile:1\nARG V=1\nFROM --platform=linux/amd64 python:$V AS Web\nCMD [\"python\", \"app.py\"]\nFROM web\nENTRYPOINT python \\\n  app.py\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := &File{
		Instructions: []Instruction{
			{Line: 2, Name: "ARG", Text: "V=1", Words: []string{"V=1"}, Stage: -1},
			{Line: 3, Name: "FROM", Text: "--platform=linux/amd64 python:$V AS Web", Words: []string{"--platform=linux/amd64", "python:$V", "AS", "Web"}},
			{Line: 4, Name: "CMD", Text: `["python", "app.py"]`, Words: []string{"python", "app.py"}, Exec: true},
			{Line: 5, Name: "FROM", Text: "web", Words: []string{"web"}, Stage: 1},
			{Line: 6, Name: "ENTRYPOINT", Text: "python  app.py", Words: []string{"python", "app.py"}, Stage: 1},
		},
		Stages: []Stage{{Line: 3, Name: "web", Base: "python:$V"}, {Line: 5, Base: "web"}},
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	if in, ok := f.Last(1, "CMD"); !ok || in.Line != 4 {
		t.Errorf("CMD of the last stage = %+v, %t; want the one of line 4", in, ok)
	}
	if got := f.Target("WEB"); got != 0 {
		t.Errorf("Target(WEB) = %d", got)
	}
	if got := f.Target("none"); got != -1 {
		t.Errorf("Target(none) = %d", got)
	}
}

func TestParseRefusesWhatIsNoDockerfile(t *testing.T) {
	if _, err := Parse(strings.NewReader("hello\n")); err == nil || err.Error() != "the Dockerfile has no FROM" {
		t.Errorf("error = %v", err)
	}
	if _, err := Parse(strings.NewReader(strings.Repeat("# x\n", MaxSize))); err == nil || err.Error() != "the Dockerfile is larger than 256 KiB" {
		t.Errorf("error = %v", err)
	}
}

// FuzzParse holds that reading never panics and never invents a port.
func FuzzParse(f *testing.F) {
	f.Add("FROM a AS a\nFROM a\nEXPOSE 80\n")
	f.Add("# escape=`\nFROM x\nRUN <<A <<-'B'\nA\nB\nENTRYPOINT [\"a\"]")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, port := range file.ExposedPorts(file.Target("")) {
			if port < 1 || port > 65535 {
				t.Errorf("port %d", port)
			}
		}
		file.Last(file.Target(""), "CMD")
	})
}
