// Package emulator runs Azure Container Apps on a container engine: the loop
// around the pure core, the workers that carry out its orders, and the Go API
// of an embedded emulator.
package emulator
