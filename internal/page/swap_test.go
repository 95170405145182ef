package page_test

import (
	"os"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/emulator/emulatortest"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/home"
)

// shop says in its log what it was asked, and when it is told to end.
const shop = `
import http.server, os, signal, sys
class Shop(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Shop.asked += 1
        refused = Shop.asked % 5 == 0
        self.send_response(200)
        self.end_headers()
        print("ERROR: payment %d was refused" % Shop.asked if refused else "order %d at %s" % (Shop.asked, os.environ["PRICE"]))
    def log_message(self, *_): pass
def term(*_):
    print("SIGTERM: closing the shop")
    sys.exit(0)
signal.signal(signal.SIGTERM, term)
print("the shop opens")
http.server.ThreadingHTTPServer(("", 8000), Shop).serve_forever()
`

// TestTheLiveTailShowsASwapOfContainers follows a real swap: two revisions in
// containers of the Docker Engine, under load, from the first line of the new
// one to the last of the old.
func TestTheLiveTailShowsASwapOfContainers(t *testing.T) {
	requireChromium(t)
	if os.Getenv("ACALOCAL_DOCKER") != "1" {
		t.Skip("needs a Docker Engine: set ACALOCAL_DOCKER=1")
	}
	price := func(p string) func(*aca.ContainerApp) {
		return func(a *aca.ContainerApp) {
			a.Properties.Template.Containers[0].Env = []aca.EnvVar{{Name: "PRICE", Value: p}}
		}
	}
	env := emulatortest.Start(t, emulatortest.App(aca.ContainerApp{Name: "shop", Properties: aca.AppProperties{
		Configuration: aca.Configuration{Ingress: &aca.Ingress{External: true, TargetPort: 8000}},
		Template: aca.Template{
			Containers: []aca.Container{{Name: "shop", Image: "python:3.11-slim", Command: []string{"python3", "-u", "-c", shop}}},
			Scale:      &aca.Scale{MinReplicas: new(1), MaxReplicas: new(1)},
		},
	}}), emulatortest.Change("shop", price("10 €")))
	env.WaitReady()
	old := env.App("shop").Properties.LatestReadyRevisionName
	b := &browser{T: t, client: client.New(home.Tests().Environment(env.Name()))}
	b.start()
	b.visit("", "PT1H", "tail")
	var next string
	env.RequireNoLostRequestsOf(emulatortest.Load{Rate: 10}, func() {
		b.wait("the old revision is asked", lineOf(old, "order"))
		next = env.Update("shop", price("12 €"))
		env.WaitRevision("shop", next)
		b.wait("the new revision is asked", lineOf(next, "at 12 €"))
		b.wait("the old revision ends", lineOf(old, "closing the shop"))
	})
	b.wait("the platform says that the container ended", lineOf(old, "ContainerTerminated"))
	b.wait("both have a place in the legend", `document.querySelectorAll("#tail-legend button").length == 2`)
	if got := eval[int](b, `new Set([...document.querySelectorAll("#tail .l.console")].map(l => [...l.classList].find(c => c.startsWith("s-")))).size`); got != 2 {
		t.Errorf("two revisions have %d colours", got)
	}
	b.shot("tail-swap-of-containers")
	b.quiet()
}

// lineOf is an expression that is true when the tail has a line of a revision
// with a text.
func lineOf(revision, text string) string {
	return `[...document.querySelectorAll("#tail .l")].some((l) => l.querySelector(".who").textContent === "` + revision + `" && l.textContent.includes("` + text + `"))`
}
