package capture

import (
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// Redacted is what stands for what is not to be told.
const Redacted = "redacted"

// secretName is how variables with secrets in them are usually called. A
// definition need not keep them in secrets.
var secretName = lazyregexp.New(`(?i)secret|passw|pwd|token|api_?key|access_?key|_key$|^key$|connection_?string|credential|_sas$|_dsn$`)

// shortest is the length from which a secret value is looked for in texts:
// shorter ones would be found everywhere.
const shortest = 6

// Redact takes out of a capture what may be a secret: values of secrets, plain
// values of variables whose name says so, wherever they occur in texts, and the
// queries of requests; and who made the app. What an app prints of itself beyond
// that stays.
func Redact(f *File) {
	f.App.SystemData = nil
	var values []string
	secrets := f.App.Properties.Configuration.Secrets
	for i := range secrets {
		values = hide(values, &secrets[i].Value)
	}
	values = hideVariables(values, &f.App.Properties.Template)
	for i := range f.App.Revisions {
		values = hideVariables(values, &f.App.Revisions[i].Properties.Template)
	}
	for i := range f.Requests {
		f.Requests[i].Path, _, _ = strings.Cut(f.Requests[i].Path, "?")
	}
	f.replace(values)
}

// noResource is the connection string of no resource: SDKs refuse to start with
// one they cannot read.
const noResource = "InstrumentationKey=00000000-0000-0000-0000-000000000000"

// hide replaces a value that is not empty and notes it.
func hide(values []string, value *string) []string {
	instead := Redacted
	if strings.HasPrefix(*value, "InstrumentationKey=") {
		instead = noResource
	}
	if *value == "" || *value == instead {
		return values
	}
	values = append(values, *value)
	*value = instead
	return values
}

func hideVariables(values []string, t *aca.Template) []string {
	*t = *t.Clone()
	for _, list := range [][]aca.Container{t.InitContainers, t.Containers} {
		for i := range list {
			for j := range list[i].Env {
				if v := &list[i].Env[j]; secretName.MatchString(v.Name) {
					values = hide(values, &v.Value)
				}
			}
		}
	}
	return values
}

// replace takes values out of all texts.
func (f *File) replace(values []string) {
	var pairs []string
	for _, v := range values {
		if len(v) >= shortest {
			pairs = append(pairs, v, Redacted)
		}
	}
	if len(pairs) == 0 {
		return
	}
	clean := strings.NewReplacer(pairs...).Replace
	for i := range f.Rows {
		f.Rows[i].Text = clean(f.Rows[i].Text)
	}
	for i := range f.Console {
		f.Console[i].Text = clean(f.Console[i].Text)
	}
	for i := range f.Attempts {
		f.Attempts[i].Detail = clean(f.Attempts[i].Detail)
	}
	for i := range f.Requests {
		f.Requests[i].Path = clean(f.Requests[i].Path)
		f.Requests[i].Reason = clean(f.Requests[i].Reason)
	}
	v := &f.Verdict
	v.Title, v.Why, v.Fix, v.Patch = clean(v.Title), clean(v.Why), clean(v.Fix), clean(v.Patch)
	for i := range v.Evidence {
		v.Evidence[i].Text = clean(v.Evidence[i].Text)
	}
}
