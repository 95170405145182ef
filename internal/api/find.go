package api

import (
	"fmt"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
)

func findApp(s *emulator.Snapshot, name, group string) (*emulator.App, error) {
	if app := s.App(strings.ToLower(name)); app != nil {
		return app, nil
	}
	err := notFound("containerApps/"+name, group)
	return nil, thereIs(err, group, collect(s.Apps, func(a *emulator.App) string { return a.Name }))
}

func findRevision(app *emulator.App, name, group string) (*emulator.Revision, error) {
	if rev := app.Revision(strings.ToLower(name)); rev != nil {
		return rev, nil
	}
	err := notFound("containerApps/"+app.Name+"/revisions/"+name, group)
	return nil, thereIs(err, group, collect(app.Revisions, func(r *emulator.Revision) string { return r.Name }))
}

func findReplica(app *emulator.App, rev *emulator.Revision, name, group string) (*emulator.Replica, error) {
	if rep := rev.Replica(strings.ToLower(name)); rep != nil {
		return rep, nil
	}
	err := notFound("containerApps/"+app.Name+"/revisions/"+rev.Name+"/replicas/"+name, group)
	return nil, thereIs(err, group, collect(rev.Replicas, func(r *emulator.Replica) string { return r.Name }))
}

// mostNames bounds the names in a hint.
const mostNames = 10

// thereIs adds the names that would have been found to an error. On ARM's own
// paths, which have a resource group, the error stays as Azure gives it.
func thereIs(err *aca.Error, group string, names []string) error {
	if group != "" || len(names) == 0 {
		return err
	}
	if more := len(names) - mostNames; more > 0 {
		names = append(names[:mostNames:mostNames], fmt.Sprintf("and %d more", more))
	}
	return &detailError{
		Code: err.Code, Message: err.Message, Target: err.Target,
		Inner: &InnerError{Hint: "there is: " + strings.Join(names, ", ")},
	}
}

// resolve fills the empty fields of a target as the Azure CLI does: the latest
// revision, its first replica, its first container. The replica stays empty
// when the revision has none.
func resolve(s *emulator.Snapshot, t emulator.ExecTarget) (emulator.ExecTarget, error) {
	app, err := onlyApp(s, t.App)
	if err != nil {
		return t, err
	}
	name := t.Revision
	if name == "" {
		name = app.Properties.LatestRevisionName
	}
	rev, err := findRevision(app, name, "")
	if err != nil {
		return t, err
	}
	t.App, t.Revision = app.Name, rev.Name
	if t.Replica, err = pickReplica(app, rev, t.Replica); err != nil {
		return t, err
	}
	t.Container, err = pickContainer(rev, t.Container)
	return t, err
}

// onlyApp finds the named app; without a name, the only one there is.
func onlyApp(s *emulator.Snapshot, name string) (*emulator.App, error) {
	switch {
	case name != "":
		return findApp(s, name, "")
	case len(s.Apps) == 1:
		return &s.Apps[0], nil
	case len(s.Apps) == 0:
		return nil, &aca.Error{Code: codeNotFound, Message: fmt.Sprintf("The environment '%s' has no app.", s.Environment)}
	}
	names := collect(s.Apps, func(a *emulator.App) string { return a.Name })
	return nil, badContent("name", "The environment '%s' has several apps: say which of %s.", s.Environment, strings.Join(names, ", "))
}

// pickReplica chooses the first replica that is not on its way out, or the
// first at all.
func pickReplica(app *emulator.App, rev *emulator.Revision, name string) (string, error) {
	if name != "" {
		rep, err := findReplica(app, rev, name, "")
		if err != nil {
			return "", err
		}
		return rep.Name, nil
	}
	for i := range rev.Replicas {
		if !rev.Replicas[i].Draining {
			return rev.Replicas[i].Name, nil
		}
	}
	if len(rev.Replicas) > 0 {
		return rev.Replicas[0].Name, nil
	}
	return "", nil
}

// pickContainer checks the name of a container against the revision's
// template, or chooses its first one.
func pickContainer(rev *emulator.Revision, name string) (string, error) {
	t := rev.Properties.Template
	all := append(append([]aca.Container(nil), t.Containers...), t.InitContainers...)
	for _, c := range all {
		if name == "" || c.Name == name {
			return c.Name, nil
		}
	}
	err := &aca.Error{Code: codeNotFound, Message: "No such container: " + name, Target: rev.Name}
	return "", thereIs(err, "", collect(all, func(c *aca.Container) string { return c.Name }))
}
