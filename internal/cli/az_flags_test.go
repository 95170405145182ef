package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// azOf has the flags of each command of "az containerapp" that this program
// has too, of az 2.74 and the extension containerapp 1.2.0b4: long names, and
// behind a comma the short one.
var azOf = map[string]string{
	"up": `name,n resource-group,g location,l environment registry-server registry-username registry-password registry-identity
		image,i source artifact build-env-vars ingress target-port env-vars logs-workspace-id logs-workspace-key
		repo token branch,b browse context-path workload-profile-name,w revisions-mode target-label system-assigned user-assigned
		service-principal-client-id sp-cid service-principal-client-secret sp-sec service-principal-tenant-id sp-tid
		custom-location connected-cluster-id model-registry model-name model-version`,
	"create": `name,n resource-group,g yaml image,i container-name environment environment-type min-replicas max-replicas
		scale-rule-name srn scale-rule-type srt scale-rule-http-concurrency srhc srtc scale-rule-tcp-concurrency
		scale-rule-metadata srm scale-rule-auth sra scale-rule-identity target-port exposed-port transport ingress allow-insecure
		revisions-mode target-label max-inactive-revisions secrets,s env-vars cpu memory revision-suffix command args tags no-wait
		registry-server registry-username registry-password registry-identity system-assigned user-assigned
		enable-dapr dapr-app-port dapr-app-id dapr-app-protocol dapr-http-read-buffer-size dhrbs dapr-http-max-request-size dhmrs
		dapr-log-level dapr-enable-api-logging dal workload-profile-name,w termination-grace-period tgp secret-volume-mount
		source artifact build-env-vars bind customized-keys service-type runtime enable-java-metrics enable-java-agent kind
		repo token branch,b context-path service-principal-client-id sp-cid service-principal-client-secret sp-sec
		service-principal-tenant-id sp-tid`,
	"update": `name,n resource-group,g yaml image,i container-name min-replicas max-replicas
		scale-rule-name srn scale-rule-type srt scale-rule-http-concurrency srhc srtc scale-rule-tcp-concurrency
		scale-rule-metadata srm scale-rule-auth sra scale-rule-identity set-env-vars remove-env-vars replace-env-vars remove-all-env-vars
		cpu memory revision-suffix command args tags workload-profile-name,w termination-grace-period tgp no-wait secret-volume-mount
		revisions-mode target-label max-inactive-revisions source artifact build-env-vars bind unbind customized-keys
		runtime enable-java-metrics enable-java-agent registry-identity user-assigned system-assigned`,
	"show":          `name,n resource-group,g show-secrets`,
	"app show":      `name,n resource-group,g show-secrets`,
	"list":          `resource-group,g environment environment-type`,
	"app list":      `resource-group,g environment environment-type`,
	"delete":        `name,n resource-group,g no-wait yes,y`,
	"exec":          `name,n resource-group,g revision replica container command`,
	"logs show":     `name,n resource-group,g revision replica container follow tail format type,t`,
	"logs query":    `workspace,w analytics-query timespan,t workspaces`,
	"replica list":  `name,n resource-group,g revision`,
	"replica show":  `name,n resource-group,g revision replica`,
	"revision list": `name,n resource-group,g all`,
	"revision copy": `name,n resource-group,g from-revision yaml image,i container-name min-replicas max-replicas
		scale-rule-name srn scale-rule-type srt scale-rule-http-concurrency srhc srtc scale-rule-tcp-concurrency
		scale-rule-metadata srm scale-rule-auth sra set-env-vars remove-env-vars replace-env-vars remove-all-env-vars
		cpu memory revision-suffix command args tags workload-profile-name,w termination-grace-period tgp secret-volume-mount`,
	"revision show":                     `name,n resource-group,g revision`,
	"revision activate":                 `name,n resource-group,g revision`,
	"revision deactivate":               `name,n resource-group,g revision`,
	"revision restart":                  `name,n resource-group,g revision`,
	"revision set-mode":                 `name,n resource-group,g mode target-label`,
	"revision label add":                `name,n resource-group,g label revision yes,y no-prompt`,
	"revision label remove":             `name,n resource-group,g label`,
	"revision label swap":               `name,n resource-group,g source target`,
	"ingress show":                      `name,n resource-group,g`,
	"ingress enable":                    `name,n resource-group,g type target-port transport exposed-port allow-insecure`,
	"ingress update":                    `name,n resource-group,g type target-port transport exposed-port allow-insecure`,
	"ingress disable":                   `name,n resource-group,g`,
	"ingress traffic set":               `name,n resource-group,g revision-weight traffic-weight label-weight`,
	"ingress traffic show":              `name,n resource-group,g`,
	"ingress sticky-sessions set":       `name,n resource-group,g affinity`,
	"ingress sticky-sessions show":      `name,n resource-group,g`,
	"ingress access-restriction set":    `name,n resource-group,g rule-name ip-address action description`,
	"ingress access-restriction remove": `name,n resource-group,g rule-name`,
	"ingress access-restriction list":   `name,n resource-group,g`,
	"ingress cors enable":               `name,n resource-group,g allowed-origins,r allowed-methods,m allowed-headers,a expose-headers,e allow-credentials max-age`,
	"ingress cors update":               `name,n resource-group,g allowed-origins,r allowed-methods,m allowed-headers,a expose-headers,e allow-credentials max-age`,
	"ingress cors disable":              `name,n resource-group,g`,
	"ingress cors show":                 `name,n resource-group,g`,
	"secret list":                       `name,n resource-group,g show-values`,
	"secret show":                       `name,n resource-group,g secret-name`,
	"secret set":                        `name,n resource-group,g secrets,s`,
	"secret remove":                     `name,n resource-group,g secret-names`,
	"env show":                          `name,n resource-group,g`,
	"env list":                          `resource-group,g`,
	"env http-route-config list":        `name,n resource-group,g`,
	"env http-route-config show":        `name,n resource-group,g http-route-config-name,r`,
	"env http-route-config create":      `name,n resource-group,g http-route-config-name,r yaml`,
	"env http-route-config update":      `name,n resource-group,g http-route-config-name,r yaml`,
	"env http-route-config delete":      `name,n resource-group,g http-route-config-name,r no-wait yes,y`,
}

