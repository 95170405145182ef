package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/config/arm"
)

// compileTimeout bounds a Bicep compiler, which may fetch modules.
const compileTimeout = 2 * time.Minute

// readBicep compiles a Bicep file and reads the result. Positions are those of
// the compiled template: Bicep writes no source map.
func (l *loader) readBicep(file string) {
	l.def.Files = append(l.def.Files, file)
	out, err := compileBicep(l.ctx, "build", file)
	if err != nil {
		l.errorf(file, err.Error(), bicepHint)
		return
	}
	source := &sourceFile{file: file, text: out}
	root, err := arm.Parse(out)
	if err != nil {
		l.jsonError(source, err)
		return
	}
	l.readTemplate(source, root)
}

const bicepHint = "install Bicep (https://aka.ms/bicep-install), or give the JSON that it writes"

// compiledParameters compiles a .bicepparam file; the compiler answers with the
// parameters as text inside of JSON.
func (l *loader) compiledParameters(file string) *sourceFile {
	out, err := compileBicep(l.ctx, "build-params", file)
	if err != nil {
		l.errorf(file, err.Error(), bicepHint)
		return nil
	}
	answer := &sourceFile{file: file, text: out}
	root, err := arm.Parse(out)
	if err != nil {
		l.jsonError(answer, err)
		return nil
	}
	if inner := root.Get("parametersJson"); inner != nil && inner.Kind == arm.String {
		answer.text = []byte(inner.Text)
	}
	return answer
}

// compilers are the commands that compile Bicep, best first: the words before
// and behind the verb, the file comes last.
var compilers = [][2][]string{{{"bicep"}, {"--stdout"}}, {{"az", "bicep"}, {"--stdout", "--file"}}}

func canCompile() bool {
	return slices.ContainsFunc(compilers, func(c [2][]string) bool {
		_, err := exec.LookPath(c[0][0])
		return err == nil
	})
}

// compileBicep runs "bicep <verb>" on a file and returns what it prints.
func compileBicep(ctx context.Context, verb, file string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, compileTimeout)
	defer cancel()
	for _, c := range compilers {
		words := slices.Concat(c[0], []string{verb}, c[1], []string{file})
		if _, err := exec.LookPath(words[0]); err != nil {
			continue
		}
		cmd := exec.CommandContext(ctx, words[0], words[1:]...)
		cmd.WaitDelay = time.Second
		cmd.Env = append(os.Environ(), "BICEP_TRACING_ENABLED=false")
		out, err := cmd.Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("%s cannot compile this: %s", words[0], strings.TrimSpace(string(exit.Stderr)))
		}
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", words[0], err)
		}
		return out, nil
	}
	return nil, errors.New("neither bicep nor az is installed to compile this")
}
