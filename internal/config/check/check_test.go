package check

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the pages of docs/rules")

// project is the files of one app; the flow-style fields go into its
// definition, whose lines are always the same: configuration is line 3,
// template line 4, the main container line 5, further containers line 6.
type project struct {
	configuration string // default: external ingress on 8000
	template      string // fields beside containers
	container     string // fields of the main container beside name and image
	more          string // further containers
	image         string
	dockerfile    string
	files         map[string]string
	running       *Running
}

// withAgent is an environment with an OpenTelemetry agent beside the app.
var withAgent = map[string]string{
	"acalocal.yaml": "files: [env.yaml, containerapp.yaml]\n",
	"env.yaml": "type: Microsoft.App/managedEnvironments\nname: cae\nproperties:\n  appInsightsConfiguration: {connectionString: x}\n" +
		"  openTelemetryConfiguration: {tracesConfiguration: {destinations: [appInsights]}}\n",
}

func (p project) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	text := "name: web\nproperties:\n  configuration: {" + or2(p.configuration, "ingress: {external: true, targetPort: 8000}") + "}\n" +
		"  template: {" + or2(p.template, "scale: {minReplicas: 1, maxReplicas: 2}") + ", containers: [\n" +
		"    {name: web, image: \"" + or2(p.image, "acme/web:1") + "\"" + comma(p.container) + "},\n" +
		"    " + p.more + "]}\n"
	files := map[string]string{"containerapp.yaml": text}
	if p.dockerfile != "" {
		files["Dockerfile"] = p.dockerfile
	}
	for name, text := range p.files {
		files[name] = text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func or2(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func comma(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}

func run(t *testing.T, dir string) []Finding { return runWith(t, dir, nil) }

func runWith(t *testing.T, dir string, running *Running) []Finding {
	t.Helper()
	def, problems := config.Load(t.Context(), dir, config.Overrides{SkipCommands: true})
	return Run(def, problems, map[string]*Running{"web": running})
}

// summary prints findings one a line: file:line severity rule: message.
func summary(dir string, findings []Finding) []string {
	var lines []string
	for _, f := range findings {
		file := strings.TrimPrefix(f.Position.File, dir+string(filepath.Separator))
		f.Position.File, f.Position.Column = file, 1
		lines = append(lines, strings.TrimSuffix(f.Position.String(), ":1")+" "+f.Severity.String()+" "+f.Rule+": "+f.Message)
	}
	return lines
}

const python = "FROM python:3.11-slim\nENV PYTHONUNBUFFERED=1\nEXPOSE 8000\n"

var cases = []struct {
	name string
	p    project
	want []string
}{
	{"nothing to say", project{container: `probes: [{type: Readiness, httpGet: {path: /health, port: 8000}, timeoutSeconds: 3}, {type: Liveness, httpGet: {path: /health, port: 8000}, periodSeconds: 20, timeoutSeconds: 3}]`,
		dockerfile: python + `CMD ["gunicorn", "--bind", "0.0.0.0:8000", "--workers", "4", "--timeout", "120", "--access-logfile", "-", "app:app"]`}, nil},

	{"startup budget", project{container: `probes: [{type: Startup, httpGet: {port: 8000}, periodSeconds: 5, timeoutSeconds: 3}, {type: Readiness, tcpSocket: {port: 8000}}]`},
		[]string{"containerapp.yaml:5 warning probe-startup-budget: the startup probe of web gives up after 15 s"}},
	{"liveness without startup", project{configuration: `activeRevisionsMode: Single`, container: `probes: [{type: Liveness, tcpSocket: {port: 9}, periodSeconds: 5}]`},
		[]string{"containerapp.yaml:5 warning probe-liveness-without-startup: nothing protects the start of web: liveness kills it after 15 s"}},
	{"liveness stricter", project{container: `probes: [{type: Readiness, tcpSocket: {port: 8000}, failureThreshold: 6}, {type: Liveness, tcpSocket: {port: 8000}}]`},
		[]string{"containerapp.yaml:5 warning probe-liveness-stricter-than-readiness: liveness of web gives up after 30 s, readiness after 60 s"}},
	{"liveness asks dependencies", project{container: `probes: [{type: Readiness, tcpSocket: {port: 8000}}, {type: Liveness, httpGet: {path: /health/ready, port: 8000}, timeoutSeconds: 3}]`},
		[]string{"containerapp.yaml:5 warning probe-liveness-checks-dependencies: liveness of web asks /health/ready"}},
	{"probe port", project{container: `command: [app, --port, "8000"], probes: [{type: Readiness, tcpSocket: {port: 8000}}, {type: Liveness, tcpSocket: {port: 9999}}]`},
		[]string{"containerapp.yaml:5 warning probe-port: the Liveness probe asks port 9999; known ports of the app are 8000"}},
	{"timeout default", project{container: `probes: [{type: Readiness, tcpSocket: {port: 8000}}, {type: Liveness, httpGet: {port: 8000}}]`},
		[]string{"containerapp.yaml:5 note probe-timeout-default: the Liveness probe of web must be answered within 1 s"}},
	{"delay instead of startup", project{container: `probes: [{type: Readiness, tcpSocket: {port: 8000}}, {type: Liveness, tcpSocket: {port: 8000}, initialDelaySeconds: 45}]`},
		[]string{"containerapp.yaml:5 note probe-delay-instead-of-startup: the Liveness probe of web waits 45 s at every start"}},
	{"readiness missing", project{container: `probes: [{type: Liveness, tcpSocket: {port: 8000}}]`},
		[]string{"containerapp.yaml:5 note probe-readiness-missing: web has probes but none for readiness"}},
	{"timeout above period", project{container: `probes: [{type: Readiness, tcpSocket: {port: 8000}, periodSeconds: 5, timeoutSeconds: 6}]`},
		[]string{"containerapp.yaml:5 note probe-period-shorter-than-timeout: the Readiness probe of web may take 6 s but is made every 5 s"}},

	{"target port", project{dockerfile: python + `CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "3000"]`},
		[]string{"containerapp.yaml:3 warning ingress-target-port: targetPort is 8000, but the command listens on 3000"}},
	{"target port and EXPOSE", project{dockerfile: "FROM scratch\nEXPOSE 80\nENTRYPOINT [\"/app\"]"},
		[]string{"containerapp.yaml:3 warning ingress-target-port: targetPort is 8000, but the Dockerfile exposes 80"}},
	{"loopback", project{container: `command: [gunicorn, -b, "127.0.0.1:8000", -w, "2", "app:app"]`},
		[]string{"containerapp.yaml:5 warning ingress-loopback-bind: the command binds 127.0.0.1, which the edge cannot reach"}},
	{"loopback and a variable", project{container: `command: [gunicorn, -b, "localhost:$PORT", -w, "2", "app:app"], env: [{name: PORT, value: "8000"}]`},
		[]string{"containerapp.yaml:5 warning ingress-loopback-bind: the command binds localhost, which the edge cannot reach"}},
	{"privileged port", project{configuration: `ingress: {external: true, targetPort: 80}`, dockerfile: "FROM nginx\nEXPOSE 80\nUSER 101\n"},
		[]string{"containerapp.yaml:3 warning ingress-privileged-port: targetPort is 80, but the image runs as 101"}},
	{"grpc", project{configuration: `ingress: {targetPort: 50051}`},
		[]string{"containerapp.yaml:3 warning ingress-grpc-needs-http2: port 50051 is gRPC's, but the transport is auto"}},
	{"sidecar on the ingress port", project{container: `env: [{name: PORT, value: "8000"}]`, more: `{name: proxy, image: "nginx:1.27", args: [--port=8000]}`},
		[]string{"containerapp.yaml:6 warning ingress-sidecar-port: web and proxy both use the ingress port 8000"}},
	{"weights", project{configuration: `activeRevisionsMode: Multiple, ingress: {targetPort: 8000, traffic: [{revisionName: web--a, weight: 100}]}`},
		[]string{"containerapp.yaml:3 warning ingress-weights-without-latest: all weights name older revisions; the one this definition makes gets no request"}},
	{"cors", project{configuration: `ingress: {targetPort: 8000, corsPolicy: {allowedOrigins: ["*"], allowCredentials: true}}`},
		[]string{"containerapp.yaml:3 warning ingress-cors-any-with-credentials: allowCredentials together with the origin *"}},
	{"over 240 s", project{container: `command: [gunicorn, --timeout=600, -w2, "app:app"]`},
		[]string{"containerapp.yaml:5 note ingress-request-over-240s: gunicorn allows a request 600 s, the edge cuts it after 240 s"}},

	{"latest", project{image: "acme/web"}, []string{"containerapp.yaml:5 warning image-latest-tag: acme/web is whatever was pushed last"}},
	{"registry port is no tag", project{image: "localhost:5000/web:latest"}, []string{"containerapp.yaml:5 warning image-latest-tag: localhost:5000/web:latest is whatever was pushed last"}},
	{"platform", project{dockerfile: "FROM --platform=linux/arm64 scratch\nEXPOSE 8000"}, []string{"Dockerfile:1 warning image-not-amd64: the image is built for linux/arm64"}},
	{"single string", project{container: `command: ["java -jar x.jar"]`}, []string{`containerapp.yaml:5 error command-single-string: "java -jar x.jar" is taken for the name of one file`}},
	{"shell form", project{dockerfile: "FROM scratch\nEXPOSE 8000\nCMD node server.js"}, []string{"Dockerfile:3 warning command-shell-form: a shell is PID 1; node gets no SIGTERM"}},
	{"shell with exec", project{dockerfile: "FROM scratch\nEXPOSE 8000\nCMD exec node server.js"}, nil},
	{"script that traps", project{dockerfile: "FROM python:3.11\nEXPOSE 8000\nENTRYPOINT [\"./run.sh\"]", files: map[string]string{"run.sh": "trap 'kill $pid' TERM\ngunicorn --workers 2 app:app &\nwait\n"}}, nil},
	{"script that does not", project{dockerfile: "FROM python:3.11\nEXPOSE 8000\nENTRYPOINT [\"./run.sh\"]", files: map[string]string{"run.sh": "#!/bin/sh\ngunicorn \\\n  --workers 2 app:app\n"}},
		[]string{"run.sh:2 warning command-shell-form: a shell is PID 1; gunicorn gets no SIGTERM"}},
	{"hidden CMD", project{container: `command: ["/run"]`, dockerfile: "FROM scratch\nEXPOSE 8000\nENTRYPOINT [\"/run\"]\nCMD [\"serve\"]"},
		[]string{`containerapp.yaml:5 note command-hides-cmd: the image's CMD (["serve"]) is ignored`}},
	{"log file", project{container: `command: [gunicorn, -w, "2", --access-logfile, /var/log/access.log, "app:app"]`},
		[]string{"containerapp.yaml:5 warning log-file-only: --access-logfile writes to /var/log/access.log"}},
	{"a shell that ends with exec", project{container: `command: [sh, -c, "export A=1 && cd /app; exec app"]`}, nil},
	{"redirected output", project{container: `command: [sh, -c, "exec app > /tmp/app.log"]`}, []string{"containerapp.yaml:5 warning log-file-only: the output goes to /tmp/app.log"}},
	{"unbuffered", project{dockerfile: "FROM python:3.11\nEXPOSE 8000\nCMD [\"python\", \"app.py\"]"}, []string{"Dockerfile:1 note python-unbuffered: python runs with buffered output"}},

	{"workers and memory", project{container: `resources: {cpu: 0.25, memory: 0.5Gi}, command: [gunicorn, --workers, "9", "app:app"]`},
		[]string{"containerapp.yaml:5 warning workers-exceed-memory: 9 workers at about 110 Mi each do not fit into 0.5 Gi"}},
	{"workers from environment", project{container: `command: [gunicorn, "app:app"], env: [{name: WEB_CONCURRENCY, value: "20"}]`},
		[]string{"containerapp.yaml:5 warning workers-exceed-memory: 20 workers at about 110 Mi each do not fit into 1 Gi"}},
	{"workers and CPUs", project{dockerfile: python + `CMD ["gunicorn", "--config", "gunicorn.conf.py", "app:app"]`, files: map[string]string{"gunicorn.conf.py": "import os\nworkers = os.cpu_count() * 2 + 1\n"}},
		[]string{"gunicorn.conf.py:2 warning workers-from-cpu-count: the number of workers is taken from the CPUs of the node"}},
	{"single worker", project{container: `command: [gunicorn, "app:app"], probes: [{type: Readiness, tcpSocket: {port: 8000}}, {type: Liveness, httpGet: {port: 8000}, timeoutSeconds: 3}]`},
		[]string{"containerapp.yaml:5 warning workers-single: gunicorn runs one worker without threads, and an HTTP liveness probe asks it"}},
	{"grace", project{container: `command: [gunicorn, -w, "2", --graceful-timeout, "60", "app:app"]`},
		[]string{"containerapp.yaml:5 note grace-shorter-than-server: the server takes up to 60 s to stop, the platform gives it 30 s"}},

	{"PORT never set", project{dockerfile: "FROM python:3.11\nEXPOSE 8000\nCMD exec gunicorn -w 2 --bind 0.0.0.0:$PORT app:app"},
		[]string{"Dockerfile:3 error env-port-never-set: the command uses 0.0.0.0:$PORT, but nothing sets PORT"}},
	{"PORT ignored", project{container: `command: [gunicorn, -w2, --bind, "0.0.0.0:8000"], env: [{name: PORT, value: "9000"}]`},
		[]string{"containerapp.yaml:5 warning env-port-ignored: PORT is 9000, but the command listens on 8000"}},
	{"PORT not the target port", project{container: `env: [{name: PORT, value: "9000"}]`}, []string{"containerapp.yaml:5 warning env-port-not-target-port: PORT is 9000, targetPort is 8000"}},
	{"telemetry mode", project{configuration: `secrets: [{name: ai, value: x}], ingress: {targetPort: 8000}`,
		container: `env: [{name: APPLICATIONINSIGHTS_CONNECTION_STRING, secretRef: ai}, {name: TELEMETRY_MODE, value: basic}]`},
		[]string{`containerapp.yaml:5 warning env-appinsights-mode: the connection string is set, but TELEMETRY_MODE is "basic"`}},
	{"connection string of the environment", project{container: `env: [{name: TELEMETRY_MODE, value: advanced}]`, files: withAgent},
		[]string{"containerapp.yaml:5 warning env-appinsights-of-environment: the container has no APPLICATIONINSIGHTS_CONNECTION_STRING, the environment's is not handed to it"}},
	{"endpoint of the environment", project{container: `env: [{name: OTEL_SERVICE_NAME, value: shop}]`, files: withAgent},
		[]string{"containerapp.yaml:5 note env-otlp-endpoint: OTEL_SERVICE_NAME is for an SDK that some environments give no endpoint"}},
	{"endpoint of the app", project{files: withAgent,
		container: `env: [{name: OTEL_SERVICE_NAME, value: shop}, {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "$(CONTAINERAPP_OTEL_TRACING_GRPC_ENDPOINT)"}]`}, nil},
	{"secretref as text", project{container: `env: [{name: DB, value: "secretRef:db"}]`}, []string{`containerapp.yaml:5 error env-secretref-as-text: DB gets the text "secretRef:db", not the secret`}},
	{"plain secret", project{container: `env: [{name: DB_PASSWORD, value: correct-horse}]`}, []string{"containerapp.yaml:5 warning env-plain-secret: DB_PASSWORD has a plain value"}},
	{"reference", project{container: `env: [{name: A, value: "$(B)-$$(C)"}, {name: B, value: "$(CONTAINER_APP_NAME)"}]`},
		[]string{"containerapp.yaml:5 warning env-unknown-reference: $(B) stays as text: no variable of that name stands above A"}},
	{"dollars", project{configuration: `secrets: [{name: pw, value: "a$$b"}], ingress: {targetPort: 8000}`}, []string{"containerapp.yaml:3 warning secret-dollars: the value of pw holds $$ or $("}},
	{"suffix", project{template: `revisionSuffix: v1, scale: {minReplicas: 1}`}, []string{"containerapp.yaml:4 note revision-suffix-fixed: the next change of the template needs another suffix than v1"}},
	{"dapr", project{configuration: `dapr: {enabled: true, appId: web, appPort: 8081}, ingress: {targetPort: 8000}`}, []string{"containerapp.yaml:3 warning dapr-app-port: appPort is 8081, targetPort is 8000"}},
	{"hidden image", project{template: `volumes: [{name: v}], scale: {minReplicas: 1}`, container: `volumeMounts: [{volumeName: v, mountPath: /app}]`, dockerfile: "FROM scratch\nEXPOSE 8000\nWORKDIR /app/\n"},
		[]string{"containerapp.yaml:5 warning volume-hides-image: /app is the working directory of the image"}},
	{"locks", project{template: `volumes: [{name: v, storageType: AzureFile, storageName: s}], scale: {minReplicas: 1, maxReplicas: 3}`},
		[]string{"containerapp.yaml:4 note volume-smb-locks: v is shared by up to 3 replicas with SMB locks"}},

	{"zero and slow", project{template: `scale: {minReplicas: 0}`, container: `probes: [{type: Readiness, tcpSocket: {port: 8000}}, {type: Startup, tcpSocket: {port: 8000}, failureThreshold: 24}]`},
		[]string{"containerapp.yaml:4 warning scale-zero-slow-start: minReplicas is 0, but the Startup probe expects a start of up to 240 s"}},
	{"never wakes", project{configuration: `activeRevisionsMode: Single`, template: `scale: {maxReplicas: 1}`}, []string{"containerapp.yaml:4 error scale-never-wakes: web has no ingress, no scale rule and minReplicas 0"}},
	{"requests do not wake", project{template: `scale: {rules: [{name: q, azureQueue: {queueName: q, accountName: a, queueLength: 5, identity: system}}]}`},
		[]string{"containerapp.yaml:4 warning scale-requests-do-not-wake: no rule counts requests, and minReplicas is 0"}},
	{"cpu at zero", project{template: `scale: {rules: [{name: h, http: {metadata: {concurrentRequests: 10}}}, {name: c, custom: {type: cpu, metadata: {type: Utilization, value: 60}}}]}`},
		[]string{"containerapp.yaml:4 warning scale-cpu-at-zero: the cpu rule cannot bring up the first replica"}},
	{"sticky", project{configuration: `ingress: {targetPort: 8000, stickySessions: {affinity: sticky}}`}, []string{"containerapp.yaml:3 note scale-sticky-state: clients stick to one of up to 2 replicas"}},

	{"runs as defined", project{running: &Running{Listening: []Listener{{Port: 8000}, {Port: 9, Loopback: true}}, HealthPath: "/h", HealthStatus: 200}}, nil},
	{"runs on another port", project{running: &Running{Listening: []Listener{{Port: 3000}, {Port: 3001, Loopback: true}}}},
		[]string{"containerapp.yaml:3 error running-target-port: targetPort is 8000; the app that runs here listens on 3000, 3001"}},
	{"runs on loopback", project{running: &Running{Listening: []Listener{{Port: 8000, Loopback: true}}}},
		[]string{"containerapp.yaml:3 error running-loopback: the app that runs here listens on 127.0.0.1:8000 only"}},
	{"answers badly", project{running: &Running{HealthPath: "/h", HealthStatus: 302}}, []string{"containerapp.yaml:5 warning running-health: /h answers 302"}},
	{"answers nothing", project{running: &Running{HealthPath: "/h"}}, []string{"containerapp.yaml:5 warning running-health: /h answers nothing within the time of its probe"}},
	{"loses its settings", project{running: &Running{Overridden: []string{"PORT", "LEVEL"}}},
		[]string{"containerapp.yaml:5 warning running-environment: replaced or missing in the running container: PORT, LEVEL"}},
	{"logs to a file", project{running: &Running{LogFiles: []string{"/app/a.log"}}}, []string{"containerapp.yaml:5 warning running-log-files: written in the running container: /app/a.log"}},

	{"never wakes by requests", project{configuration: `activeRevisionsMode: Single`, template: `scale: {maxReplicas: 1, rules: [{name: h, http: {metadata: {concurrentRequests: "5"}}}]}`},
		[]string{"containerapp.yaml:4 error scale-never-wakes: web has no ingress whose requests a rule could count, and minReplicas 0"}},
	{"triggers that are right", project{
		configuration: `secrets: [{name: bus, keyVaultUrl: "https://kv.vault.azure.net/secrets/bus", identity: system}, {name: cache, value: "r:6379"}], ingress: {external: true, targetPort: 8000}`,
		container:     `env: [{name: CONN, secretRef: bus}]`,
		template: `scale: {minReplicas: 1, maxReplicas: 9, rules: [
  {name: bus, custom: {type: azure-servicebus, metadata: {queueName: q, messageCount: "5"}, auth: [{secretRef: bus, triggerParameter: connection}]}},
  {name: env, custom: {type: azure-servicebus, metadata: {queueName: q, connectionFromEnv: CONN}}},
  {name: id, azureQueue: {accountName: a, queueName: q, queueLength: 5, identity: system}},
  {name: cache, custom: {type: redis, metadata: {listName: l}, auth: [{secretRef: cache, triggerParameter: address}]}},
  {name: own, custom: {type: external, metadata: {scalerAddress: "s:1", anything: x}}},
  {name: day, custom: {type: cron, metadata: {timezone: Europe/Berlin, start: 0 8 * * 1-5, end: 0 18 * * 1-5, desiredReplicas: "9"}}},
  {name: runner, custom: {type: github-runner, metadata: {owner: me}}},
  {name: cpu, custom: {type: cpu, metadata: {type: Utilization, value: "60"}}}]}`},
		[]string{`containerapp.yaml:3 warning definition: the secret "bus" comes from a key vault, which is not asked here; it is empty`}},
	{"triggers that are wrong", project{
		configuration: `secrets: [{name: bus, value: hunter22}], ingress: {external: true, targetPort: 8000}`,
		template: `scale: {minReplicas: 1, maxReplicas: 9, rules: [
  {name: bus, custom: {type: azure-servicebus, metadata: {queueName: q}, auth: [{secretRef: bus, triggerParameter: connection}]}},
  {name: queue, azureQueue: {queueName: q, queueLength: 5}},
  {name: day, custom: {type: cron, metadata: {timezone: Europe/Berlim, start: 0 8 * * *, end: 0 18 * * *, desiredReplicas: "3"}}},
  {name: night, custom: {type: cron, metadata: {timezone: Etc/UTC, start: 0 20 * *, end: 0 6 * * *, desiredReplicas: "3"}}},
  {name: cache, custom: {type: redis, metadata: {address: "r:6379"}}},
  {name: mq, custom: {type: rabbitmq, metadata: {hostFromEnv: MQ, queueName: q, mode: QueueLength, value: "5"}}},
  {name: cpu, custom: {type: cpu, metadata: {type: Percent, value: "60"}}},
  {name: typo, custom: {type: azure-service-bus, metadata: {queueName: q}}},
  {name: http, http: {metadata: {concurrentRequests: "5", concurrentConnections: "7"}}},
  {name: lag, custom: {type: kafka, metadata: {bootstrapServers: "k:1", consumerGroup: g, lagthreshold: "5"}, auth: [{secretRef: bus, triggerParameter: passwort}]}},
  {name: id, azureQueue: {queueName: q, identity: system}},
  {name: many, custom: {type: cron, metadata: {timezone: Etc/UTC, start: 0 8 * * *, end: 0 18 * * *, desiredReplicas: "30"}}}]}`},
		[]string{
			"containerapp.yaml:5 error scale-trigger-parameters: error parsing azure service bus metadata: the connection string is not made of name=value parts",
			"containerapp.yaml:6 error scale-trigger-parameters: error parsing azure queue metadata: no connection setting given",
			"containerapp.yaml:7 error scale-trigger-parameters: error parsing cron metadata: unable to load timezone: unknown time zone Europe/Berlim",
			"containerapp.yaml:8 error scale-trigger-parameters: error parsing cron metadata: error parsing start schedule: expected exactly 5 fields, found 4: [0 20 * *]",
			"containerapp.yaml:9 error scale-trigger-parameters: error parsing redis metadata: no list name given",
			"containerapp.yaml:10 error scale-trigger-variable: hostFromEnv names MQ, which the first container does not have",
			"containerapp.yaml:11 error scale-trigger-parameters: error parsing cpu metadata: unknown metric type: Percent, allowed values are 'Utilization' or 'AverageValue'",
			"containerapp.yaml:12 error scale-trigger-type: no scaler found for type: azure-service-bus; did you mean \"azure-servicebus\"?",
			"containerapp.yaml:13 warning scale-trigger-unknown-parameter: an http rule reads concurrentRequests, not concurrentConnections",
			"containerapp.yaml:14 warning scale-trigger-unknown-parameter: the kafka scaler does not read lagthreshold; did you mean \"lagThreshold\"?",
			"containerapp.yaml:14 warning scale-trigger-unknown-parameter: the kafka scaler does not read passwort; did you mean \"password\"?",
			"containerapp.yaml:15 error scale-trigger-parameters: error parsing azure queue metadata: no accountName given",
			"containerapp.yaml:16 warning scale-cron-above-max: desiredReplicas is 30, maxReplicas 9",
		}},

	{"what Azure refuses", project{container: `resources: {cpu: 0.25, memory: 512Mi}`},
		[]string{"containerapp.yaml:5 error definition: Container with name 'web' has an invalid memory resource request: '512Mi'. The 'memory' field for each container, if provided, must contain a decimal value to no more than two decimal places followed by 'Gi'. Example: '0.5Gi'."}},
}

func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			dir := test.p.write(t)
			findings := runWith(t, dir, test.p.running)
			for _, f := range findings {
				seen[f.Rule] = true
			}
			if diff := cmp.Diff(test.want, summary(dir, findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
	for _, r := range Rules() {
		if !seen[r.ID] {
			t.Errorf("no case shows %s", r.ID)
		}
	}
}

// Mistakes are shown where they are written: the value, or the place where
// something is missing.
func TestPlacesOfTriggerMistakes(t *testing.T) {
	dir := project{template: `scale: {minReplicas: 1, rules: [
  {name: day, custom: {type: cron, metadata: {timezone: Nowhere, start: 0 8 * * *, end: 0 18 * * *, desiredReplicas: "3"}}},
  {name: cache, custom: {type: redis, metadata: {address: "r:6379", listlength: "5"}}},
  {name: typo, custom: {type: postgres}}]}`}.write(t)
	var got []string
	for _, f := range run(t, dir) {
		got = append(got, fmt.Sprintf("%d:%d %s", f.Position.Line, f.Position.Column, f.Rule))
	}
	want := []string{"5:57 scale-trigger-parameters", "6:39 scale-trigger-parameters", "6:69 scale-trigger-unknown-parameter", "7:31 scale-trigger-type"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFixes(t *testing.T) {
	tests := []struct {
		name, file, line string
		p                project
	}{
		{"exec form", "Dockerfile", `CMD ["node", "server.js", "--port=8000"]`, project{dockerfile: "FROM scratch\nEXPOSE 8000\nCMD node server.js --port=8000\n"}},
		{"platform", "Dockerfile", "FROM --platform=linux/amd64 scratch", project{dockerfile: "FROM --platform=linux/arm64/v8 scratch\nEXPOSE 8000\n"}},
		{"unbuffered", "Dockerfile", "ENV PYTHONUNBUFFERED=1", project{dockerfile: "FROM python\nEXPOSE 8000\nCMD [\"python3\", \"a.py\"]\n"}},
		{"memory", "containerapp.yaml", `    {name: web, image: "acme/web:1", resources: {cpu: 0.25, memory: 0.5Gi}},`, project{container: `resources: {cpu: 0.25, memory: 512Mi}`}},
		{"secret", "containerapp.yaml", `    {name: web, image: "acme/web:1", env: [{name: DB, secretRef: db}]},`,
			project{configuration: `secrets: [{name: db, value: x}], ingress: {targetPort: 8000}`, container: `env: [{name: DB, value: "secretref:db"}]`}},
		{"spelling", "containerapp.yaml", `  configuration: {ingress: {targetPort: 8000}}`, project{configuration: `ingress: {target_port: 8000}`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := test.p.write(t)
			findings := run(t, dir)
			changed, err := Apply(findings)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{filepath.Join(dir, test.file)}, changed); diff != "" {
				t.Fatalf("changed (-want +got):\n%s\nfindings: %v", diff, summary(dir, findings))
			}
			text, err := os.ReadFile(changed[0])
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains("\n"+string(text), "\n"+test.line+"\n") {
				t.Errorf("no line %q in\n%s", test.line, text)
			}
			if again := run(t, dir); len(again) != 0 {
				t.Errorf("still there after the fix: %v", summary(dir, again))
			}
		})
	}
}

func TestAFixLeavesAChangedFileAlone(t *testing.T) {
	dir := project{dockerfile: "FROM scratch\nEXPOSE 8000\nCMD node a.js\n"}.write(t)
	findings := run(t, dir)
	file := filepath.Join(dir, "Dockerfile")
	if err := os.WriteFile(file, []byte("FROM scratch\n\nCMD ruby a.rb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Apply(findings); err == nil || !strings.Contains(err.Error(), "line 3 has changed") {
		t.Errorf("error = %v", err)
	}
}

func TestEveryRuleHasItsPage(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "docs", "rules")
	pages := map[string]string{"README.md": Index()}
	for _, r := range Rules() {
		if r.ID == "" || r.Title == "" || r.Why == "" || r.Do == "" || r.Source == "" || strings.HasSuffix(r.Title, ".") {
			t.Errorf("%s: an incomplete rule", r.ID)
		}
		pages[r.ID+".md"] = r.Page()
	}
	for name, want := range pages {
		file := filepath.Join(dir, name)
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%v (go test ./internal/config/check -update writes it)", err)
			continue
		}
		if diff := cmp.Diff(want, string(text)); diff != "" {
			t.Errorf("%s (-rule +page):\n%s", file, diff)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := pages[e.Name()]; !ok && e.Name() != "definition.md" {
			t.Errorf("%s is the page of no rule", e.Name())
		}
	}
}

func TestSARIFHasWhatTheSchemaRequires(t *testing.T) {
	dir := project{image: "web"}.write(t)
	text, err := json.Marshal(SARIF(run(t, dir), "1.2.3"))
	if err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name, Version string
					Rules         []struct{ ID string }
				}
			}
			Results []struct {
				RuleID, Level string
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name != "acalocal" || len(log.Runs[0].Tool.Driver.Rules) != len(Rules())+1 {
		t.Fatalf("log = %s", text)
	}
	results := log.Runs[0].Results
	if len(results) != 1 || results[0].RuleID != "image-latest-tag" || results[0].Level != "warning" || results[0].Message.Text == "" {
		t.Fatalf("results = %+v", results)
	}
	at := results[0].Locations[0].PhysicalLocation
	if !strings.HasSuffix(at.ArtifactLocation.URI, "containerapp.yaml") || at.Region.StartLine != 5 || at.Region.StartColumn != 24 {
		t.Errorf("location = %+v", at)
	}
}

// badProject has findings of every kind: what Azure refuses, advice about the
// definition, about the Dockerfile, and about nothing in particular.
func badProject(t *testing.T) string {
	return project{
		image:         "web",
		configuration: "activeRevisionsMode: Multiple, ingress: {external: true, targetPort: 80800, traffic: [{latestRevision: true, weight: 90}]}",
		template:      "scale: {minReplicas: 0, maxReplicas: 2}",
		container:     "env: [{name: A, secretRef: none}], resources: {cpu: 3, memory: 1Gi}, probes: [{type: Liveness, httpGet: {path: /, port: 9}}]",
		dockerfile:    python + "CMD gunicorn --bind 127.0.0.1:8000 app:app\n",
	}.write(t)
}

func TestSARIFKeepsToItsSchema(t *testing.T) {
	text, err := os.ReadFile("testdata/sarif-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("sarif.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(log any) error {
		t.Helper()
		text, err := json.Marshal(log)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	findings := run(t, badProject(t))
	if n := len(findings); n < 8 {
		t.Errorf("the bad project has only %d findings", n)
	}
	for name, findings := range map[string][]Finding{"bad": findings, "nothing": nil, "nowhere": run(t, filepath.Join(t.TempDir(), "none"))} {
		if err := validate(SARIF(findings, "1.2.3")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := validate(map[string]any{"version": "2.1.0", "runs": []any{map[string]any{"results": nil}}}); err == nil {
		t.Error("the schema accepts everything")
	}
}

func TestWorst(t *testing.T) {
	note, warning := Finding{}, Finding{}
	note.Severity, warning.Severity = aca.SeverityNote, aca.SeverityWarning
	if worst, ok := Worst([]Finding{note, warning}); worst != aca.SeverityWarning || !ok {
		t.Errorf("Worst = %v, %t", worst, ok)
	}
	if _, ok := Worst(nil); ok {
		t.Error("nothing is worse than nothing")
	}
}

// BenchmarkCheck is the whole of "acalocal check" on a project with a
// Dockerfile.
func BenchmarkCheck(b *testing.B) {
	dir := b.TempDir()
	for name, text := range map[string]string{
		"containerapp.yaml": "name: web\nproperties:\n  configuration: {ingress: {external: true, targetPort: 8000}}\n  template: {containers: [{name: web, image: w}]}\n",
		"Dockerfile":        python + "CMD gunicorn --bind 127.0.0.1:8000 app:app\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		def, problems := config.Load(b.Context(), dir, config.Overrides{SkipCommands: true})
		if len(Run(def, problems, nil)) == 0 {
			b.Fatal("nothing found")
		}
	}
}
