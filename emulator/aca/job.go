package aca

import (
	"fmt"
	"strings"
)

// Job is one job: Microsoft.App/jobs. Jobs are read and checked; the emulator
// runs none.
type Job struct {
	ID               string            `json:"id,omitempty" aca:"readonly"`
	Name             string            `json:"name,omitempty"`
	Type             string            `json:"type,omitempty"`
	Location         string            `json:"location,omitempty"`
	Tags             map[string]string `json:"tags,omitempty" aca:"scalar"`
	Identity         *Identity         `json:"identity,omitempty"`
	ExtendedLocation *ExtendedLocation `json:"extendedLocation,omitempty"`
	SystemData       *SystemData       `json:"systemData,omitempty" aca:"readonly"`
	ResourceGroup    string            `json:"resourceGroup,omitempty"`
	Properties       JobProperties     `json:"properties"`
}

// JobProperties is what a job is made of.
type JobProperties struct {
	EnvironmentID       string           `json:"environmentId,omitempty"`
	WorkloadProfileName string           `json:"workloadProfileName,omitempty"`
	Configuration       JobConfiguration `json:"configuration"`
	Template            JobTemplate      `json:"template"`

	ProvisioningState   string   `json:"provisioningState,omitempty" aca:"readonly"`
	RunningState        string   `json:"runningState,omitempty" aca:"readonly"`
	OutboundIPAddresses []string `json:"outboundIpAddresses,omitempty" aca:"readonly"`
	EventStreamEndpoint string   `json:"eventStreamEndpoint,omitempty" aca:"readonly"`
}

// TriggerType says what starts a job.
type TriggerType string

// The trigger types.
const (
	TriggerManual   TriggerType = "Manual"
	TriggerSchedule TriggerType = "Schedule"
	TriggerEvent    TriggerType = "Event"
)

// JobConfiguration says when a job runs and how long it may take.
type JobConfiguration struct {
	TriggerType           TriggerType       `json:"triggerType" aca:"required" enum:"Manual|Schedule|Event"`
	ReplicaTimeout        *int              `json:"replicaTimeout,omitempty" aca:"required"` // seconds
	ReplicaRetryLimit     *int              `json:"replicaRetryLimit,omitempty"`
	ManualTriggerConfig   *ManualTrigger    `json:"manualTriggerConfig,omitempty"`
	ScheduleTriggerConfig *ScheduleTrigger  `json:"scheduleTriggerConfig,omitempty"`
	EventTriggerConfig    *EventTrigger     `json:"eventTriggerConfig,omitempty"`
	Secrets               []Secret          `json:"secrets,omitempty"`
	Registries            []Registry        `json:"registries,omitempty"`
	IdentitySettings      []IdentitySetting `json:"identitySettings,omitempty"`
}

// ManualTrigger starts a job by hand. az sends 0 for a count that is not given;
// it means 1.
type ManualTrigger struct {
	ReplicaCompletionCount *int `json:"replicaCompletionCount,omitempty"`
	Parallelism            *int `json:"parallelism,omitempty"`
}

// ScheduleTrigger starts a job by the clock. CronExpression has five fields,
// in UTC.
type ScheduleTrigger struct {
	CronExpression         string `json:"cronExpression" aca:"required"`
	ReplicaCompletionCount *int   `json:"replicaCompletionCount,omitempty"`
	Parallelism            *int   `json:"parallelism,omitempty"`
}

// EventTrigger starts executions by the length of a queue or its like.
type EventTrigger struct {
	ReplicaCompletionCount *int      `json:"replicaCompletionCount,omitempty"`
	Parallelism            *int      `json:"parallelism,omitempty"`
	Scale                  *JobScale `json:"scale,omitempty"`
}

// JobScale bounds the executions of a job that events start.
type JobScale struct {
	PollingInterval *int           `json:"pollingInterval,omitempty"`
	MinExecutions   *int           `json:"minExecutions,omitempty"`
	MaxExecutions   *int           `json:"maxExecutions,omitempty"`
	Rules           []JobScaleRule `json:"rules,omitempty"`
}

// JobScaleRule is one KEDA scaler.
type JobScaleRule struct {
	Name     string          `json:"name" aca:"required"`
	Type     string          `json:"type,omitempty" aca:"required"`
	Metadata map[string]any  `json:"metadata,omitempty"`
	Auth     []ScaleRuleAuth `json:"auth,omitempty"`
	Identity string          `json:"identity,omitempty"`
}

// JobTemplate is what one execution of a job runs.
type JobTemplate struct {
	InitContainers []Container `json:"initContainers,omitempty"`
	Containers     []Container `json:"containers,omitempty" aca:"required"`
	Volumes        []Volume    `json:"volumes,omitempty"`
}

// Validate reports what Azure would refuse in the job.
func (j *Job) Validate() []Problem {
	// The containers of a job follow the rules of an app's.
	v := &validator{secrets: map[string]bool{}, app: &ContainerApp{Name: j.Name, Identity: j.Identity,
		Properties: AppProperties{WorkloadProfileName: j.Properties.WorkloadProfileName}}}
	v.name()
	v.identity()
	c, path := &j.Properties.Configuration, Path("properties.configuration")
	v.secretList(c.Secrets, path.Field("secrets"))
	v.registries(c.Registries, path.Field("registries"))
	v.jobTrigger(c, path)
	t := &Template{InitContainers: j.Properties.Template.InitContainers, Containers: j.Properties.Template.Containers, Volumes: j.Properties.Template.Volumes}
	v.template(t, "properties.template")
	return v.problems
}

func (v *validator) jobTrigger(c *JobConfiguration, path Path) {
	if c.ReplicaTimeout == nil {
		v.errorf(path, codeInvalidValue, "the job has no replicaTimeout").Hint = "seconds an execution may take, for example 1800"
	}
	v.rangeOf(path.Field("replicaTimeout"), c.ReplicaTimeout, 1, 1<<31-1)
	v.rangeOf(path.Field("replicaRetryLimit"), c.ReplicaRetryLimit, 0, 1<<20)
	switch c.TriggerType {
	case "":
		v.errorf(path, codeInvalidValue, "the job has no triggerType").Hint = "Manual, Schedule or Event"
	case TriggerSchedule:
		if c.ScheduleTriggerConfig == nil {
			v.errorf(path, codeInvalidValue, "triggerType Schedule needs scheduleTriggerConfig")
			return
		}
		v.cron(path.Field("scheduleTriggerConfig").Field("cronExpression"), c.ScheduleTriggerConfig.CronExpression)
	case TriggerEvent:
		if c.EventTriggerConfig == nil {
			v.errorf(path, codeInvalidValue, "triggerType Event needs eventTriggerConfig")
		}
	}
}

// cron checks the form of an expression: five fields of digits, *, lists,
// ranges, steps and names. That it ever fires Azure does not check either.
func (v *validator) cron(path Path, expression string) {
	fields := strings.Fields(expression)
	bad := len(fields) != 5
	for _, f := range fields {
		bad = bad || strings.Trim(strings.ToUpper(f), "0123456789*,-/?LW#ABCDEFGHIJKMNOPQRSTUVXYZ") != ""
	}
	if bad {
		v.errorf(path, codeInvalidValue, "%q is not a cron expression", clip(expression)).
			Hint = fmt.Sprintf("minute hour day month weekday, in UTC; for example %q", "0 4 * * *")
	}
}
