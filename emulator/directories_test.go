package emulator

import (
	"slices"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/google/go-cmp/cmp"
)

// storing is an app with a volume of every kind.
func (w *world) storing() aca.ContainerApp {
	app := w.app("web:1")
	app.Properties.Configuration.Secrets = []aca.Secret{{Name: "key", Value: "v1"}}
	t := &app.Properties.Template
	t.Volumes = []aca.Volume{
		{Name: "scratch"},
		{Name: "files", StorageType: "AzureFile", StorageName: "shop"},
		{Name: "media", StorageType: "NfsAzureFile", StorageName: "media", MountOptions: "nconnect=4, ro"},
		{Name: "keys", StorageType: "Secret"},
	}
	t.Containers[0].VolumeMounts = []aca.VolumeMount{
		{VolumeName: "scratch", MountPath: "/tmp/scratch"},
		{VolumeName: "files", MountPath: "/files", SubPath: "web"},
		{VolumeName: "media", MountPath: "/media"},
		{VolumeName: "keys", MountPath: "/keys"},
	}
	return app
}

// mounts are those of the container of the only replica there is, and its name.
func (w *world) mounts() (mounts []container.Mount, replica string) {
	w.Helper()
	var found *Replica
	w.waitFor("web has one ready replica", func(s *Snapshot) bool {
		found = nil
		if !ready(s) {
			return false
		}
		n := 0
		for _, rev := range s.App("web").Revisions {
			for i := range rev.Replicas {
				found = &rev.Replicas[i]
				n++
			}
		}
		return n == 1 && found.Ready
	})
	spec, ok := w.runtime.Spec(container.ID(found.Properties.Containers[0].ContainerID))
	if !ok {
		w.Fatalf("no container of replica %s", found.Name)
	}
	mounts = slices.Clone(spec.Mounts)
	for i := range mounts {
		mounts[i].Source = strings.Replace(mounts[i].Source, found.Name, "REPLICA", 1)
	}
	return mounts, found.Name
}

func TestVolumesAreBackedByDirectoriesWhereThereAreSome(t *testing.T) {
	f := func(name string, dirs Directories, want ...container.Mount) {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: w.storing(), Directories: dirs}); err != nil {
					w.Fatal(err)
				}
				got, _ := w.mounts()
				if diff := cmp.Diff(want, got); diff != "" {
					w.Errorf("mounts (-want +got):\n%s", diff)
				}
			})
		})
	}
	var (
		scratch = container.Mount{Type: container.MountVolume, Source: "REPLICA.scratch", Target: "/tmp/scratch"}
		files   = container.Mount{Type: container.MountVolume, Source: "storage.shop", Target: "/files", SubPath: "web"}
		media   = container.Mount{Type: container.MountVolume, Source: "storage.media", Target: "/media", ReadOnly: true}
		keys    = container.Mount{Type: container.MountTmpfs, Target: "/keys", ReadOnly: true, Files: map[string][]byte{"key": []byte("v1")}}
	)
	bind := func(m container.Mount, source string) container.Mount {
		m.Type, m.Source, m.Files = container.MountBind, source, nil
		return m
	}
	readOnly := func(m container.Mount) container.Mount {
		m.ReadOnly = true
		return m
	}
	f("none", Directories{}, scratch, files, media, keys)
	f("storages", Directories{Storages: map[string]string{"shop": "/data/shop", "media": "/data/media"}},
		scratch, bind(files, "/data/shop"), bind(media, "/data/media"), keys)
	f("a read-only storage", Directories{Storages: map[string]string{"shop": "/data/shop"}, ReadOnlyStorages: []string{"shop"}},
		scratch, readOnly(bind(files, "/data/shop")), media, keys)
	f("volumes win over storages", Directories{Volumes: map[string]string{"files": "/mine"}, Storages: map[string]string{"shop": "/data/shop"}},
		scratch, bind(files, "/mine"), media, keys)
	f("any volume", Directories{Volumes: map[string]string{"scratch": "/s", "keys": "/k"}},
		bind(scratch, "/s"), files, media, bind(keys, "/k"))
	src := container.Mount{Type: container.MountBind, Source: "/src", Target: "/app/src", ReadOnly: true}
	f("further ones", Directories{Mounts: []DirectoryMount{
		{Container: "app", Source: "/src", Target: "/app/src", ReadOnly: true}, {Container: "other", Source: "/no", Target: "/no"}}},
		scratch, files, media, keys, src)
	f("in place of a volume", Directories{Mounts: []DirectoryMount{{Container: "app", Source: "/mine", Target: "/files"}}},
		scratch, media, keys, container.Mount{Type: container.MountBind, Source: "/mine", Target: "/files"})
}

func TestChangedDirectoriesReplaceReplicasAndMakeNoRevision(t *testing.T) {
	inBubble(t, func(w *world) {
		apply := func(dir string) Applied {
			w.Helper()
			out, err := w.engine.Apply(w.Context(), ApplyRequest{App: w.storing(), Directories: Directories{Storages: map[string]string{"shop": dir}}})
			if err != nil {
				w.Fatal(err)
			}
			return out
		}
		apply("/one")
		_, first := w.mounts()
		out := apply("/two")
		if out.NewRevision || out.Plan != "replace the replicas of "+out.Revision+" (its directories of this machine changed)\n" {
			w.Errorf("applied %+v", out)
		}
		w.waitFor("the first replica is gone", func(s *Snapshot) bool { return s.App("web").Revision(out.Revision).Replica(first) == nil })
		mounts, _ := w.mounts()
		if got := mounts[1].Source; got != "/two" {
			w.Errorf("mounted from %s, want /two", got)
		}
	})
}

func TestNextDaemonKnowsTheDirectories(t *testing.T) {
	f := func(name string, forget bool) {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				dirs := Directories{Storages: map[string]string{"shop": "/data"}}
				if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: w.storing(), Directories: dirs}); err != nil {
					w.Fatal(err)
				}
				want, before := w.mounts()
				w.stop()
				if forget {
					w.memory.Lose()
				}
				w.boot()
				got, after := w.mounts()
				if diff := cmp.Diff(want, got); diff != "" || after != before {
					w.Errorf("replica %s became %s, mounts (-want +got):\n%s", before, after, diff)
				}
				if kept, _ := w.engine.state.Kept("web"); !cmp.Equal(dirs, directoriesOf(kept.Directories)) {
					w.Errorf("kept %+v", kept.Directories)
				}
			})
		})
	}
	f("from its history", false)
	f("from what runs", true)
}
