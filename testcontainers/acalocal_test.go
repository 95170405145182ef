package acalocal_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"

	acalocal "github.com/acalocal/acalocal/testcontainers"
)

// image is what "make image" builds.
const image = "acalocal:dev"

// base is the image the apps of these tests run: Python, whose own server does.
const base = "python:3.11-slim"

func requireDocker(t *testing.T) context.Context {
	t.Helper()
	if os.Getenv("ACALOCAL_DOCKER") == "" {
		t.Skip("needs a Docker Engine and the image of \"make image\"; set ACALOCAL_DOCKER=1 to run it")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// app serves files over HTTP, and prints what its command is told to before.
func app(before string) acalocal.App {
	return acalocal.App{"name": "web", "properties": map[string]any{
		"configuration": map[string]any{"ingress": map[string]any{"external": true, "targetPort": 8000}},
		"template": map[string]any{
			"containers": []any{map[string]any{
				"name": "web", "image": base, "command": []any{"sh", "-c", before + "; exec python3 -u -m http.server 8000"},
			}},
			"scale":                         map[string]any{"minReplicas": 1},
			"terminationGracePeriodSeconds": 1,
		},
	}}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + " " + string(text)
}

func TestAppRunsAndIsAsked(t *testing.T) {
	ctx := requireDocker(t)
	c, err := acalocal.Run(ctx, image, acalocal.WithApp(app("echo hello from the app")), acalocal.WithTimeScale(10))
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.WaitReady(ctx, ""); err != nil {
		t.Fatal(err)
	}
	url, err := c.URL(ctx, "web")
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, url); !strings.HasPrefix(got, "200 OK") {
		t.Errorf("it answers %q", got)
	}
	if err := c.WaitLog(ctx, "web", "hello from the app"); err != nil {
		t.Fatal(err)
	}
	rows, err := c.Query(ctx, `ContainerAppConsoleLogs_CL | where Log_s has "hello" | project Log_s`)
	if err != nil || len(rows) != 1 || rows[0]["Log_s"] != "hello from the app" {
		t.Errorf("rows: %v, %v", rows, err)
	}
	events, err := c.Events(ctx, "web")
	if err != nil || len(events) == 0 {
		t.Errorf("events: %v, %v", events, err)
	}
	if v, err := c.Explain(ctx, "web"); err != nil || v.Wrong {
		t.Errorf("verdict: %+v, %v", v, err)
	}
	name, err := c.AddFault(ctx, acalocal.Fault{"kind": "cut-link", "times": 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, url); !strings.HasPrefix(got, "200 OK") {
		t.Errorf("over a link that is cut once it answers %q", got)
	}
	if err := c.RemoveFault(ctx, name); err != nil {
		t.Error(err)
	}
	revision, err := c.Update(ctx, "web", acalocal.App{"properties": map[string]any{"template": map[string]any{"revisionSuffix": "two"}}})
	if err != nil || revision != "web--two" {
		t.Fatalf("the update made %q: %v", revision, err)
	}
	if err := c.WaitRevision(ctx, "web", "web--two"); err != nil {
		t.Error(err)
	}
	if err := c.Reset(ctx); err != nil {
		t.Error(err)
	}
	if _, err := c.URL(ctx, "web"); err == nil {
		t.Error("after a reset there is no app")
	}
}

func TestAppReachesAServiceOfANetworkByItsAlias(t *testing.T) {
	ctx := requireDocker(t)
	nw, err := network.New(ctx)
	testcontainers.CleanupNetwork(t, nw)
	if err != nil {
		t.Fatal(err)
	}
	service, err := testcontainers.Run(ctx, base, network.WithNetwork([]string{"files"}, nw),
		testcontainers.WithCmd("sh", "-c", "mkdir /x && cd /x && echo from-the-service > index.html && exec python3 -m http.server 9000"))
	testcontainers.CleanupContainer(t, service)
	if err != nil {
		t.Fatal(err)
	}
	ask := `python3 -c "
import time, urllib.request
for _ in range(100):
    try:
        print(urllib.request.urlopen('http://files:9000').read().decode()); break
    except OSError as e:
        print(e); time.sleep(0.1)
"`
	c, err := acalocal.Run(ctx, image, acalocal.WithNetwork(nw), acalocal.WithApp(app(ask)))
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.WaitLog(ctx, "web", "from-the-service"); err != nil {
		t.Fatal(err)
	}
}

func TestOptionsSayWhatIsWrong(t *testing.T) {
	_, err := acalocal.Run(context.Background(), image, acalocal.WithFile("nowhere.yaml"))
	if err == nil || !strings.Contains(err.Error(), "nowhere.yaml") {
		t.Errorf("got %v", err)
	}
	_, err = acalocal.Run(context.Background(), image, acalocal.WithApp(acalocal.App{}))
	if err == nil || err.Error() != "acalocal: the app has no name" {
		t.Errorf("got %v", err)
	}
}

func TestFileIsReadAsJSONHasIt(t *testing.T) {
	a, err := acalocal.ReadFile("../examples/orders/containerapp.yaml")
	if err != nil {
		t.Fatal(err)
	}
	scale := a["properties"].(map[string]any)["template"].(map[string]any)["scale"].(map[string]any)
	if a.Name() != "orders" || scale["minReplicas"] != 1.0 {
		t.Errorf("got %v", a)
	}
}
