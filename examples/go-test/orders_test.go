// Package orders_test shows integration tests against the rules of Azure
// Container Apps, with package emulatortest. They need a Docker Engine:
//
//	ACALOCAL_DOCKER=1 go test ./examples/go-test
package orders_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/emulator/emulatortest"
)

// start brings up the app of examples/orders, whose image it builds.
func start(t *testing.T, opts ...emulatortest.Option) *emulatortest.Env {
	t.Helper()
	if os.Getenv("ACALOCAL_DOCKER") == "" {
		t.Skip("needs a Docker Engine; set ACALOCAL_DOCKER=1 to run it")
	}
	return emulatortest.Start(t, append([]emulatortest.Option{
		emulatortest.File("../orders/containerapp.yaml"),
		emulatortest.Variable("orders", "MODE", "test"),
	}, opts...)...)
}

func TestOrderIsLogged(t *testing.T) {
	env := start(t)
	env.WaitReady()
	url := "https://orders." + env.Name() + ".localhost/orders" // as on Azure, with a certificate
	resp, err := env.Client().Post(url, "application/json", strings.NewReader(`{"id": 17}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("status %s", resp.Status)
	}
	var rows []struct {
		App string `kql:"ContainerAppName_s"`
		ID  int
	}
	env.WaitLogs(`ContainerAppConsoleLogs_CL
		| extend line = parse_json(Log_s)
		| where line.event == "order"
		| project ContainerAppName_s, id = toint(line.id)`, &rows)
	if len(rows) != 1 || rows[0].App != "orders" || rows[0].ID != 17 {
		t.Errorf("logged orders: %+v", rows)
	}
}

func TestSwapLosesNoRequest(t *testing.T) {
	env := start(t)
	env.WaitReady()
	var next string
	env.RequireNoLostRequests(func() {
		next = env.Update("orders", func(a *aca.ContainerApp) {
			a.Properties.Template.Containers[0].Env = []aca.EnvVar{{Name: "MODE", Value: "next"}}
		})
		env.WaitRevision("orders", next)
	})
	resp, err := http.Get(env.URL("orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct{ Revision, Mode string }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Revision != next || got.Mode != "next" {
		t.Errorf("the answer is of %+v, want %s", got, next)
	}
}

func TestBrokenPortIsExplained(t *testing.T) {
	env := start(t, emulatortest.Variable("orders", "PORT", "9000"))
	v := env.WaitVerdict("orders")
	if v.Rule != "port-mismatch" || !strings.Contains(v.Title, "9000") {
		t.Errorf("the verdict is\n%s", v)
	}
}

func TestKilledReplicaIsSurvived(t *testing.T) {
	env := start(t, emulatortest.MinReplicas("orders", 2))
	env.WaitReady()
	env.WaitFor("both replicas are ready", twoReady)
	before := env.Snapshot()
	var rows []struct{ Log_s string }
	env.RequireNoLostRequests(func() {
		env.AddFault(emulatortest.Fault{Kind: emulatortest.CutLink, Percent: 10, Seed: 1, Times: 20})
		env.WaitLogs(`ContainerAppSystemLogs_CL | where Reason_s == "FaultInjected" and Log_s has "cut the link"`, &rows)
	})
	// A request whose answer has begun when its process is killed is lost, here as on Azure.
	env.AddFault(emulatortest.Fault{Kind: emulatortest.KillReplica, App: "orders", Container: "orders", Seed: 1})
	env.WaitLogs(`ContainerAppSystemLogs_CL | where Reason_s == "FaultInjected" and Log_s has "killed"`, &rows)
	env.WaitFor("the killed container is back", func(s *emulator.Snapshot) bool { return restarts(s) > restarts(before) && twoReady(s) })
}

// twoReady says that two replicas serve.
func twoReady(s *emulator.Snapshot) bool {
	ready := 0
	for _, r := range s.App("orders").Revisions[0].Replicas {
		if r.Ready && !r.Draining {
			ready++
		}
	}
	return ready == 2
}

func restarts(s *emulator.Snapshot) (n int) {
	for _, r := range s.App("orders").Revisions[0].Replicas {
		n += r.Properties.Containers[0].RestartCount
	}
	return n
}
