package api

import (
	"io"

	"github.com/acalocal/acalocal/emulator/aca"
)

// decodeApp reads a definition as Azure does, leniently, names it, fills in
// the defaults and refuses what Azure would refuse.
func decodeApp(r io.Reader, name string) (aca.ContainerApp, error) {
	data, err := readBody(r)
	if err != nil {
		return aca.ContainerApp{}, err
	}
	app, problems := aca.DecodeJSON[aca.ContainerApp](data)
	app.Name = name
	if err := refuse(problems); err != nil {
		return app, err
	}
	app.ApplyDefaults()
	return app, refuse(app.Validate())
}

// refuse returns the first error among problems, with all of them as details
// when there are several; nil when there is none.
func refuse(problems []aca.Problem) error {
	errs := aca.Errors(problems)
	if len(errs) == 0 {
		return nil
	}
	d := problemDetail(errs[0])
	if len(errs) > 1 {
		for _, p := range errs {
			d.Details = append(d.Details, problemDetail(p))
		}
	}
	return (*detailError)(&d)
}

func problemDetail(p aca.Problem) ErrorDetail {
	d := ErrorDetail{Code: p.Code, Message: p.Message, Target: p.Path}
	if d.Code == "" {
		d.Code = codeBadContent
	}
	if p.Hint != "" {
		d.Inner = &InnerError{Hint: p.Hint}
	}
	return d
}
