package aca

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"
)

func (v *validator) template(t *Template, at Path) {
	v.revisionSuffix(t.RevisionSuffix, at.Field("revisionSuffix"))
	v.rangeOf(at.Field("terminationGracePeriodSeconds"), t.TerminationGracePeriodSeconds, 0, 600)
	if len(t.Containers) == 0 {
		v.errorf(at.Field("containers"), "ContainerAppCreateMustContainContainer", "Must specify atleast one container for the container app.")
	}
	volumes := v.volumes(t.Volumes, at.Field("volumes"))
	names := once{}
	for i := range t.InitContainers {
		c, at := &t.InitContainers[i], at.Field("initContainers").Index(i)
		v.container(c, at, names, volumes)
		if len(c.Probes) > 0 {
			v.errorf(at.Field("probes"), codeInvalidSchema, "an init container has no probes").Hint = "it is done when it ends with exit code 0"
		}
	}
	for i := range t.Containers {
		c, at := &t.Containers[i], at.Field("containers").Index(i)
		v.container(c, at, names, volumes)
		v.probes(c, at.Field("probes"))
	}
	v.resourceTotal(t, at.Field("containers"))
	v.scale(t, at.Field("scale"))
}

// revisionSuffix: https://learn.microsoft.com/azure/container-apps/revisions
// says a letter comes first; the CLI and the service also take a digit.
func (v *validator) revisionSuffix(suffix string, at Path) {
	const longest = 54 // of app name and suffix together
	if suffix == "" || suffixRule.ok(suffix) && len(RevisionName(v.app.Name, suffix)) <= longest {
		return
	}
	v.errorf(at, "ContainerAppInvalidRevisionName", "Revision name has an invalid value '%s'. A revision name must consist of lower case "+
		"alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character. "+
		"The length of the revision name must not be more than a combined 54 characters with the container app name.", clip(suffix)).
		Hint = fmt.Sprintf("for example %q", suffixRule.mend(suffix, "v1"))
}

func (v *validator) container(c *Container, at Path, names once, volumes map[string]bool) {
	switch {
	case c.Name == "":
		v.errorf(at, "ContainerAppContainerNameRequired", "Container must have a 'Name' property specified.")
	case !containerNameRule.ok(c.Name):
		v.errorf(at.Field("name"), codeInvalidValue, "Container with name '%s' is invalid. A name must consist of lower case alphanumeric "+
			"characters, '-' or '.', and must start and end with an alphanumeric character.", clip(c.Name)).
			Hint = fmt.Sprintf("for example %q", containerNameRule.mend(c.Name, "app"))
	case names.again(c.Name):
		v.errorf(at.Field("name"), codeInvalidValue, "the container name %q is used twice", c.Name)
	}
	if c.Image == "" {
		v.errorf(at, "ContainerAppImageRequired", "Container with name '%s' must have an 'Image' property specified.", c.Name)
	} else {
		v.image(c.Image, at.Field("image"))
	}
	v.env(c, at.Field("env"))
	v.resources(c, at.Field("resources"))
	v.mounts(c, at.Field("volumeMounts"), volumes)
}

func (v *validator) image(image string, at Path) {
	hint := "it looks like myregistry.azurecr.io/app:1.0, without https://"
	switch {
	case strings.ContainsAny(image, "${}<>#%"):
		hint = "the placeholder must be replaced before the file is used"
	case strings.ContainsAny(image, " \t\r\n\"'\\") || strings.Contains(image, "://") || strings.HasSuffix(image, ":") || strings.HasSuffix(image, "/"):
	default:
		return
	}
	v.errorf(at, codeInvalidValue, "%q is not an image reference", clip(image)).Hint = hint
}

func (v *validator) env(c *Container, at Path) {
	seen := once{}
	for i, e := range c.Env {
		at := at.Index(i)
		switch {
		case e.Name == "":
			v.errorf(at, codeInvalidValue, "the variable has no name")
		case !envName(e.Name):
			v.errorf(at.Field("name"), codeInvalidValue, "%q is not a variable name", clip(e.Name)).
				Hint = "letters, digits, '_', '-' and '.', not beginning with a digit"
		case seen.again(e.Name):
			v.warnf(at.Field("name"), "the variable %s is set twice; the last one wins here, on Azure the revision may fail without an error", e.Name).
				Hint = "remove one of them"
		}
		if e.Value != "" && e.SecretRef != "" {
			v.errorf(at, codeInvalidValue, "the variable %s has both a value and a secretRef", e.Name).Hint = "keep one of them"
		}
		v.secretRef(at.Field("secretRef"), e.SecretRef, c.Name)
	}
}

