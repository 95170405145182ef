package capture

import (
	"fmt"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/agent/standin"
	"github.com/acalocal/acalocal/internal/explain/event"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// counterVolume is where stand-ins count the starts of their containers.
const counterVolume = "stand-in-starts"

// Definition is the captured one, to be run again: with the template of the
// captured revision, its name, one replica, and other images where images has
// one for a container. Secrets get a value that is none, shares become empty
// directories.
func (f *File) Definition(images map[string]string) aca.ContainerApp {
	app := *f.App.Clone()
	app.DropEnvelope()
	p := &app.Properties
	p.Template = *f.App.Revision(f.Revision).Properties.Template.Clone()
	_, p.Template.RevisionSuffix, _ = strings.Cut(f.Revision, "--")
	one := 1
	p.Template.Scale = &aca.Scale{MinReplicas: &one, MaxReplicas: &one}
	p.Configuration.ActiveRevisionsMode = aca.Single
	for i := range p.Configuration.Secrets {
		s := &p.Configuration.Secrets[i]
		s.Value, s.KeyVaultURL, s.Identity = Redacted, "", ""
	}
	if in := p.Configuration.Ingress; in != nil {
		in.Traffic, in.Fqdn = nil, ""
	}
	for i := range p.Template.Volumes {
		if v := &p.Template.Volumes[i]; v.StorageType != "Secret" {
			v.StorageType, v.StorageName, v.MountOptions = "EmptyDir", "", "" // shares are not in the file
		}
	}
	for _, list := range [][]aca.Container{p.Template.InitContainers, p.Template.Containers} {
		for i := range list {
			c := &list[i]
			if c.Resources != nil {
				c.Resources.EphemeralStorage = "" // follows from the cores
			}
			if image := images[c.Name]; image != "" {
				c.Image = image
				c.VolumeMounts = append(c.VolumeMounts, aca.VolumeMount{VolumeName: counterVolume, MountPath: standin.CounterDir})
			}
		}
	}
	if len(images) > 0 {
		p.Template.Volumes = append(p.Template.Volumes, aca.Volume{Name: counterVolume, StorageType: "EmptyDir"})
	}
	return app
}

// Kinds are the rows about the replicas of a revision as they are to be found
// again in a replay, each once, sorted: without names of replicas, times,
// sizes, and with each image by the name of its container in the recording.
func (f *File) Kinds() []string {
	images := map[string]string{}
	t := f.App.Revision(f.Revision).Properties.Template
	for _, list := range [][]aca.Container{t.InitContainers, t.Containers} {
		for _, c := range list {
			images[c.Image] = "image of " + c.Name
		}
	}
	var out []string
	for _, r := range f.Rows {
		if r.Replica == "" && r.Reason != "RevisionReady" {
			continue
		}
		out = append(out, kindOf(r, images))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var (
	pullTook  = lazyregexp.New(` in [0-9.]+[mµ]?s\.?( Image size: \d+ bytes\.)?`)
	oneSpaces = lazyregexp.New(`\s+`)
)

func kindOf(r event.Row, images map[string]string) string {
	text := r.Text
	if r.Replica != "" {
		text = strings.ReplaceAll(text, r.Replica, "REPLICA")
	}
	for image, name := range images {
		text = strings.ReplaceAll(text, image, name)
	}
	if r.Reason == "PulledImage" {
		text = pullTook.ReplaceAllString(text, "")
	}
	return r.Reason + ": " + strings.TrimSpace(oneSpaces.ReplaceAllString(text, " "))
}

// Compare says how a replay differs from the recording, one line each; nothing
// when the cause is the same and so are the rows of the replicas.
func Compare(recorded, replayed *File) []string {
	var out []string
	if a, b := recorded.Verdict, replayed.Verdict; a.Rule != b.Rule {
		out = append(out, fmt.Sprintf("the verdict was [%s] %s, now it is [%s] %s", a.Rule, a.Title, b.Rule, b.Title))
	}
	before, after := recorded.Kinds(), replayed.Kinds()
	for _, k := range before {
		if !slices.Contains(after, k) {
			out = append(out, "missing: "+k)
		}
	}
	for _, k := range after {
		if !slices.Contains(before, k) {
			out = append(out, "added:   "+k)
		}
	}
	return out
}
