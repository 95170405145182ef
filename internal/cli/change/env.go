package change

import (
	"fmt"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// EnvEdit is what --set-env-vars, --remove-env-vars and --replace-env-vars ask
// for. Replace drops every variable there is first.
type EnvEdit struct {
	Set     []string // NAME=value or NAME=secretref:SECRET
	Remove  []string // names
	Replace []string // as Set
	// RemoveAll drops every variable.
	RemoveAll bool
}

// Empty says that nothing is asked for.
func (e EnvEdit) Empty() bool {
	return len(e.Set) == 0 && len(e.Remove) == 0 && len(e.Replace) == 0 && !e.RemoveAll
}

// Env returns the variables after an edit: set ones keep their place and name,
// new ones come last, in the order given. Names are found in any case, as az
// finds them; missing are those to remove that are not there.
func Env(current []aca.EnvVar, e EnvEdit) (out []aca.EnvVar, missing []string, err error) {
	out = slices.Clone(current)
	if e.RemoveAll || len(e.Replace) > 0 {
		out = nil
	}
	for _, name := range e.Remove {
		i := envIndex(out, name)
		if i < 0 {
			missing = append(missing, name)
			continue
		}
		out = slices.Delete(out, i, i+1)
	}
	for _, entry := range append(slices.Clone(e.Replace), e.Set...) {
		v, err := parseEnv(entry)
		if err != nil {
			return nil, nil, err
		}
		if i := envIndex(out, v.Name); i >= 0 {
			v.Name = out[i].Name
			out[i] = v
			continue
		}
		out = append(out, v)
	}
	return out, missing, nil
}

func envIndex(list []aca.EnvVar, name string) int {
	return slices.IndexFunc(list, func(v aca.EnvVar) bool { return strings.EqualFold(v.Name, name) })
}

// parseEnv reads NAME=value or NAME=secretref:SECRET.
func parseEnv(entry string) (aca.EnvVar, error) {
	name, value, ok := strings.Cut(entry, "=")
	if !ok || name == "" {
		return aca.EnvVar{}, fmt.Errorf("%q is no variable: write NAME=value or NAME=secretref:SECRET", entry)
	}
	if ref, ok := strings.CutPrefix(value, "secretref:"); ok {
		return aca.EnvVar{Name: name, SecretRef: ref}, nil
	}
	return aca.EnvVar{Name: name, Value: value}, nil
}
