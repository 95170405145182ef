package aca

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// line prints a probe in one line: type, target, then delay/period/timeout/
// success/failure.
func line(p Probe) string {
	target := ""
	switch {
	case p.HTTPGet != nil:
		target = fmt.Sprintf("%s :%d%s", p.HTTPGet.Scheme, p.HTTPGet.Port, p.HTTPGet.Path)
	case p.TCPSocket != nil:
		target = fmt.Sprintf("TCP :%d", p.TCPSocket.Port)
	}
	return fmt.Sprintf("%s %s %d/%d/%d/%d/%d", p.Type, target, *p.InitialDelaySeconds, *p.PeriodSeconds, *p.TimeoutSeconds, *p.SuccessThreshold, *p.FailureThreshold)
}

func TestEffectiveProbes(t *testing.T) {
	const ingress = `"configuration":{"ingress":{"targetPort":8000}}`
	const startup, readiness, liveness = "Startup TCP :8000 1/1/3/1/240", "Readiness TCP :8000 3/5/5/1/48", "Liveness TCP :8000 0/10/1/1/3"
	tests := []struct {
		name, properties, container string
		want                        []string
	}{
		{"hidden ones with ingress", ingress + `,"template":{"containers":[{"name":"app"}]}`, "app", []string{startup, readiness, liveness}},
		{"none without ingress", `"template":{"containers":[{"name":"app"}]}`, "app", nil},
		{"none for a sidecar", ingress + `,"template":{"containers":[{"name":"app"},{"name":"side"}]}`, "side", nil},
		{"an empty list does not switch them off", ingress + `,"template":{"containers":[{"name":"app","probes":[]}]}`, "app", []string{startup, readiness, liveness}},
		{"a user's probe replaces its type completely", ingress + `,"template":{"containers":[{"name":"app","probes":[{"type":"Startup","httpGet":{"port":8000},"timeoutSeconds":30}]}]}`, "app",
			[]string{"Startup HTTP :8000/ 0/10/30/1/3", readiness, liveness}},
		{"a user's probe without ingress", `"template":{"containers":[{"name":"app","probes":[{"type":"liveness","tcpSocket":{"port":9}}]}]}`, "app", []string{"Liveness TCP :9 0/10/1/1/3"}},
		{"the main container is the one probed on the target port", ingress + `,"template":{"containers":[{"name":"side"},{"name":"app","probes":[{"type":"Readiness","httpGet":{"port":8000,"path":"/r"}}]}]}`, "app",
			[]string{startup, "Readiness HTTP :8000/r 0/10/1/1/3", liveness}},
		{"a detected port is 0", `"configuration":{"ingress":{}},"template":{"containers":[{"name":"app"}]}`, "app",
			[]string{"Startup TCP :0 1/1/3/1/240", "Readiness TCP :0 3/5/5/1/48", "Liveness TCP :0 0/10/1/1/3"}},
		{"no hidden ones on a GPU", `"workloadProfileName":"Consumption-GPU-NC8as-T4",` + ingress + `,"template":{"containers":[{"name":"app"}]}`, "app", nil},
		{"unknown container", ingress + `,"template":{"containers":[{"name":"app"}]}`, "other", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			app, problems := DecodeJSON[ContainerApp]([]byte(`{"properties":{` + test.properties + `}}`))
			if len(problems) > 0 {
				t.Fatal(lines(problems))
			}
			var got []string
			for _, p := range EffectiveProbes(&app, test.container) {
				got = append(got, line(p))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("probes (-want +got):\n%s", diff)
			}
		})
	}
}