// azAlways are the flags of all of az's commands.
const azAlways = `subscription output,o query debug verbose only-show-errors`

// TestEveryFlagOfAzIsKnown holds that no command line for az fails here for a
// flag that nobody knows.
func TestEveryFlagOfAzIsKnown(t *testing.T) {
	root := newRootCommand(Streams{})
	for verb, flags := range azOf {
		cmd, rest, err := root.Find(strings.Fields(verb))
		if err != nil || len(rest) > 0 {
			t.Errorf("there is no command %q (%v)", verb, err)
			continue
		}
		for flag := range strings.FieldsSeq(flags + " " + azAlways) {
			name, short, _ := strings.Cut(flag, ",")
			f := cmd.Flags().Lookup(name)
			switch {
			case f == nil:
				t.Errorf("%s has no --%s", verb, name)
			case short != "" && (cmd.Flags().ShorthandLookup(short) == nil || cmd.Flags().ShorthandLookup(short).Name != f.Name):
				t.Errorf("%s: -%s is not --%s", verb, short, name)
			}
		}
	}
}

// TestEveryCommandOfAzIsCompared holds that a command whose flags are taken
// for az has its list above, and the other way round.
func TestEveryCommandOfAzIsCompared(t *testing.T) {
	for verb := range azVerbs {
		if azOf[verb] == "" {
			t.Errorf("az's flags of %q are not listed", verb)
		}
	}
	for verb := range azOf {
		if _, ok := azVerbs[verb]; !ok {
			t.Errorf("%q is not among azVerbs", verb)
		}
	}
}

// TestFlagsWithoutMeaningAreHidden holds that --help shows what this program
// does, and that every hidden flag of az says why.
func TestFlagsWithoutMeaningAreHidden(t *testing.T) {
	eachCommand(newRootCommand(Streams{}), func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if _, ok := f.Value.(*unused); ok && !f.Hidden {
				t.Errorf("%s shows --%s", cmd.CommandPath(), f.Name)
			}
		})
	})
}
