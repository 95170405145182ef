package probes

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// text writes rows one a line: reason, type, text.
func text(rows []Row) string {
	var lines []string
	for _, r := range rows {
		lines = append(lines, r.Reason+" "+r.Type+" "+r.Text)
	}
	return strings.Join(lines, "\n")
}

func TestRows(t *testing.T) {
	refused := `Get "http://100.100.0.53:3001/": dial tcp 100.100.0.53:3001: connect: connection refused`
	for _, c := range []struct {
		row     string
		dialect Dialect
		kind    Kind
		name    string // of the container
		result  Result
		edge    Edge
		want    string
	}{
		{"HTTP status 400 and up", Legion, Startup, "app", Result{Outcome: Failure, Status: "404"}, None, "ProbeFailed Warning Probe of StartUp failed with status code: 404"},
		{"HTTP, no answer", Legion, Startup, "app", Result{Outcome: Failure}, None, "ProbeFailed Warning Probe of StartUp failed with status code: "},
		{"TCP, refused", Legion, Startup, "app", Result{Outcome: Failure, Status: "1"}, None, "ProbeFailed Warning Probe of StartUp failed with status code: 1"},
		{"timeout", Legion, Liveness, "app", Result{Outcome: Failure, Timeout: true}, None, "ProbeFailed Warning Probe of Liveness failed with timeout in 5 seconds."},
		{"readiness below its threshold", Legion, Readiness, "app", Result{Outcome: Failure, Status: "503"}, None, "ProbeFailed Warning Probe of Readiness failed with status code: 503"},
		{
			"startup threshold", Legion, Startup, "app", Result{Outcome: Failure, Status: "404"}, Failed,
			"ProbeFailed Warning Probe of StartUp failed with status code: 404\n" +
				"ProbeFailed Warning Container app failed startup probe, will be restarted",
		},
		{
			"liveness threshold", Legion, Liveness, "liveness-lab", Result{Outcome: Failure, Timeout: true}, Failed,
			"ProbeFailed Warning Probe of Liveness failed with timeout in 5 seconds.\n" +
				"ProbeFailed Warning Container liveness-lab failed liveness probe, will be restarted",
		},
		{
			"readiness threshold", Legion, Readiness, "daprd", Result{Outcome: Failure, Status: "500"}, Failed,
			"ProbeFailed Warning Probe of Readiness failed with status code: 500\n" +
				"ProbeFailed Warning Readiness Probe of Readiness reached failure threshold 3, changing status to Failure.\n" +
				"ProbeFailed Warning Container daprd failed readiness probe",
		},
		{"success is never logged", Legion, Readiness, "app", Result{Outcome: Success, Status: "200"}, Passed, ""},
		{"an error of the prober is none of the container's", Legion, Liveness, "app", Result{Outcome: Error, Detail: "no agent"}, None, ""},
		{"kubelet, refused", Kubelet, Startup, "app", Result{Outcome: Failure, Detail: refused}, None, "ReplicaUnhealthy Warning Startup probe failed: " + refused},
		{
			"kubelet, liveness threshold", Kubelet, Liveness, "app", Result{Outcome: Failure, Detail: "HTTP probe failed with statuscode: 500"}, Failed,
			"ReplicaUnhealthy Warning Liveness probe failed: HTTP probe failed with statuscode: 500\n" +
				"StoppingContainer Normal Container app failed liveness probe, will be restarted",
		},
		{"kubelet, readiness threshold", Kubelet, Readiness, "app", Result{Outcome: Failure, Detail: "x"}, Failed, "ReplicaUnhealthy Warning Readiness probe failed: x"},
		{"kubelet, success", Kubelet, Liveness, "app", Result{Outcome: Success}, None, ""},
	} {
		t.Run(c.row, func(t *testing.T) {
			target := Target{Key: Key{"r", c.name, c.kind}, Timeout: 5 * time.Second, Failure: 3}
			got := text(c.dialect.Rows(Report{Target: target, Result: c.result, Edge: c.edge}))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOtherRows(t *testing.T) {
	got := text([]Row{StartedRow(Startup), StartedRow(Liveness), KilledRow("app")})
	want := "ProbeStarted Normal Probe started from stage StartUp\n" +
		"ProbeStarted Normal Probe started from stage Liveness\n" +
		"ContainerTerminated Warning Container 'app' was terminated with exit code '' and reason 'ProbeFailure'"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestTimeoutsInRowsAreWholeSecondsNeverSingular(t *testing.T) {
	for _, c := range []struct {
		timeout time.Duration
		want    string
	}{
		{time.Second, "Probe of StartUp failed with timeout in 1 seconds."},
		{2 * time.Second, "Probe of StartUp failed with timeout in 2 seconds."},
		{240 * time.Second, "Probe of StartUp failed with timeout in 240 seconds."},
		{500 * time.Millisecond, "Probe of StartUp failed with timeout in 1 seconds."},
	} {
		got := attemptText(Target{Key: Key{Kind: Startup}, Timeout: c.timeout}, Result{Timeout: true})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("timeout %v (-want +got):\n%s", c.timeout, diff)
		}
	}
}
