package logsink

import (
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestConsoleStreamLooksAsAzPrintsIt(t *testing.T) {
	c := Container{Name: "ca-oom-hard", Revision: "ca-oom-hard--18xosgl", Replica: "ca-oom-hard--18xosgl-75cb985f8f-fckdq"}
	connecting := time.Date(2026, 6, 20, 4, 19, 22, 122220000, time.UTC)
	connected := time.Date(2026, 6, 20, 4, 19, 22, 210034500, time.UTC)
	at := time.Date(2026, 6, 20, 4, 16, 11, 349009400, time.UTC)
	lines := []ConsoleLine{
		{Time: at, Text: "[hard-oom] allocating 600 MiB at startup (will exceed cgroup limit)"},
		{Time: at.Truncate(time.Second), Stream: Stderr, Text: `say "héllo" <\b> ` + "\x1b[31m\U0001f600\xff"},
		{Time: at},
		{Time: at, Text: "part", Partial: true},
	}
	tests := []struct {
		name    string
		format  Format
		dialect Dialect
		want    string
	}{
		{"legion json", FormatJSON, Legion, `{"TimeStamp": "2026-06-20T04:19:22.12222", "Log": "Connecting to the container 'ca-oom-hard'..."}
{"TimeStamp": "2026-06-20T04:19:22.21003", "Log": "Successfully Connected to container: 'ca-oom-hard' [Revision: 'ca-oom-hard--18xosgl', Replica: 'ca-oom-hard--18xosgl-75cb985f8f-fckdq']"}
{"TimeStamp": "2026-06-20T04:16:11.3490094+00:00", "Log": "F [hard-oom] allocating 600 MiB at startup (will exceed cgroup limit)"}
{"TimeStamp": "2026-06-20T04:16:11.0000000+00:00", "Log": "F say \"h\u00e9llo\" <\\b> \u001b[31m\ud83d\ude00\ufffd"}
{"TimeStamp": "2026-06-20T04:16:11.3490094+00:00", "Log": "F"}
{"TimeStamp": "2026-06-20T04:16:11.3490094+00:00", "Log": "P part"}
`},
		{"legion text", FormatText, Legion, `2026-06-20T04:19:22.12222  Connecting to the container 'ca-oom-hard'...
2026-06-20T04:19:22.21003  Successfully Connected to container: 'ca-oom-hard' [Revision: 'ca-oom-hard--18xosgl', Replica: 'ca-oom-hard--18xosgl-75cb985f8f-fckdq']
2026-06-20T04:16:11.3490094Z stdout F [hard-oom] allocating 600 MiB at startup (will exceed cgroup limit)
2026-06-20T04:16:11.0000000Z stderr F say "héllo" <\b> ` + "\x1b[31m\U0001f600\xff" + `
2026-06-20T04:16:11.3490094Z stdout F ` + `
2026-06-20T04:16:11.3490094Z stdout P part
`},
		{"kubelet text", FormatText, Kubelet, `2026-06-20T04:19:22.12222  Connecting to the container 'ca-oom-hard'...
2026-06-20T04:19:22.21003  Successfully Connected to container: 'ca-oom-hard' [Revision: 'ca-oom-hard--18xosgl', Replica: 'ca-oom-hard--18xosgl-75cb985f8f-fckdq']
2026-06-20T04:16:11.349009400Z [hard-oom] allocating 600 MiB at startup (will exceed cgroup limit)
2026-06-20T04:16:11.000000000Z say "héllo" <\b> ` + "\x1b[31m\U0001f600\xff" + `
2026-06-20T04:16:11.349009400Z ` + `
2026-06-20T04:16:11.349009400Z part
`},
		{"kubelet json", FormatJSON, Kubelet, `{"TimeStamp": "2026-06-20T04:19:22.12222", "Log": "Connecting to the container 'ca-oom-hard'..."}
{"TimeStamp": "2026-06-20T04:19:22.21003", "Log": "Successfully Connected to container: 'ca-oom-hard' [Revision: 'ca-oom-hard--18xosgl', Replica: 'ca-oom-hard--18xosgl-75cb985f8f-fckdq']"}
{"TimeStamp": "2026-06-20T04:16:11.3490094+00:00", "Log": "[hard-oom] allocating 600 MiB at startup (will exceed cgroup limit)"}
{"TimeStamp": "2026-06-20T04:16:11.0000000+00:00", "Log": "say \"h\u00e9llo\" <\\b> \u001b[31m\ud83d\ude00\ufffd"}
{"TimeStamp": "2026-06-20T04:16:11.3490094+00:00", "Log": ""}
{"TimeStamp": "2026-06-20T04:16:11.3490094+00:00", "Log": "part"}
`},
	}
	for _, tt := range tests {
		got := AppendConsoleHeader(nil, tt.format, connecting, connected, c)
		for _, l := range lines {
			got = tt.dialect.AppendConsoleLine(got, tt.format, l)
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
	}
}

func TestSystemStreamLooksAsAzPrintsIt(t *testing.T) {
	connecting := time.Date(2026, 6, 24, 0, 18, 48, 0, time.UTC)
	events := []Event{
		{
			Time: time.Date(2026, 6, 24, 0, 18, 48, 229550000, time.UTC), Type: Warning, App: "ca-labtraffic-ve2wnr",
			Revision: "ca-labtraffic-ve2wnr--badv2", Replica: "ca-labtraffic-ve2wnr--badv2-5f4d8bdbd7-crspk",
			Msg: "Probe of StartUp failed with status code: 1", Reason: "ProbeFailed", Source: "ContainerAppController", Count: 251,
		},
		{
			Time: time.Date(2025, 8, 26, 17, 42, 28, 0, time.UTC), App: "chat-backend", Revision: "chat-backend--0000002",
			Msg: `Pulling "x"`, Reason: "RevisionUpdate", Source: "ContainerAppController", Count: 1,
		},
	}
	tests := []struct {
		format Format
		want   string
	}{
		{FormatJSON, `{"TimeStamp": "2026-06-24T00:18:48Z", "Type": "Normal", "ContainerAppName": null, "RevisionName": null, "ReplicaName": null, "Msg": "Connecting to the events collector...", "Reason": "StartingGettingEvents", "EventSource": "ContainerAppController", "Count": 1}
{"TimeStamp": "2026-06-24T00:18:49Z", "Type": "Normal", "ContainerAppName": null, "RevisionName": null, "ReplicaName": null, "Msg": "Successfully connected to events server", "Reason": "ConnectedToEventsServer", "EventSource": "ContainerAppController", "Count": 1}
{"TimeStamp": "2026-06-24 00:18:48.22955 +0000 UTC", "Type": "Warning", "ContainerAppName": "ca-labtraffic-ve2wnr", "RevisionName": "ca-labtraffic-ve2wnr--badv2", "ReplicaName": "ca-labtraffic-ve2wnr--badv2-5f4d8bdbd7-crspk", "Msg": "Probe of StartUp failed with status code: 1", "Reason": "ProbeFailed", "EventSource": "ContainerAppController", "Count": 251}
{"TimeStamp": "2025-08-26 17:42:28 +0000 UTC", "Type": "Normal", "ContainerAppName": "chat-backend", "RevisionName": "chat-backend--0000002", "ReplicaName": "", "Msg": "Pulling \"x\"", "Reason": "RevisionUpdate", "EventSource": "ContainerAppController", "Count": 1}
`},
		{FormatText, `{"TimeStamp":"2026-06-24T00:18:48Z","Type":"Normal","ContainerAppName":null,"RevisionName":null,"ReplicaName":null,"Msg":"Connecting to the events collector...","Reason":"StartingGettingEvents","EventSource":"ContainerAppController","Count":1}
{"TimeStamp":"2026-06-24T00:18:49Z","Type":"Normal","ContainerAppName":null,"RevisionName":null,"ReplicaName":null,"Msg":"Successfully connected to events server","Reason":"ConnectedToEventsServer","EventSource":"ContainerAppController","Count":1}
{"TimeStamp":"2026-06-24 00:18:48.22955 +0000 UTC","Type":"Warning","ContainerAppName":"ca-labtraffic-ve2wnr","RevisionName":"ca-labtraffic-ve2wnr--badv2","ReplicaName":"ca-labtraffic-ve2wnr--badv2-5f4d8bdbd7-crspk","Msg":"Probe of StartUp failed with status code: 1","Reason":"ProbeFailed","EventSource":"ContainerAppController","Count":251}
{"TimeStamp":"2025-08-26 17:42:28 +0000 UTC","Type":"Normal","ContainerAppName":"chat-backend","RevisionName":"chat-backend--0000002","ReplicaName":"","Msg":"Pulling \"x\"","Reason":"RevisionUpdate","EventSource":"ContainerAppController","Count":1}
`},
	}
	for _, tt := range tests {
		got := AppendEventHeader(nil, tt.format, connecting, connecting.Add(time.Second))
		for _, e := range events {
			got = AppendEventLine(got, tt.format, e)
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("format %d (-want +got)\n%s", tt.format, diff)
		}
	}
}

// Whatever a container prints, scripts must be able to read it.
func FuzzJSONText(f *testing.F) {
	f.Add("a\x00\"\\\n\xff\u2028\U0001f600")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendJSONText(nil, s), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		want := ""
		for _, r := range s {
			want += string(r)
		}
		if got != want || utf8.ValidString(s) && got != s {
			t.Errorf("%q reads back as %q", s, got)
		}
	})
}
