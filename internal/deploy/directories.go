package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
)

// Directories are the directories of this machine that an app uses.
func Directories(app *config.App) emulator.Directories {
	out := emulator.Directories{Volumes: app.Local.Volumes, Storages: app.Local.Storages, ReadOnlyStorages: app.Local.ReadOnlyStorages}
	for _, m := range app.Local.Mounts {
		out.Mounts = append(out.Mounts, emulator.DirectoryMount(m))
	}
	return out
}

// MakeDirectories makes what stands for volumes and is missing, with the parts
// of them that are mounted: on Azure the share is there, and a subPath is made.
// Further mounts have to exist, because an empty directory would hide what the
// image has there.
func MakeDirectories(app *config.App, dirs emulator.Directories) error {
	for _, v := range app.Properties.Template.Volumes {
		dir := dirs.Volumes[v.Name]
		if dir == "" && v.StorageName != "" {
			dir = dirs.Storages[v.StorageName]
		}
		if dir == "" {
			continue
		}
		for _, part := range partsOf(app, v.Name) {
			if err := makeShared(filepath.Join(dir, filepath.FromSlash(part))); err != nil {
				return fmt.Errorf("app %s: make a directory for the volume %s: %w", app.Name, v.Name, err)
			}
		}
	}
	for _, m := range dirs.Mounts {
		if _, err := os.Stat(m.Source); err != nil {
			return &hinted{fmt.Errorf("app %s: nothing to mount at %s: %w", app.Name, m.Target, err), "make it, or change mounts in acalocal.yaml"}
		}
	}
	return nil
}

// partsOf are the parts of a volume that containers mount, "" for all of it.
func partsOf(app *config.App, volume string) []string {
	parts := []string{""}
	t := app.Properties.Template
	for _, list := range [][]aca.Container{t.InitContainers, t.Containers} {
		for _, c := range list {
			for _, m := range c.VolumeMounts {
				if m.VolumeName == volume && m.SubPath != "" {
					parts = append(parts, m.SubPath)
				}
			}
		}
	}
	return parts
}

// makeShared makes a directory, and those above it, when it is missing. Like
// an Azure Files share everyone may write to it, so that an image whose user is
// not root can. One that is there stays as it is.
func makeShared(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Chmod(dir, 0o777)
}
