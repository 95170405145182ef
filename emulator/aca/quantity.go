package aca

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseMemory reads a memory quantity as ACA takes it, a positive number of at
// most two decimals with the unit Gi ("0.5Gi"), and returns bytes.
func ParseMemory(s string) (int64, error) {
	number, ok := strings.CutSuffix(s, "Gi")
	if !ok {
		return 0, fmt.Errorf("memory %q has no unit Gi", s)
	}
	gi, err := twoDecimals(number)
	if err != nil {
		return 0, fmt.Errorf("memory %q: %w", s, err)
	}
	return int64(math.Round(gi * (1 << 30))), nil
}

// twoDecimals reads a plain positive decimal number below a million with at
// most two digits after the point.
func twoDecimals(s string) (float64, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	if len(whole) > 6 || len(fraction) > 2 || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not a number of at most two decimals", s)
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is not a number above zero", s)
	}
	return n, nil
}

// formatMemory prints bytes as ACA writes a quantity: "0.5Gi", "1Gi".
func formatMemory(bytes int64) string {
	return strconv.FormatFloat(math.Round(float64(bytes)/(1<<30)*100)/100, 'f', -1, 64) + "Gi"
}

// A ResourcePair is the CPU (in cores) and memory (in bytes) of one replica,
// all its containers together.
type ResourcePair struct {
	CPU    float64
	Memory int64
}

// ConsumptionPairs lists the pairs the Consumption profile allows: 0.25 cores
// with 0.5Gi, then steps of the same size up to 4 cores with 8Gi.
func ConsumptionPairs() []ResourcePair {
	pairs := make([]ResourcePair, 16)
	for i := range pairs {
		pairs[i] = ResourcePair{CPU: 0.25 * float64(i+1), Memory: int64(i+1) << 29}
	}
	return pairs
}

// TotalResources adds up the containers of a replica, with the default of 0.5
// cores and 1Gi for one that names none. Init containers are not counted: they
// run before. Memory that cannot be parsed counts as none.
func TotalResources(t *Template) ResourcePair {
	var sum ResourcePair
	for _, c := range t.Containers {
		cpu, memory := defaultCPU, int64(1)<<30
		if c.Resources != nil && c.Resources.CPU != 0 {
			cpu = c.Resources.CPU
		}
		if c.Resources != nil && c.Resources.Memory != "" {
			memory, _ = ParseMemory(c.Resources.Memory) // Validate reports it
		}
		sum.CPU += cpu
		sum.Memory += memory
	}
	sum.CPU = math.Round(sum.CPU*100) / 100
	// Two decimals of a Gi are not whole bytes; their sum must be.
	gi := math.Round(float64(sum.Memory)/(1<<30)*100) / 100
	sum.Memory = int64(math.Round(gi * (1 << 30)))
	return sum
}

// EphemeralStorage is the disk that a number of cores comes with: up to 0.25
// cores 1Gi, 0.5 2Gi, 1 4Gi, above 8Gi
// (https://learn.microsoft.com/azure/container-apps/storage-mounts).
func EphemeralStorage(cpu float64) string {
	switch {
	case cpu <= 0.25:
		return "1Gi"
	case cpu <= 0.5:
		return "2Gi"
	case cpu <= 1:
		return "4Gi"
	default:
		return "8Gi"
	}
}

const (
	defaultCPU    = 0.5
	defaultMemory = "1Gi"

	// defaultGrace is how long a container has between SIGTERM and SIGKILL.
	defaultGrace = 30 * time.Second
)

// GracePeriod is the time a replica's containers have between SIGTERM and
// SIGKILL: 30 s unless the template says otherwise.
func (t *Template) GracePeriod() time.Duration {
	if t.TerminationGracePeriodSeconds == nil {
		return defaultGrace
	}
	return time.Duration(*t.TerminationGracePeriodSeconds) * time.Second
}
