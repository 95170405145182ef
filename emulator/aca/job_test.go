package aca

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJobValidate(t *testing.T) {
	const containers = `"template":{"containers":[{"name":"job","image":"j:1"}]}`
	const invalid = ": ContainerAppInvalidValue: "
	tests := []struct {
		properties string
		want       []string
	}{
		{`"configuration":{"triggerType":"manual","replicaTimeout":"60","manualTriggerConfig":{"parallelism":0}},` + containers, nil},
		{`"configuration":{"triggerType":"Schedule","replicaTimeout":60,"scheduleTriggerConfig":{"cronExpression":"*/5 * * * MON-FRI"}},` + containers, nil},
		{`"configuration":{"triggerType":"Schedule","replicaTimeout":60,"scheduleTriggerConfig":{"cronExpression":"every day"}},` + containers,
			[]string{"properties.configuration.scheduleTriggerConfig.cronExpression" + invalid + `"every day" is not a cron expression → minute hour day month weekday, in UTC; for example "0 4 * * *"`}},
		{`"configuration":{"triggerType":"Event","replicaTimeout":0},` + containers, []string{
			"properties.configuration.replicaTimeout" + invalid + "0 is out of range → 1 to 2147483647",
			"properties.configuration" + invalid + "triggerType Event needs eventTriggerConfig"}},
		{`"template":{}`, []string{
			"properties.configuration" + invalid + "the job has no replicaTimeout → seconds an execution may take, for example 1800",
			"properties.configuration" + invalid + "the job has no triggerType → Manual, Schedule or Event",
			"properties.template.containers: ContainerAppCreateMustContainContainer: Must specify atleast one container for the container app."}},
		{`"configuration":{"triggerType":"Manual","replicaTimeout":60},"template":{"containers":[{"name":"job","image":"j","env":[{"name":"A","secretRef":"s"}]}]}`, []string{
			"properties.template.containers[0].env[0].secretRef: ContainerAppSecretRefNotFound: SecretRef 's' defined for container 'job' not found. → define it under properties.configuration.secrets"}},
	}
	for _, test := range tests {
		t.Run(test.properties, func(t *testing.T) {
			job, problems := DecodeJSON[Job]([]byte(`{"name":"nightly","properties":{` + test.properties + `}}`))
			if diff := cmp.Diff(test.want, lines(append(problems, job.Validate()...))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}