func envName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '.' || c == '-'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func (v *validator) resources(c *Container, at Path) {
	if c.Resources == nil {
		return
	}
	cpu := c.Resources.CPU
	if cpu < 0 || cpu > 1000 || math.Abs(cpu*100-math.Round(cpu*100)) > 1e-9 {
		v.errorf(at.Field("cpu"), "ContainerAppInvalidCpuResource", "Container with name '%s' has an invalid CPU resource request: '%s'. "+
			"The 'cpu' field for each container, if provided, must contain a decimal value to no more than two decimal places. Example: '0.25'.",
			c.Name, formatCPU(cpu))
	}
	if c.Resources.Memory == "" {
		return
	}
	if _, err := ParseMemory(c.Resources.Memory); err != nil {
		p := v.errorf(at.Field("memory"), "ContainerAppInvalidMemoryResource", "Container with name '%s' has an invalid memory resource request: '%s'. "+
			"The 'memory' field for each container, if provided, must contain a decimal value to no more than two decimal places followed by 'Gi'. "+
			"Example: '0.5Gi'.", c.Name, clip(c.Resources.Memory))
		p.Hint, p.Replace = v.memoryHint(c.Resources.CPU, c.Resources.Memory)
	}
}

// memoryHint says how to write memory that cannot be read, and the value alone
// when it is the only thing to change. A container that makes up its replica
// gets an amount that is allowed with its cores.
func (v *validator) memoryHint(cpu float64, memory string) (hint, replace string) {
	gi := inGi(memory)
	bytes, err := ParseMemory(gi)
	if err != nil {
		return "only the unit Gi is understood", ""
	}
	if !v.consumption() || len(v.app.Properties.Template.Containers) != 1 {
		return "write " + gi, gi
	}
	pair, ok := holding(ResourcePair{CPU: cmp.Or(cpu, defaultCPU), Memory: bytes})
	switch {
	case !ok:
		return tooLarge, ""
	case cpu == 0 && pair.CPU == defaultCPU, pair.CPU == cpu:
		return "write " + formatMemory(pair.Memory), formatMemory(pair.Memory)
	}
	return "write " + pair.text(), ""
}

