package incident_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/incident"
	"github.com/acalocal/acalocal/logsink/kql"
)

func open(t *testing.T) *logsink.Store {
	t.Helper()
	s, err := logsink.Open(logsink.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// load reads rows and stores them.
func load(t *testing.T, s *logsink.Store, text string) incident.Counts {
	t.Helper()
	rows, err := incident.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.Store(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return rows.Counts
}

// lines are the rows of a query, cells apart by bars.
func lines(t *testing.T, s *logsink.Store, query string) (out []string) {
	t.Helper()
	res, err := s.Query(t.Context(), query, kql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	res.Tables[0].Each(func(row []kql.Value) bool {
		var cells []string
		for _, v := range row {
			cells = append(cells, v.String())
		}
		out = append(out, strings.Join(cells, "|"))
		return true
	})
	return out
}

const consoleQuery = `ContainerAppConsoleLogs_CL | order by time_t asc | project time_t, ContainerAppName_s, RevisionName_s, ContainerGroupName_s, Stream_s, Log_s`

// ofAz is what "az monitor log-analytics query -o json" prints: all values are
// text, rows newest first.
const ofAz = `[
  {"ContainerAppName_s": "shop", "RevisionName_s": "shop--0000001", "ContainerGroupName_s": "shop--0000001-6bffcf46d6-j79zb", "ContainerName_s": "app",
   "ContainerId_g": "6e9c8b3a-0000-4000-8000-000000000001", "Stream_s": "stderr", "Log_s": "ValueError: zwei Äpfel", "TableName": "PrimaryResult",
   "TimeGenerated": "2026-11-20T08:19:09.4386781Z", "time_t": "2026-11-20T08:19:07.0323144Z", "_timestamp_d": "1782461947.6977", "Computer": "None"},
  {"ContainerAppName_s": "shop", "RevisionName_s": "shop--0000001", "ContainerGroupName_s": "shop--0000001-6bffcf46d6-j79zb", "ContainerName_s": "app",
   "ContainerId_g": "6e9c8b3a-0000-4000-8000-000000000001", "Stream_s": "stdout", "Log_s": "Listening at: http://0.0.0.0:80", "TableName": "PrimaryResult",
   "TimeGenerated": "2026-11-20T08:19:09.4386781Z", "time_t": "2026-11-20T08:19:07.0323143Z"},
  {"ContainerAppName_s": "shop", "RevisionName_s": "shop--0000001", "ReplicaName_s": "r", "Reason_s": "ProbeFailed", "Type_s": "Warning", "EventSource_s": "ContainerAppController",
   "Log_s": "Probe of StartUp failed", "Count_d": "3.0", "TimeGenerated": "2026-11-20T08:19:10Z", "TableName": "PrimaryResult"},
  {"TimeGenerated": "2026-11-20T08:20:00Z", "StartTime": "2026-11-20T08:19:59.5Z", "Method": "GET", "Path": "/x", "StatusCode": "503", "RequestDuration": "250", "ResponseFlags": "UF", "ContainerAppName": "shop"},
  {"TimeGenerated": "2026-11-20T08:20:00Z", "Category": "nothing we know"},
  {"Log_s": "no time"}
]`

func TestWhatAzPrintsIsStoredWithItsTimes(t *testing.T) {
	s := open(t)
	counts := load(t, s, "\ufeff\n"+ofAz)
	counts.Oldest = counts.Oldest.Round(0)
	if counts.Console != 2 || counts.Events != 1 || counts.Requests != 1 || counts.Unknown != 2 || counts.Oldest.String() != "2026-11-20 08:19:07.0323143 +0000 UTC" {
		t.Errorf("counts %+v", counts)
	}
	want := []string{
		"2026-11-20T08:19:07.0323143Z|shop|shop--0000001|shop--0000001-6bffcf46d6-j79zb|stdout|Listening at: http://0.0.0.0:80",
		"2026-11-20T08:19:07.0323144Z|shop|shop--0000001|shop--0000001-6bffcf46d6-j79zb|stderr|ValueError: zwei Äpfel",
	}
	if diff := cmp.Diff(want, lines(t, s, consoleQuery)); diff != "" {
		t.Errorf("console (-want +got):\n%s", diff)
	}
	want = []string{"2026-11-20T08:19:10.0000000Z|shop|r|ProbeFailed|Warning|ContainerAppController|Probe of StartUp failed|3"}
	if diff := cmp.Diff(want, lines(t, s, `ContainerAppSystemLogs_CL | project time_t, ContainerAppName_s, ReplicaName_s, Reason_s, Type_s, EventSource_s, Log_s, Count_d`)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	want = []string{"2026-11-20T08:19:59.5000000Z|shop|GET|/x|503|250|UF"}
	if diff := cmp.Diff(want, lines(t, s, `ContainerAppHTTPLogs | project StartTime, ContainerAppName, Method, Path, StatusCode, RequestDuration, ResponseFlags`)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	load(t, s, ofAz)
	if got := lines(t, s, "ContainerAppConsoleLogs_CL | count"); got[0] != "2" {
		t.Errorf("%s console rows after the same file again", got[0])
	}
}

func TestOtherFormsAreRead(t *testing.T) {
	f := func(name, text string, want ...string) {
		t.Helper()
		s := open(t)
		load(t, s, text)
		if diff := cmp.Diff(want, lines(t, s, `ContainerAppConsoleLogs | order by TimeGenerated asc | project ContainerAppName, ContainerGroupName, Stream, Log`)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	f("lines", `{"TimeGenerated":"2026-11-20T08:00:00Z","ContainerAppName":"a","ContainerGroupName":"a-1","Stream":"stderr","Log":"one"}
{"TimeGenerated":"2026-11-20 08:00:01.5","ContainerAppName":"a","ContainerGroupName":"a-1","Log":"two"}`, "a|a-1|stderr|one", "a|a-1|stdout|two")
	f("an answer", `{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated","type":"datetime"},{"name":"ContainerAppName_s","type":"string"},{"name":"Log_s","type":"string"}],
		"rows":[["2026-11-20T08:00:00Z","b","x"],["2026-11-20T08:00:00Z","b","y"]]}]}`, "b||stdout|x", "b||stdout|y")
	f("lines that hold little", `[{"TimeGenerated":"2026-11-20T08:00:00Z","ContainerAppName":"a","Log":""},{"TimeGenerated":"2026-11-20T08:00:01Z","ContainerAppName_s":"a","Log_s":"None"}]`,
		"a||stdout|", "a||stdout|None")
	f("nothing", " \n")
	f("an empty list", "[]")
}

func TestSeverityOfTheSpecificTable(t *testing.T) {
	s := open(t)
	load(t, s, `{"TimeGenerated":"2026-11-20T08:00:00Z","Reason":"Pulled","Type":"Normal","Log":"l","Count":1}
{"TimeGenerated":"2026-11-20T08:00:01Z","Reason":"BackOff","Type":"Warning","Log":"l","Count":2}`)
	want := []string{"Pulled|Normal|1", "BackOff|Warning|2"}
	if diff := cmp.Diff(want, lines(t, s, `ContainerAppSystemLogs | order by TimeGenerated asc | project Reason, Type, Count`)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFaultsSayWhere(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := incident.Read(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want …%s…", text, err, want)
		}
	}
	f(`[{"Log_s":"a"},{"Log_s":`, "row 2: ")
	f(`[{"Log_s":"a"}`, "the list does not end")
	f(`"text"`, "row 1: ")
	f(`{"tables":["x"]}`, "row 1: this is no table of an answer")
}
