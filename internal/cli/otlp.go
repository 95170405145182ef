package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/acalocal/acalocal/internal/otlp"
	"github.com/spf13/cobra"
)

// otlpVariable is the base URL of a collector that a daemon sends rows to.
// otlpHeadersVariable are the headers it sends with them, as OpenTelemetry has
// them: name=value, separated by commas.
const (
	otlpVariable        = "ACALOCAL_OTLP_ENDPOINT"
	otlpHeadersVariable = "OTEL_EXPORTER_OTLP_HEADERS"
)

// bindOTLP adds --otlp-endpoint, which sets the variable for the daemon this
// command starts.
func bindOTLP(cmd *cobra.Command) {
	cmd.Flags().Var(otlpFlag{}, "otlp-endpoint", "send all log rows to the OpenTelemetry collector at this `URL` too, such as http://localhost:4318; of an environment that does not run yet")
}

// otlpFlag keeps its value in the environment of the process, as timeScaleFlag
// does.
type otlpFlag struct{}

// Set implements pflag.Value.
func (otlpFlag) Set(s string) error {
	if err := otlp.Check(s); err != nil {
		return err
	}
	return os.Setenv(otlpVariable, s)
}

// String implements pflag.Value.
func (otlpFlag) String() string { return "" }

// Type implements pflag.Value.
func (otlpFlag) Type() string { return "URL" }

// useOTLP is what acalocal.yaml says; a flag or a variable wins.
func useOTLP(endpoint string) error {
	if endpoint == "" || os.Getenv(otlpVariable) != "" {
		return nil
	}
	return os.Setenv(otlpVariable, endpoint)
}

// otlpEndpoint is where a daemon that starts now sends rows, and with what
// headers.
func otlpEndpoint() (endpoint string, headers map[string]string, err error) {
	if endpoint = os.Getenv(otlpVariable); endpoint == "" {
		return "", nil, nil
	}
	if err := otlp.Check(endpoint); err != nil {
		return "", nil, misuse(fmt.Errorf("%s: %w", otlpVariable, err), "unset it, or set it to a URL such as http://localhost:4318")
	}
	headers = map[string]string{}
	for _, pair := range strings.Split(os.Getenv(otlpHeadersVariable), ",") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return endpoint, headers, nil
}
