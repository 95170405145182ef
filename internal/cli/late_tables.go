package cli

import (
	"fmt"
	"os"
	"time"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/otlp"
	"github.com/spf13/cobra"
)

// How queries see the log tables of a daemon that starts now, for those who want
// to practise what Azure asks of them.
const (
	// ingestionDelayVariable is how old a row is when queries first find it.
	ingestionDelayVariable = "ACALOCAL_INGESTION_DELAY"
	// uploadTimesVariable shows when Azure's collector would have sent a row,
	// when it is 1.
	uploadTimesVariable = "ACALOCAL_UPLOAD_TIMES"
	// strictTablesVariable lets a _CL table exist only from its first row on,
	// when it is 1.
	strictTablesVariable = "ACALOCAL_STRICT_TABLES"
	// jsonColumnsVariable takes the JSON lines of a _CL table apart, when it is 1.
	jsonColumnsVariable = "ACALOCAL_DYNAMIC_JSON_COLUMNS"
)

// bindLateTables adds --ingestion-delay, --upload-times, --strict-tables and
// --logs-dynamic-json-columns, which set the variables for the daemon this command
// starts. The last is az's, of "containerapp env create".
func bindLateTables(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(ingestionDelayFlag{}, "ingestion-delay", "let queries find log rows this `DURATION` after they were written, such as 2m, to practise Azure's; at most 24h; of an environment that does not run yet")
	f.Var(variableSwitch(uploadTimesVariable), "upload-times", "show as TimeGenerated of _CL log tables when Azure's collector would have sent a row, 1 to 2.5 s after time_t, the same for all rows of a second; of an environment that does not run yet")
	f.Lookup("upload-times").NoOptDefVal = "true"
	f.Var(variableSwitch(strictTablesVariable), "strict-tables", "let _CL log tables not exist before their first row, as on Azure; of an environment that does not run yet")
	f.Lookup("strict-tables").NoOptDefVal = "true"
	f.Var(variableSwitch(jsonColumnsVariable), "logs-dynamic-json-columns", "show the fields of JSON lines as columns of ContainerAppConsoleLogs_CL, as dynamicJsonColumns of an environment does; of one that does not run yet")
	f.Lookup("logs-dynamic-json-columns").NoOptDefVal = "true"
}

// ingestionDelayFlag keeps its value in the environment of the process, as
// timeScaleFlag does.
type ingestionDelayFlag struct{}

// Set implements pflag.Value.
func (ingestionDelayFlag) Set(s string) error {
	if _, err := config.ParseIngestionDelay(s); err != nil {
		return err
	}
	return os.Setenv(ingestionDelayVariable, s)
}

// String implements pflag.Value.
func (ingestionDelayFlag) String() string { return "" }

// Type implements pflag.Value.
func (ingestionDelayFlag) Type() string { return "DURATION" }

// useLateTables is what acalocal.yaml and the environment's definition say; a flag
// or a variable wins.
func useLateTables(env *config.Environment) error {
	if env.IngestionDelay > 0 && os.Getenv(ingestionDelayVariable) == "" {
		if err := os.Setenv(ingestionDelayVariable, env.IngestionDelay.String()); err != nil {
			return err
		}
	}
	if env.UploadTimes && os.Getenv(uploadTimesVariable) == "" {
		if err := os.Setenv(uploadTimesVariable, "1"); err != nil {
			return err
		}
	}
	if env.StrictTables && os.Getenv(strictTablesVariable) == "" {
		if err := os.Setenv(strictTablesVariable, "1"); err != nil {
			return err
		}
	}
	if env.DynamicJSONColumns() && os.Getenv(jsonColumnsVariable) == "" {
		return os.Setenv(jsonColumnsVariable, "1")
	}
	return nil
}

// ingestionDelay is the delay of a daemon that starts now; 0 is none.
func ingestionDelay() (time.Duration, error) {
	s := os.Getenv(ingestionDelayVariable)
	if s == "" {
		return 0, nil
	}
	d, err := config.ParseIngestionDelay(s)
	if err != nil {
		return 0, misuse(fmt.Errorf("%s: %w", ingestionDelayVariable, err), "unset it, or set it to a duration such as 2m")
	}
	return d, nil
}

// lateSettings are the flags whose values, however they were set, differ from
// those a daemon that runs was started with. What nobody asked for is not among
// them.
func lateSettings(info api.Info) (flags []string) {
	if want := os.Getenv(otlpVariable); want != "" && otlp.Shown(want) != info.OTLPEndpoint {
		flags = append(flags, "otlp-endpoint")
	}
	if os.Getenv(ingestionDelayVariable) != "" {
		if want, err := ingestionDelay(); err != nil || want != info.IngestionDelay {
			flags = append(flags, "ingestion-delay")
		}
	}
	if os.Getenv(uploadTimesVariable) != "" && variableSwitch(uploadTimesVariable).on() != info.UploadTimes {
		flags = append(flags, "upload-times")
	}
	if os.Getenv(strictTablesVariable) != "" && variableSwitch(strictTablesVariable).on() != info.StrictTables {
		flags = append(flags, "strict-tables")
	}
	if os.Getenv(jsonColumnsVariable) != "" && variableSwitch(jsonColumnsVariable).on() != info.DynamicJSONColumns {
		flags = append(flags, "logs-dynamic-json-columns")
	}
	return append(flags, lateLimits(info)...)
}
