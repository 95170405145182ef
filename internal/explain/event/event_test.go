package event

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	f := func(reason, text string, want Event) {
		t.Helper()
		want.Row = Row{Reason: reason, Text: text}
		if diff := cmp.Diff(want, Parse(want.Row)); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", reason, text, diff)
		}
	}
	f("AssigningReplica", "Replica 'web--a-b-c' has been scheduled to run on a node.", Event{Kind: Scheduled})
	f("PullingImage", "Pulling image 'nginx:alpine'", Event{Kind: Pulling, Image: "nginx:alpine"})
	f("PulledImage", `Successfully pulled image "nginx:alpine" in 2.98s. Image size: 28311552 bytes.`, Event{Kind: Pulled, Image: "nginx:alpine", Took: 2980 * time.Millisecond})
	f("PulledImage", `Successfully pulled image "nginx:alpine" in 19ms. Image size: 28311552 bytes.`, Event{Kind: Pulled, Image: "nginx:alpine", Took: 19 * time.Millisecond})
	f("PulledImage", `Successfully pulled image 'IMG' in 5.8793404s`, Event{Kind: Pulled, Image: "IMG", Took: 5879340400})
	f("ImagePullUnauthorized", "Container pull image failed with unauthorized error.", Event{Kind: PullUnauthorized})
	f("ContainerCreated", "Created container 'app'", Event{Kind: Created, Container: "app"})
	f("ContainerStarted", "Started container 'app'", Event{Kind: Started, Container: "app"})
	f("ProbeFailed", "Probe of StartUp failed with status code: 404", Event{Kind: ProbeFailed, Probe: "Startup", Status: "404"})
	f("ProbeFailed", "Probe of StartUp failed with status code: ", Event{Kind: ProbeFailed, Probe: "Startup"})
	f("ProbeFailed", "Probe of StartUp failed with status code: 1", Event{Kind: ProbeFailed, Probe: "Startup", Status: "1"})
	f("ProbeFailed", "Probe of Liveness failed with timeout in 5 seconds.", Event{Kind: ProbeFailed, Probe: "Liveness", Timeout: 5 * time.Second})
	f("ProbeFailed", "Container app failed startup probe, will be restarted", Event{Kind: KillBegun, Container: "app", Probe: "Startup"})
	f("ProbeFailed", "Container liveness-lab failed liveness probe, will be restarted", Event{Kind: KillBegun, Container: "liveness-lab", Probe: "Liveness"})
	f("ProbeFailed", "Container daprd failed readiness probe", Event{Kind: NotReady, Container: "daprd"})
	f("ProbeFailed", "Readiness Probe of Readiness reached failure threshold 3, changing status to Failure.", Event{})
	f("ContainerTerminated", "Container 'app' was terminated with exit code '137' and reason 'ProcessExited'", Event{Kind: Terminated, Container: "app", Code: "137", End: "ProcessExited"})
	f("ContainerTerminated", "Container 'app' was terminated with exit code '' and reason 'ManuallyStopped'", Event{Kind: Terminated, Container: "app", End: "ManuallyStopped"})
	f("ContainerTerminated", `Container 'app' was terminated with exit code '1' and reason 'ContainerCreateFailure'. Status(StatusCode="Unknown", Detail="x")`,
		Event{Kind: Terminated, Container: "app", Code: "1", End: "ContainerCreateFailure", Detail: `Status(StatusCode="Unknown", Detail="x")`})
	f("ProcessExited", "Container 'app' was terminated with exit code '137'", Event{Kind: Exited, Container: "app", Code: "137"})
	f("Pending:PortMismatch", "The TargetPort 8081 does not match the listening port 80.", Event{Kind: PortMismatch, Target: 8081, Listening: []int{80}})
	f("Pending:PortMismatch", "The TargetPort 80 does not match any of the listening ports: [9001 9000].", Event{Kind: PortMismatch, Target: 80, Listening: []int{9001, 9000}})
	f("RevisionReady", "Successfully provisioned revision 'web--a'", Event{Kind: Ready})
	f("RevisionUpdate", "Setting traffic weight of '100%' for revision 'web--a'", Event{Kind: Traffic})
	f("RevisionUpdate", "Updating revision : web--a", Event{})
	f("ColdStart", "Replica 'web--a-b-c' was ready 1.68s after the app was asked for at zero: schedule 0s, create 1.509s, boot 164ms, probes 7ms.",
		Event{Kind: ColdStart, Cold: Parts{Create: 1509 * time.Millisecond, Boot: 164 * time.Millisecond, Probes: 7 * time.Millisecond}})
	f("KEDAScalersStopped", "KEDA is stopping the watch for revision 'web--a' to monitor scale operations for this revision", Event{Kind: Retired})
	f("Nonsense", "Created container 'app'", Event{})
}

func FuzzParse(f *testing.F) {
	for _, p := range patterns {
		f.Add(p.reason, p.text.String())
	}
	f.Add("ContainerTerminated", "Container 'a' was terminated with exit code '1' and reason 'ContainerCreateFailure'. x\ny")
	f.Add("Pending:PortMismatch", "The TargetPort 99999999999999999999 does not match any of the listening ports: [1 2].")
	f.Fuzz(func(t *testing.T, reason, text string) {
		row := Row{Reason: reason, Text: text}
		if e := Parse(row); e.Row != row || e.Timeout < 0 {
			t.Errorf("%q %q: %+v", reason, text, e)
		}
	})
}
