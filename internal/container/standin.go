package container

import "context"

// StandIns makes images that play the part of programs that are not at hand.
type StandIns interface {
	// MakeStandIn makes an image from nothing that is pulled. It belongs to
	// the environment and goes with it.
	MakeStandIn(ctx context.Context, s StandInSpec) error
}

// StandInSpec is one image to make.
type StandInSpec struct {
	Tag       string // name to give the image
	Env       string // environment it belongs to
	Container string // whose part it plays; counts its starts apart from others
	Script    string // as package standin reads it
	// Command is the first word of the definition's command, "" for none. The
	// image has a program of that name, unless Broken says otherwise.
	Command string
	// Broken says why a container of the image cannot start.
	Broken Broken
}

// Broken is a reason why a program cannot be started.
type Broken string

// The reasons.
const (
	BrokenMissing    Broken = "missing"    // there is no such file
	BrokenPermission Broken = "permission" // it may not be executed
	BrokenFormat     Broken = "format"     // it is for another processor
)
