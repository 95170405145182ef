package schema

// descriptions are by type and key.
var descriptions = map[string]string{
	"ContainerApp.name":       "2 to 32 characters: lower case letters, digits and dashes, beginning with a letter, no --",
	"ContainerApp.properties": "configuration applies to all revisions; a change of template makes a new one",

	"AppProperties.environmentId":        "resource id of the environment",
	"AppProperties.managedEnvironmentId": "the older name of environmentId",
	"AppProperties.workloadProfileName":  "Consumption unless the environment has others",
	"AppProperties.configuration":        "what applies to all revisions of the app",
	"AppProperties.template":             "what a revision is a snapshot of",

	"Configuration.activeRevisionsMode":  "Single: one revision has all traffic. Multiple: traffic divides it",
	"Configuration.maxInactiveRevisions": "how many retired revisions are kept; 100 by default",
	"Configuration.ingress":              "the endpoint of the app; without it nobody can call it",
	"Configuration.secrets":              "a changed value is seen after a restart or by the next revision",

	"Ingress.external":               "true: reachable from outside. false: only by apps of the same environment",
	"Ingress.targetPort":             "the port the container listens on; left out or 0 it is detected",
	"Ingress.exposedPort":            "for transport tcp: the port the environment listens on, not 80 or 443",
	"Ingress.transport":              "protocol towards the container: auto and http are HTTP/1.1, http2 is needed for gRPC, tcp is raw",
	"Ingress.allowInsecure":          "serve plain HTTP instead of redirecting it to HTTPS",
	"Ingress.additionalPortMappings": "up to five more TCP ports",
	"Ingress.traffic":                "weights in percent that sum to 100; needs activeRevisionsMode Multiple",
	"Ingress.stickySessions":         "pins a client to a replica with a cookie; single revision mode only",

	"Secret.keyVaultUrl":           "https://<vault>.vault.azure.net/secrets/<name>, with identity",
	"TrafficWeight.latestRevision": "the latest revision that is ready",

	"Template.revisionSuffix":                "must change with every change of the template once it is set",
	"Template.terminationGracePeriodSeconds": "0 to 600, 30 by default: from SIGTERM to SIGKILL",
	"Template.initContainers":                "run one after the other before the others start; each must end with 0",

	"Container.command":         "replaces the image's ENTRYPOINT and its CMD; a list, no shell splits it",
	"Container.args":            "replaces the image's CMD",
	"Container.probes":          "one of each type; with ingress, TCP probes on the target port fill in the missing types",
	"EnvVar.value":              "$(NAME) is replaced by an earlier variable, $$ by $",
	"EnvVar.secretRef":          "name of a secret of configuration.secrets",
	"Resources.cpu":             "in cores; the sum over all containers must be a pair with memory: 0.25/0.5Gi, 0.5/1Gi, … 4/8Gi",
	"Resources.memory":          "in Gi, at most two decimals: 0.5Gi",
	"Probe.initialDelaySeconds": "0 to 60, 0 by default",
	"Probe.periodSeconds":       "1 to 240, 10 by default",
	"Probe.timeoutSeconds":      "1 to 240, 1 by default",
	"Probe.successThreshold":    "1 to 10, must be 1 for Startup and Liveness",
	"Probe.failureThreshold":    "3 by default; up to 240 for Startup, 48 for Readiness, 30 for Liveness",

	"Scale.minReplicas":     "0 by default: the first request after a rest waits for a cold start",
	"Scale.maxReplicas":     "1 to 1000, 10 by default",
	"Scale.cooldownPeriod":  "seconds from the last event until the last replica goes, 300 by default",
	"Scale.pollingInterval": "seconds between looks at a queue or event source, 30 by default",
	"Volume.storageType":    "EmptyDir lives as long as the replica",
	"Volume.storageName":    "a storage of the environment, for AzureFile and NfsAzureFile",
	"VolumeMount.subPath":   "a directory inside the volume",
}
