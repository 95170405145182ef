package api

import (
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

func TestARefusalCarriesItsOwnHint(t *testing.T) {
	p := aca.Problem{Path: "properties.configuration.ingress.traffic[0].label", Code: "ContainerAppInvalidValue", Message: `"Up" is not a label`, Hint: "lower case letters"}
	d := detailOf(p.Err())
	if d.Message != p.Message || d.Target != p.Path || d.Inner == nil || d.Inner.Hint != p.Hint {
		t.Errorf("%+v, %+v", d, d.Inner)
	}
}

func TestARefusalCarriesTheHintOfItsCause(t *testing.T) {
	d := detailOf(&aca.Error{Code: "ContainerAppOperationError", Message: "no", Cause: container.Errorf(container.CodeUnreachable, "log in", "denied")})
	if d.Code != "ContainerAppOperationError" || d.Message != "no" || d.Inner == nil || d.Inner.Hint != "log in" {
		t.Errorf("%+v, %+v", d, d.Inner)
	}
}
