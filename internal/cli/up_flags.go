package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/acalocal/acalocal/internal/config"
	"github.com/spf13/cobra"
)

// bindOverrides adds the flags of "az containerapp create" that change a
// definition, under az's names.
func bindOverrides(cmd *cobra.Command, o *config.Overrides) {
	f := cmd.Flags()
	f.StringVarP(&o.Name, "name", "n", "", "the app the following flags are about (default: the only one)")
	f.StringP("resource-group", "g", "", "accepted for az's sake and ignored")
	f.StringVarP(&o.Image, "image", "i", "", "run this image instead of the definition's")
	f.StringVar(&o.Ingress, "ingress", "", "external, internal or disabled")
	f.Var(optional[int]{&o.TargetPort, parseTargetPort, "port"}, "target-port", "the port the container listens on, 1 to 65535; 0 finds it")
	f.StringVar(&o.Transport, "transport", "", "auto, http, http2 or tcp")
	f.StringArrayVar(&o.EnvVars, "env-vars", nil, "NAME=value or NAME=secretref:SECRET ...")
	f.StringArrayVarP(&o.Secrets, "secrets", "s", nil, "NAME=value ...")
	f.Var(optional[float64]{&o.CPU, parseFloat, "cores"}, "cpu", "cores of the main container, such as 0.5")
	f.Var(memoryFlag{&o.Memory}, "memory", "memory of the main container, such as 1Gi")
	f.Var(optional[int]{&o.MinReplicas, strconv.Atoi, "n"}, "min-replicas", "the least number of replicas")
	f.Var(optional[int]{&o.MaxReplicas, strconv.Atoi, "n"}, "max-replicas", "the largest number of replicas")
	f.Var(&wordsFlag{words: &o.Command}, "command", "WORD ...; replaces the image's entrypoint. One alone is split as a shell does, \"\" is none")
	f.Var(&wordsFlag{words: &o.Args}, "args", "WORD ...; replaces the image's command. One alone is split as a shell does, \"\" is none")
	f.StringVar(&o.Suffix, "revision-suffix", "", "the new revision is called APP--SUFFIX")
	f.VarP(portFlag{&o.HostPort}, "port", "p", "the loopback port that stands for the app's https address (default: a free one)")
	f.BoolVar(&o.Telemetry, "telemetry", false, "let apps send what they send to Application Insights, and OTLP, to the local log store")
	f.BoolVar(&o.StrictOTel, "strict-opentelemetry", false, "give apps only the CONTAINERAPP_OTEL_ variables of the environment's OpenTelemetry agent and not OTEL_EXPORTER_OTLP_ENDPOINT, as some environments on Azure do")
	bindAppChanges(cmd, o)
	completeWords(cmd, "ingress", "external", "internal", "disabled")
	completeWords(cmd, "transport", "auto", "http", "http2", "tcp")
}

// parsePort reads a TCP port.
func parsePort(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err == nil && (n < 1 || n > 65535) {
		err = fmt.Errorf("%d is no port; ports are 1 to 65535", n)
	}
	return n, err
}

// parseTargetPort reads the port of an ingress; 0 is the one that is found.
func parseTargetPort(s string) (int, error) {
	if n, err := strconv.Atoi(s); n == 0 && err == nil {
		return 0, nil
	}
	return parsePort(s)
}

// memoryFlag is an amount of memory; a number alone is in Gi, as az takes it.
type memoryFlag struct{ value *string }

// Set implements pflag.Value.
func (m memoryFlag) Set(s string) error {
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		s += "Gi"
	}
	*m.value = s
	return nil
}

// String implements pflag.Value.
func (m memoryFlag) String() string {
	if m.value == nil {
		return ""
	}
	return *m.value
}

// Type implements pflag.Value.
func (m memoryFlag) Type() string { return "string" }

// portFlag is a port that is 0 unless given.
type portFlag struct{ value *int }

// Set implements pflag.Value.
func (p portFlag) Set(s string) (err error) {
	*p.value, err = parsePort(s)
	return notANumber(s, err)
}

// String implements pflag.Value.
func (p portFlag) String() string {
	if p.value == nil || *p.value == 0 {
		return ""
	}
	return strconv.Itoa(*p.value)
}

// Type implements pflag.Value.
func (p portFlag) Type() string { return "port" }

// notANumber says what strconv's errors mean; others say it themselves.
func notANumber(s string, err error) error {
	var syntax *strconv.NumError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%q is not a number", s)
	}
	return err
}

func parseFloat(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

// optional is a flag that is nil unless given.
type optional[T any] struct {
	value **T
	parse func(string) (T, error)
	kind  string
}

// Set implements pflag.Value.
func (o optional[T]) Set(s string) error {
	v, err := o.parse(s)
	if err != nil {
		return notANumber(s, err)
	}
	*o.value = &v
	return nil
}

// String implements pflag.Value.
func (o optional[T]) String() string {
	if o.value == nil || *o.value == nil {
		return ""
	}
	return fmt.Sprint(**o.value)
}

// Type implements pflag.Value.
func (o optional[T]) Type() string { return o.kind }

// wordsFlag is a flag for a list of words. One that is given alone is split as
// a shell splits words; several are taken as they are, as az takes them. An
// empty text is an empty list, which is not the same as none.
type wordsFlag struct {
	words *[]string
	given []string
}

// Set implements pflag.Value.
func (w *wordsFlag) Set(s string) error {
	w.given = append(w.given, s)
	if len(w.given) > 1 {
		*w.words = slices.Clone(w.given)
		return nil
	}
	words, err := splitWords(s)
	if err != nil {
		return err
	}
	*w.words = append([]string{}, words...)
	return nil
}

// String implements pflag.Value.
func (w *wordsFlag) String() string {
	if w.words == nil || *w.words == nil {
		return ""
	}
	return fmt.Sprint(*w.words)
}

// Type implements pflag.Value.
func (w *wordsFlag) Type() string { return "words" }
