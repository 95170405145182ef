package deploy

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/google/go-cmp/cmp"
)

// storingApp has a share, a part of it mounted, and a scratch volume.
func storingApp() *config.App {
	app := &config.App{ContainerApp: aca.ContainerApp{Name: "web"}}
	app.Properties.Template = aca.Template{
		Volumes: []aca.Volume{{Name: "files", StorageType: "AzureFile", StorageName: "shop"}, {Name: "scratch"}},
		Containers: []aca.Container{{Name: "web", VolumeMounts: []aca.VolumeMount{
			{VolumeName: "files", MountPath: "/files", SubPath: "a/b"}, {VolumeName: "scratch", MountPath: "/s"}}}},
	}
	return app
}

func TestDirectoriesForAnAppAreThoseItUses(t *testing.T) {
	app := storingApp()
	app.Local.Volumes = map[string]string{"scratch": "/s"}
	app.Local.Storages = map[string]string{"shop": "/shop"}
	app.Local.Mounts = []config.Mount{{Container: "web", Source: "/src", Target: "/app", ReadOnly: true}}
	want := emulator.Directories{
		Volumes:  map[string]string{"scratch": "/s"},
		Storages: map[string]string{"shop": "/shop"},
		Mounts:   []emulator.DirectoryMount{{Container: "web", Source: "/src", Target: "/app", ReadOnly: true}},
	}
	got := Directories(app)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("directories (-want +got):\n%s", diff)
	}
}

func TestMissingDirectoriesOfVolumesAreMadeForEveryone(t *testing.T) {
	dir := t.TempDir()
	share := filepath.Join(dir, "data", "shop")
	if err := MakeDirectories(storingApp(), emulator.Directories{Storages: map[string]string{"shop": share}}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{share, filepath.Join(share, "a", "b")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o777 {
			t.Errorf("%s has mode %v, want 0777", path, info.Mode())
		}
	}
}

func TestDirectoriesOfVolumesThatAreThereStayAsTheyAre(t *testing.T) {
	share := t.TempDir()
	if err := os.Chmod(share, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := MakeDirectories(storingApp(), emulator.Directories{Volumes: map[string]string{"files": share}}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(share)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("mode became %v", info.Mode())
	}
}

func TestMountOfNothingIsRefused(t *testing.T) {
	source := filepath.Join(t.TempDir(), "none")
	err := MakeDirectories(storingApp(), emulator.Directories{Mounts: []emulator.DirectoryMount{{Container: "web", Source: source, Target: "/app"}}})
	_, cause := os.Stat(source)
	want := "app web: nothing to mount at /app: " + cause.Error()
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
