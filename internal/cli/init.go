package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/internal/config/starter"
	"github.com/spf13/cobra"
)

// initFlags are the flags of "acalocal init".
type initFlags struct {
	container, output string
	force             bool
}

func newInitCommand(s Streams) *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a commented containerapp.yaml from a Dockerfile or a running container",
		Example: "  acalocal init\n" +
			"  acalocal init --container web\n" +
			"  acalocal init --output -",
		Args: maximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := firstArg(args)
			if dir == "" {
				dir = "."
			}
			app, err := startApp(cmd.Context(), dir, f.container)
			if err != nil {
				return err
			}
			return f.write(s, dir, app)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.container, "container", "", "take what this Docker container runs")
	flags.StringVarP(&f.output, "output", "o", "", "file to write, - for stdout (default DIR/containerapp.yaml)")
	flags.BoolVar(&f.force, "force", false, "replace a file that is there")
	return cmd
}

func startApp(ctx context.Context, dir, container string) (starter.App, error) {
	if container != "" {
		return fromContainer(ctx, container)
	}
	text, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
	if errors.Is(err, fs.ErrNotExist) {
		return starter.App{}, failed(fmt.Errorf("there is no Dockerfile in %s", dir), "give --container NAME to start from one that runs")
	}
	if err != nil {
		return starter.App{}, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return starter.App{}, err
	}
	return starter.FromDockerfile(abs, text)
}

// fromContainer asks the docker command, which knows the user's contexts.
func fromContainer(ctx context.Context, name string) (starter.App, error) {
	container, err := dockerInspect(ctx, "container", name, "")
	if err != nil {
		return starter.App{}, err
	}
	image, err := dockerInspect(ctx, "container", name, "{{.Image}}")
	if err != nil {
		return starter.App{}, err
	}
	base, err := dockerInspect(ctx, "image", strings.TrimSpace(string(image)), "")
	if err != nil {
		base = nil // the image may be gone; then all the container has is taken for its own
	}
	return starter.FromInspect(container, base)
}

func dockerInspect(ctx context.Context, kind, name, format string) ([]byte, error) {
	args := []string{kind, "inspect"}
	if format != "" {
		args = append(args, "--format", format)
	}
	out, err := exec.CommandContext(ctx, "docker", append(args, "--", name)...).Output()
	if err == nil {
		return out, nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return nil, failed(errors.New("the docker command is not installed"), "start from a Dockerfile instead")
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		err = errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	return nil, failed(fmt.Errorf("inspect the %s %s: %w", kind, name, err), "docker ps lists what runs")
}

func (f *initFlags) write(s Streams, dir string, app starter.App) error {
	if f.output == "-" {
		_, err := s.Out.Write(app.YAML())
		return err
	}
	file := f.output
	if file == "" {
		file = filepath.Join(dir, "containerapp.yaml")
	}
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if f.force {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	out, err := os.OpenFile(file, mode, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return failed(fmt.Errorf("%s is already there", file), "add --force to replace it, or --output FILE")
	}
	if err != nil {
		return err
	}
	_, err = out.Write(app.YAML())
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	fmt.Fprintf(s.Err, "wrote %s\nhint: try it with \"acalocal up\", look for problems with \"acalocal check\"\n", file)
	return nil
}
