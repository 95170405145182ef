package daemon

import (
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
)

func TestScalersFindThePortAnAppListensOn(t *testing.T) {
	tcp := &aca.Ingress{Transport: aca.TransportTCP, TargetPort: 6379, ExposedPort: 16379, AdditionalPortMappings: []aca.PortMapping{{TargetPort: 9000, ExposedPort: 19000}}}
	http := &aca.Ingress{Transport: aca.TransportAuto, TargetPort: 9090}
	for _, c := range []struct {
		name string
		in   *aca.Ingress
		port int
		want int
	}{
		{"the exposed port", tcp, 16379, 6379},
		{"the target port itself", tcp, 6379, 6379},
		{"an additional port", tcp, 19000, 9000},
		{"port 80 of an HTTP app", http, 80, 9090},
		{"port 80 of a TCP app", tcp, 80, 80},
		{"an app without ingress", nil, 5432, 5432},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := targetOf(c.in, c.port); got != c.want {
				t.Errorf("port %d is %d, want %d", c.port, got, c.want)
			}
		})
	}
}
