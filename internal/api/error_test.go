package api

import (
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

func TestARefusalCarriesTheHintOfItsCause(t *testing.T) {
	d := detailOf(&aca.Error{Code: "ContainerAppOperationError", Message: "no", Cause: container.Errorf(container.CodeUnreachable, "log in", "denied")})
	if d.Code != "ContainerAppOperationError" || d.Message != "no" || d.Inner == nil || d.Inner.Hint != "log in" {
		t.Errorf("%+v, %+v", d, d.Inner)
	}
}
