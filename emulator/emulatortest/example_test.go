package emulatortest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/emulator/emulatortest"
)

// An app that is nothing but a handler, without Docker.
func ExampleSimulated() {
	_ = func(t *testing.T) {
		env := emulatortest.Start(t,
			emulatortest.Run("web", "web:1", 8000),
			emulatortest.Simulated(map[string]emulatortest.Simulation{
				"web:1": {Listens: []int{8000}, Handler: http.NotFoundHandler()},
			}))
		env.WaitReady()
		resp, err := env.Client().Get("https://web." + env.Name() + ".localhost/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		fmt.Println(resp.Status)
	}
}

// A change under load, on Docker, from the file that is deployed.
func ExampleEnv_RequireNoLostRequests() {
	_ = func(t *testing.T) {
		env := emulatortest.Start(t, emulatortest.File("containerapp.yaml"), emulatortest.MinReplicas("", 1))
		env.WaitReady()
		env.RequireNoLostRequests(func() {
			next := env.Update("", func(a *aca.ContainerApp) { a.Properties.Template.Containers[0].Image = "shop:2" })
			env.WaitRevision("", next)
		})
	}
}

// Rows of the logs as structs.
func ExampleEnv_WaitLogs() {
	_ = func(t *testing.T) {
		env := emulatortest.Start(t, emulatortest.File("containerapp.yaml"))
		var orders []struct {
			App string `kql:"ContainerAppName_s"`
			ID  int
		}
		env.WaitLogs(`ContainerAppConsoleLogs_CL
			| where Log_s has "order"
			| project ContainerAppName_s, id = toint(parse_json(Log_s).id)`, &orders)
	}
}

// A replica that is killed every ten seconds, the same ones for the same seed.
func ExampleFaults() {
	_ = func(t *testing.T) {
		emulatortest.Start(t, emulatortest.File("containerapp.yaml"), emulatortest.Faults(emulatortest.Fault{
			Kind: emulatortest.KillReplica, App: "web", Every: emulatortest.Seconds(10), Seed: 7,
		}))
	}
}
