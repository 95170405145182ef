// Package emulatortest runs apps in the rules of Azure Container Apps inside of
// a Go test: revisions, probes, the edge, scaling, logs and events as they are
// there, on this machine's Docker Engine.
//
//	func TestOrdersAreLogged(t *testing.T) {
//		env := emulatortest.Start(t, emulatortest.File("containerapp.yaml"), emulatortest.MinReplicas("", 1))
//		env.WaitReady()
//		resp, err := env.Client().Post(env.URL("shop")+"/orders", "application/json", body)
//		…
//		var rows []struct{ Log_s string }
//		env.WaitLogs(`ContainerAppConsoleLogs_CL | where Log_s has "order 17"`, &rows)
//	}
//
// Every environment has a name, ports, files and a certificate authority of its
// own, so tests may run in parallel; all of it is removed when the test ends. A
// test that fails prints what was planned, the states, the verdict of
// "acalocal explain" and the last lines. What a killed test binary leaves
// behind is removed by the next Start, or by "acalocal doctor --fix".
//
// Methods of Env end the test when they fail, so they are for the goroutine of
// the test, as t.Fatal is; URL, Client and Snapshot are for any.
package emulatortest
