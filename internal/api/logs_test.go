package api_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/logsink"
	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// filled is a server whose store has lines of two containers and events.
func filled() *server {
	s := newServer(nil)
	web := logsink.Container{App: "web", Revision: "web--abc1234", Replica: "web--abc1234-7d9c6b5f4-x2k8p", Name: "web"}
	side := web
	side.Name = "side"
	s.logs.Print(logsink.ConsoleLine{Time: noon, Container: web, Text: "one"})
	s.logs.Print(logsink.ConsoleLine{Time: noon.Add(1), Container: side, Text: "aside"})
	s.logs.Print(logsink.ConsoleLine{Time: noon.Add(100), Container: web, Stream: logsink.Stderr, Text: "two"})
	s.logs.Say(logsink.Event{Time: noon, App: "web", Revision: "web--abc1234", Reason: "RevisionReady", Source: "ContainerAppController", Msg: "Successfully provisioned revision 'web--abc1234'", Count: 1})
	s.logs.Say(logsink.Event{Time: noon, App: "other", Reason: "ContainerAppReady"})
	return s
}

var stamp = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z?`)

// maskNow hides the stamps that are not of the test's own rows.
func maskNow(text string) string {
	return stamp.ReplaceAllStringFunc(text, func(s string) string {
		if strings.HasPrefix(s, noon.Format("2006-01-02")) {
			return s
		}
		return "NOW"
	})
}

func TestLogsAreShownAsAzShowsThem(t *testing.T) {
	f := func(target, want string) {
		t.Helper()
		status, body := filled().do("GET", "/acalocal/v1/logs/"+target, "")
		if diff := cmp.Diff(want, maskNow(body)); status != 200 || diff != "" {
			t.Errorf("%s: %d; (-want +got):\n%s", target, status, diff)
		}
	}
	const head = `{"TimeStamp": "NOW", "Log": "Connecting to the container 'web'..."}
{"TimeStamp": "NOW", "Log": "Successfully Connected to container: 'web' [Revision: 'web--abc1234', Replica: 'web--abc1234-7d9c6b5f4-x2k8p']"}
`
	f("console", head+`{"TimeStamp": "2026-03-01T12:00:00.0000000+00:00", "Log": "F one"}
{"TimeStamp": "2026-03-01T12:00:00.0000001+00:00", "Log": "F two"}
`)
	f("console?app=web&tailLines=1", head+`{"TimeStamp": "2026-03-01T12:00:00.0000001+00:00", "Log": "F two"}
`)
	f("console?tailLines=0", head)
	f("console?container=side&output=text", `NOW  Connecting to the container 'side'...
NOW  Successfully Connected to container: 'side' [Revision: 'web--abc1234', Replica: 'web--abc1234-7d9c6b5f4-x2k8p']
2026-03-01T12:00:00.0000000Z stdout F aside
`)
	f("system", `{"TimeStamp": "NOW", "Type": "Normal", "ContainerAppName": null, "RevisionName": null, "ReplicaName": null, "Msg": "Connecting to the events collector...", "Reason": "StartingGettingEvents", "EventSource": "ContainerAppController", "Count": 1}
{"TimeStamp": "NOW", "Type": "Normal", "ContainerAppName": null, "RevisionName": null, "ReplicaName": null, "Msg": "Successfully connected to events server", "Reason": "ConnectedToEventsServer", "EventSource": "ContainerAppController", "Count": 1}
{"TimeStamp": "2026-03-01 12:00:00 +0000 UTC", "Type": "Normal", "ContainerAppName": "web", "RevisionName": "web--abc1234", "ReplicaName": "", "Msg": "Successfully provisioned revision 'web--abc1234'", "Reason": "RevisionReady", "EventSource": "ContainerAppController", "Count": 1}
`)
}

func TestLogsOfAnAppWithoutReplicasAreThoseOfItsLast(t *testing.T) {
	s := filled()
	s.emulator.Change(func(snap *emulator.Snapshot) {
		snap.Apps[0].Revisions[0].Replicas = nil
	})
	_, body := s.do("GET", "/acalocal/v1/logs/console?output=text", "")
	if want := "stderr F two\n"; !strings.HasSuffix(body, want) {
		t.Errorf("got %q, want it to end in %q", body, want)
	}
}

func TestLogsAreRefused(t *testing.T) {
	f := func(target string, status int, want string) {
		t.Helper()
		gotStatus, body := filled().do("GET", "/acalocal/v1/logs/"+target, "")
		if gotStatus != status || !strings.Contains(body, want) {
			t.Errorf("%s: got %d %s, want %d …%s…", target, gotStatus, body, status, want)
		}
	}
	f("console?tailLines=301", 400, `"--tail must be between 0 and 300."`)
	f("console?tailLines=x", 400, `"--tail must be between 0 and 300."`)
	f("console?output=yaml", 400, `"'yaml' is neither json nor text."`)
	f("console?follow=perhaps", 400, `"'perhaps' is neither true nor false."`)
	f("console?app=none", 404, `"ResourceNotFound"`)
	f("console?container=none", 404, `"No such container: none"`)
	f("console?replica=none", 404, `"ResourceNotFound"`)
	f("system?app=none", 404, `"ResourceNotFound"`)
}

func TestFollowedLogsArriveLineByLine(t *testing.T) {
	s := filled()
	web := httptest.NewServer(s.handler)
	defer web.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", web.URL+"/acalocal/v1/logs/console?follow=true&tailLines=0&output=text", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewReader(resp.Body)
	for range 2 {
		if _, err := in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	s.logs.Print(logsink.ConsoleLine{Time: noon, Container: logsink.Container{App: "web", Revision: "web--abc1234", Replica: "web--abc1234-7d9c6b5f4-x2k8p", Name: "web"}, Text: "three"})
	line, err := in.ReadString('\n')
	if err != nil || !strings.HasSuffix(line, "stdout F three\n") {
		t.Errorf("got %q, %v; want the new line", line, err)
	}
}
