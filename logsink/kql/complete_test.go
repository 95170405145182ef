package kql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/logsink/kql"
)

// The bar ¦ marks the cursor; want lists items that must be offered, those
// after "not" must not.
func TestCompleteOffersWhatMayStandAtTheCursor(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Cont¦", "ContainerAppConsoleLogs_CL ContainerAppSystemLogs_CL not where"},
		{"ContainerAppConsoleLogs_CL | wh¦", "where not whereabouts"},
		{"ContainerAppConsoleLogs_CL | ¦", "where summarize project-away mv-expand extend"},
		{"ContainerAppConsoleLogs_CL | where L¦", "Log_s log10 not Stream_s count"},
		{"ContainerAppConsoleLogs_CL | where ¦ | take 5", "Log_s Stream_s tolower not summarize count"},
		{"ContainerAppConsoleLogs_CL | summarize cou¦", "count countif"},
		{"ContainerAppConsoleLogs_CL | summarize count() by Rev¦", "RevisionName_s not count"},
		{"ContainerAppConsoleLogs_CL | extend lvl = 1 | where lv¦", "lvl"},
		{"ContainerAppConsoleLogs_CL | project a = Log_s | where ¦", "a not Log_s"},
		{"ContainerAppConsoleLogs_CL | join (ContainerAppSystemLogs_CL | where Rea¦", "Reason_s"},
		{"ContainerAppConsoleLogs_CL | join (ContainerApp¦", "ContainerAppSystemLogs_CL not Log_s"},
		{"let AppName = 'x'; ContainerAppConsoleLogs_CL | where App¦", "AppName"},
		{"let Bad = ContainerAppConsoleLogs_CL | take 1; Ba¦", "Bad"},
		{"ContainerAppConsoleLogs_CL | project-away Str¦", "Stream_s"},
		{"ContainerAppConsoleLogs_CL | evaluate ¦", "bag_unpack pivot"},
		{"ContainerAppConsoleLogs_CL | render time¦", "timechart"},
		{"ContainerAppConsoleLogs_CL | where Log_s has \"err¦", "not error Log_s"},
	} {
		at := strings.Index(c.text, "¦")
		text := strings.Replace(c.text, "¦", "", 1)
		got, err := kql.Complete(workspaceTables(), text, at)
		if err != nil {
			t.Fatal(err)
		}
		offered := map[string]bool{}
		for _, it := range got.Items {
			offered[it.Text] = true
		}
		want, unwanted, _ := strings.Cut(c.want, "not ")
		for _, w := range strings.Fields(want) {
			if !offered[w] {
				t.Errorf("%s: %q is not offered", c.text, w)
			}
		}
		for _, w := range strings.Fields(unwanted) {
			if offered[w] {
				t.Errorf("%s: %q is offered", c.text, w)
			}
		}
	}
}

func TestCompletionsReplaceTheWordAtTheCursor(t *testing.T) {
	got, err := kql.Complete(workspaceTables(), `print "😀" | ex`, 14)
	if err != nil {
		t.Fatal(err)
	}
	if got.Start != 13 || got.Length != 1 {
		t.Errorf("replaces [%d,%d), want [13,14)", got.Start, got.Start+got.Length)
	}
}

func TestHoverDescribesTheInnermostExpression(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"ContainerAppConsoleLogs_CL | where Lo¦g_s has 'x'", "Log_s: string at 35+5"},
		{"ContainerAppConsoleLogs_CL | extend n = str¦len(Log_s)", "strlen(string): long at 40+6"},
		{"ContainerAppConsoleLogs_CL | extend n = 5¦m", "time(00:05:00): timespan at 40+2"},
		{"ContainerAppConsoleLogs_CL | summarize cou¦nt() by Log_s", "count(bool?): long at 39+5"},
		{"ContainerAppConsoleLogs_CL | ta¦ke 5", "nothing"},
	} {
		at := strings.Index(c.text, "¦")
		h, ok, err := kql.HoverAt(workspaceTables(), strings.Replace(c.text, "¦", "", 1), at)
		if err != nil {
			t.Fatal(err)
		}
		got := "nothing"
		if ok {
			got = fmt.Sprintf("%s at %d+%d", h.Text, h.Start, h.Length)
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.text, got, c.want)
		}
	}
}
