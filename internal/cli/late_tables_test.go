package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/spf13/cobra"
)

// noSettings unsets what a daemon takes when it starts, for one test.
func noSettings(t *testing.T) {
	for _, v := range []string{otlpVariable, ingestionDelayVariable, uploadTimesVariable, strictTablesVariable, jsonColumnsVariable, queryMaxRowsVariable, queryMaxSizeVariable} {
		t.Setenv(v, "")
	}
}

func TestLateTablesReachTheDaemonByTheEnvironment(t *testing.T) {
	yaml := config.Environment{IngestionDelay: 2 * time.Minute, UploadTimes: true, StrictTables: true}
	for _, c := range []struct {
		name   string
		args   []string
		env    config.Environment
		delay  time.Duration
		strict bool // and times of uploads
		wrong  bool
	}{
		{name: "off"},
		{name: "flags", args: []string{"--ingestion-delay=90s", "--upload-times", "--strict-tables"}, delay: 90 * time.Second, strict: true},
		{name: "file", env: yaml, delay: 2 * time.Minute, strict: true},
		{name: "flags over the file", args: []string{"--ingestion-delay=0s", "--upload-times=false", "--strict-tables=false"}, env: yaml},
		{name: "no duration", args: []string{"--ingestion-delay=soon"}, wrong: true},
		{name: "too long", args: []string{"--ingestion-delay=25h"}, wrong: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			noSettings(t)
			cmd := &cobra.Command{}
			bindLateTables(cmd)
			if err := cmd.ParseFlags(c.args); (err != nil) != c.wrong {
				t.Fatalf("parse: %v", err)
			}
			if err := useLateTables(&c.env); err != nil {
				t.Fatal(err)
			}
			delay, err := ingestionDelay()
			if strict := variableSwitch(strictTablesVariable).on(); err != nil || delay != c.delay || strict != c.strict {
				t.Errorf("delay %s, strict %v, %v", delay, strict, err)
			}
			if uploads := variableSwitch(uploadTimesVariable).on(); uploads != c.strict {
				t.Errorf("times of uploads %v", uploads)
			}
		})
	}
	apart := config.Environment{Resource: &aca.ManagedEnvironment{Properties: aca.EnvironmentProperties{
		AppLogsConfiguration: &aca.AppLogsConfiguration{Destination: "log-analytics", LogAnalyticsConfiguration: &aca.LogAnalyticsConfiguration{DynamicJSONColumns: true}},
	}}}
	for _, c := range []struct {
		destination, flag string
		want              bool
	}{{"log-analytics", "", true}, {"azure-monitor", "", false}, {"log-analytics", "--logs-dynamic-json-columns=false", false}, {"", "--logs-dynamic-json-columns", true}} {
		noSettings(t)
		apart.Resource.Properties.AppLogsConfiguration.Destination = c.destination
		cmd := &cobra.Command{}
		bindLateTables(cmd)
		if err := cmd.ParseFlags(strings.Fields(c.flag)); err != nil {
			t.Fatal(err)
		}
		if err := useLateTables(&apart); err != nil || variableSwitch(jsonColumnsVariable).on() != c.want {
			t.Errorf("%q with %q: JSON columns %v, %v", c.destination, c.flag, !c.want, err)
		}
	}
	t.Setenv(ingestionDelayVariable, "soon")
	if _, err := ingestionDelay(); err == nil {
		t.Error("a variable that is no duration passes")
	}
}

func TestUpWarnsOfSettingsThatComeTooLate(t *testing.T) {
	const warning = `warning: --otlp-endpoint has no effect: environment dev keeps what it was started with; "acalocal down" and "acalocal up" change that` + "\n"
	for _, c := range []struct {
		name, endpoint string
		info           api.Info
		started        bool
		want           string
	}{
		{name: "nobody asks"},
		{name: "nobody asks, but it has one", info: api.Info{OTLPEndpoint: "http://localhost:4318"}},
		{name: "it runs without one", endpoint: "http://localhost:4318", want: warning},
		{name: "it starts now", endpoint: "http://localhost:4318", started: true},
		{name: "it has it", endpoint: "http://u:p@localhost:4318", info: api.Info{OTLPEndpoint: "http://u:xxxxx@localhost:4318"}},
		{name: "it has another", endpoint: "http://localhost:4318", info: api.Info{OTLPEndpoint: "http://localhost:4319"}, want: warning},
	} {
		t.Run(c.name, func(t *testing.T) {
			noSettings(t)
			t.Setenv(otlpVariable, c.endpoint)
			var out bytes.Buffer
			u := &upRun{s: Streams{Err: &out}, env: home.At(t.TempDir()).Environment("dev"), started: c.started}
			u.warnLateSettings(c.info)
			u.warnLateSettings(c.info) // of what was saved meanwhile: said once
			if out.String() != c.want {
				t.Errorf("warns %q, want %q", out.String(), c.want)
			}
		})
	}
}

func TestSettingsOfTablesComeTooLateToo(t *testing.T) {
	noSettings(t)
	t.Setenv(ingestionDelayVariable, "120s")
	t.Setenv(uploadTimesVariable, "1")
	t.Setenv(strictTablesVariable, "1")
	t.Setenv(jsonColumnsVariable, "1")
	if got := lateSettings(api.Info{}); !slices.Equal(got, []string{"ingestion-delay", "upload-times", "strict-tables", "logs-dynamic-json-columns"}) {
		t.Errorf("%v come too late", got)
	}
	if got := lateSettings(api.Info{IngestionDelay: 2 * time.Minute, UploadTimes: true, StrictTables: true, DynamicJSONColumns: true}); len(got) != 0 {
		t.Errorf("%v come too late for a daemon that has them", got)
	}
	t.Setenv(ingestionDelayVariable, "0s")
	t.Setenv(uploadTimesVariable, "0")
	t.Setenv(strictTablesVariable, "0")
	t.Setenv(jsonColumnsVariable, "")
	if got := lateSettings(api.Info{IngestionDelay: time.Minute, StrictTables: true}); !slices.Equal(got, []string{"ingestion-delay", "strict-tables"}) {
		t.Errorf("switched off, %v come too late", got)
	}
}

func TestATableThatDoesNotExistYetIsExplained(t *testing.T) {
	var out bytes.Buffer
	writeQueryHint(&out, "ContainerAppConsoleLogs_CL | count", []api.ErrorDetail{{Code: "KS204", Target: "0+26"}})
	if want := "hint: with --strict-tables it exists from the first row on that can be found\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestATableOfAzureAloneIsNotExplainedAsLate(t *testing.T) {
	var out bytes.Buffer
	writeQueryHint(&out, "AzureActivity | count", []api.ErrorDetail{{Code: "KS204", Target: "0+13"}})
	if got := out.String(); !strings.HasPrefix(got, "hint: the tables are AppDependencies, ") || strings.Contains(got, "AzureActivity") {
		t.Errorf("got %q", got)
	}
}