// inGi turns a quantity in another unit into Gi; "" when it is none.
func inGi(s string) string {
	units := []struct {
		suffix string
		gi     float64
	}{{"GiB", 1}, {"MiB", 1.0 / 1024}, {"Mi", 1.0 / 1024}, {"GB", 1}, {"MB", 1.0 / 1024}, {"Mb", 1.0 / 1024}, {"Gb", 1}, {"G", 1}, {"M", 1.0 / 1024}, {"gi", 1}, {"", 1}}
	for _, u := range units {
		number, ok := strings.CutSuffix(strings.TrimSpace(s), u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if gi := math.Round(n*u.gi*100) / 100; err == nil && gi > 0 && gi <= 1000 {
			return strconv.FormatFloat(gi, 'f', -1, 64) + "Gi"
		}
	}
	return ""
}

func formatCPU(cpu float64) string {
	s := strconv.FormatFloat(cpu, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// resourceTotal checks the sum over all containers on the Consumption profile;
// dedicated profiles take any values up to the size of their node
// (https://learn.microsoft.com/azure/container-apps/containers).
func (v *validator) resourceTotal(t *Template, at Path) {
	if len(t.Containers) == 0 || !v.consumption() {
		return
	}
	for _, p := range v.problems {
		if p.Code == "ContainerAppInvalidCpuResource" || p.Code == "ContainerAppInvalidMemoryResource" {
			return // the sum of wrong numbers tells nothing
		}
	}
	sum := TotalResources(t)
	combinations := make([]string, 0, 16)
	for _, pair := range ConsumptionPairs() {
		if pair == sum {
			return
		}
		combinations = append(combinations, fmt.Sprintf("[cpu: %s, memory: %s]", formatCPU(pair.CPU), decimalGi(pair.Memory)))
	}
	if len(t.Containers) == 1 && t.Containers[0].Resources != nil {
		at = at.Index(0).Field("resources")
	}
	v.errorf(at, "ContainerAppInvalidResourceTotal", "The total requested CPU and memory resources for this application (CPU: %s, memory: %s) is "+
		"invalid. Total CPU and memory for all containers defined in a Consumption Container App must add up to one of the following "+
		"CPU - Memory combinations: %s", strconv.FormatFloat(sum.CPU, 'f', -1, 64), strings.TrimSuffix(decimalGi(sum.Memory), "Gi"),
		strings.Join(combinations, "; ")).Hint = pairHint(sum)
}

func decimalGi(bytes int64) string {
	s := strings.TrimSuffix(formatMemory(bytes), "Gi")
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s + "Gi"
}

// consumption says that the app runs on the Consumption profile.
func (v *validator) consumption() bool {
	profile := v.app.Properties.WorkloadProfileName
	return profile == "" || strings.EqualFold(profile, "Consumption")
}

const tooLarge = "the Consumption profile ends at cpu: 4, memory: 8Gi; a dedicated workload profile has more"

// pairHint names the smallest pair that holds the sum.
func pairHint(sum ResourcePair) string {
	if pair, ok := holding(sum); ok {
		return "the smallest pair that holds this is " + pair.text()
	}
	return tooLarge
}

// holding is the smallest pair of the Consumption profile that holds a sum.
func holding(sum ResourcePair) (pair ResourcePair, ok bool) {
	for _, pair := range ConsumptionPairs() {
		if pair.CPU >= sum.CPU && pair.Memory >= sum.Memory {
			return pair, true
		}
	}
	return ResourcePair{}, false
}

func (p ResourcePair) text() string {
	return fmt.Sprintf("cpu: %s, memory: %s", strconv.FormatFloat(p.CPU, 'f', -1, 64), formatMemory(p.Memory))
}

func (v *validator) volumes(volumes []Volume, at Path) map[string]bool {
	names, seen := map[string]bool{}, once{}
	for i, vol := range volumes {
		at := at.Index(i)
		names[vol.Name] = true
		switch {
		case !volumeNameRule.ok(vol.Name):
			v.errorf(at.Field("name"), codeInvalidValue, "%q is not a volume name", clip(vol.Name)).
				Hint = fmt.Sprintf("lower case letters, digits and dashes; for example %q", volumeNameRule.mend(vol.Name, "data"))
		case seen.again(vol.Name):
			v.errorf(at.Field("name"), codeInvalidValue, "the volume %q is defined twice", vol.Name)
		}
		v.volumeStorage(vol, at)
	}
	return names
}

func (v *validator) volumeStorage(vol Volume, at Path) {
	shared := vol.StorageType == "AzureFile" || vol.StorageType == "NfsAzureFile" || vol.StorageType == "Smb"
	if shared && vol.StorageName == "" {
		v.errorf(at, codeInvalidValue, "the volume %q of type %s needs a storageName", vol.Name, vol.StorageType).
			Hint = "the name of a storage of the environment"
	}
	if !shared && vol.StorageName != "" {
		v.errorf(at.Field("storageName"), codeInvalidValue, "a volume of type %s has no storageName", orDefault(vol.StorageType, "EmptyDir")).
			Hint = "set storageType: AzureFile or remove storageName"
	}
	if vol.StorageType != "Secret" && len(vol.Secrets) > 0 {
		v.errorf(at.Field("secrets"), codeInvalidValue, "secrets are only for a volume of type Secret")
	}
	for i, s := range vol.Secrets {
		at := at.Field("secrets").Index(i)
		if s.SecretRef == "" {
			v.errorf(at, codeInvalidValue, "the file has no secretRef")
		} else if !v.secrets[s.SecretRef] {
			v.errorf(at.Field("secretRef"), "ContainerAppSecretRefNotFound", "SecretRef '%s' defined for volume '%s' not found.",
				clip(s.SecretRef), vol.Name).Hint = v.secretHint(s.SecretRef)
		}
		if escapes(s.Path) {
			v.errorf(at.Field("path"), codeInvalidValue, "%q leads out of the volume", clip(s.Path))
		}
	}
}

func orDefault(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// escapes says whether a relative path leaves the directory it starts in.
func escapes(p string) bool {
	clean := path.Clean(strings.TrimLeft(strings.ReplaceAll(p, "\\", "/"), "/"))
	return clean == ".." || strings.HasPrefix(clean, "../")
}

func (v *validator) mounts(c *Container, at Path, volumes map[string]bool) {
	paths := once{}
	for i, m := range c.VolumeMounts {
		at := at.Index(i)
		if !volumes[m.VolumeName] {
			names := make([]string, 0, len(volumes))
			for name := range volumes {
				names = append(names, name)
			}
			v.errorf(at.Field("volumeName"), codeInvalidValue, "the volume %q of container '%s' is not defined", clip(m.VolumeName), c.Name).
				Hint = didYouMean(m.VolumeName, sortedUnique(names))
		}
		switch {
		case m.MountPath == "":
			v.errorf(at, codeInvalidValue, "the volume %q has no mountPath", m.VolumeName)
		case !strings.HasPrefix(m.MountPath, "/") || strings.Contains(m.MountPath, ":"):
			v.errorf(at.Field("mountPath"), codeInvalidValue, "%q is not an absolute path without ':'", clip(m.MountPath))
		case paths.again(path.Clean(m.MountPath)):
			v.errorf(at.Field("mountPath"), codeInvalidValue, "two volumes are mounted at %s", m.MountPath)
		}
		if escapes(m.SubPath) {
			v.errorf(at.Field("subPath"), codeInvalidValue, "%q leads out of the volume", clip(m.SubPath))
		}
	}
}
