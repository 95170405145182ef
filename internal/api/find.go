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
	return nil, notFound("containerApps/"+name, group)
}

func findRevision(app *emulator.App, name, group string) (*emulator.Revision, error) {
	if rev := app.Revision(strings.ToLower(name)); rev != nil {
		return rev, nil
	}
	return nil, notFound("containerApps/"+app.Name+"/revisions/"+name, group)
}

func findReplica(app *emulator.App, rev *emulator.Revision, name, group string) (*emulator.Replica, error) {
	if rep := rev.Replica(strings.ToLower(name)); rep != nil {
		return rep, nil
	}
	return nil, notFound("containerApps/"+app.Name+"/revisions/"+rev.Name+"/replicas/"+name, group)
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
	return "", &aca.Error{Code: codeNotFound, Message: "No such container: " + name, Target: rev.Name}
}
