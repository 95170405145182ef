package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/logsink"
)

// The past of the merged stream is one story: lines and events in the order of
// their times, and then what comes, each once.
func TestThePastOfTheStreamIsInOrder(t *testing.T) {
	s := newServer(nil)
	web := logsink.Container{App: "web", Name: "web"}
	say := func(second int) {
		s.logs.Say(logsink.Event{Time: noon.Add(time.Duration(second) * time.Second), App: "web", Msg: fmt.Sprint("event ", second)})
	}
	print := func(second int) {
		s.logs.Print(logsink.ConsoleLine{Time: noon.Add(time.Duration(second) * time.Second), Container: web, Text: fmt.Sprint("line ", second)})
	}
	for i := range 20 {
		say(3 * i)
		print(3*i + 1)
		print(3*i + 2)
	}
	var want []string
	for second := 45; second < 60; second++ { // the last 5 events; of the lines, the last 5
		if kind := second % 3; kind == 0 {
			want = append(want, fmt.Sprint("event ", second))
		} else if second >= 53 {
			want = append(want, fmt.Sprint("line ", second))
		}
	}
	server := httptest.NewServer(s.handler)
	defer server.Close()
	resp, err := http.Get(server.URL + "/acalocal/v1/stream?tailLines=5")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewScanner(resp.Body)
	var got []string
	read := func() {
		t.Helper()
		if !in.Scan() {
			t.Fatalf("the stream ended: %v", in.Err())
		}
		var e api.Entry
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Text)
	}
	for range want {
		read()
	}
	say(70)
	read()
	print(71)
	read()
	if diff := cmp.Diff(append(want, "event 70", "line 71"), got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}
