// Package container is the port to a container runtime: what acalocal asks of
// an engine, in values that name no engine. Package docker implements it for
// the Docker Engine, package containertest keeps it in memory for tests; one
// contract suite runs against both.
//
// # A replica
//
// A replica is a group of containers that share the network namespace of its
// holder:
//
//	holder            runs acalocal's own agent, owns the network namespace
//	├── init containers, one after the other
//	└── containers, one engine container per attempt
//
// Containers are never started twice: a restart is a new attempt with a fresh
// file system, as on ACA, and joins the namespace the holder kept alive, so
// the replica's address survives it.
//
// # Labels are the truth
//
// Everything the daemon must know after a crash stands in the labels of what
// runs (see Labels). Names are derived from the Key, so Create is idempotent.
package container

import (
	"context"
	"io"
	"time"
)

// Role says what a container is in its replica.
type Role string

// The roles.
const (
	RoleHolder Role = "holder"
	RoleInit   Role = "init"
	RoleApp    Role = "app"
)

// Key names one engine container. Attempt counts the starts of a container in
// its replica from 1; holders have Container "" and Attempt 1.
type Key struct {
	App       string
	Revision  string
	Replica   string
	Container string
	Role      Role
	Attempt   int
}

// ID is the engine's own name for a container.
type ID string

// State is what the engine says a container is doing.
type State string

// The states.
const (
	Created State = "created"
	Running State = "running"
	Exited  State = "exited"
)

// Status is one container as the engine sees it now.
type Status struct {
	Key    Key
	ID     ID
	State  State
	Image  string
	Labels map[string]string

	CreatedAt  time.Time
	StartedAt  time.Time // zero before the first start
	FinishedAt time.Time // zero while running
	ExitCode   int
	OOMKilled  bool   // the engine saw the memory limit kill a process
	Error      string // the engine's reason when the container could not start

	// Address is where the edge can reach the replica directly, "" when it
	// must go through the agent. Only holders have one.
	Address string
}

// Spec is one container to create.
type Spec struct {
	Env    string // environment it belongs to
	Key    Key
	Labels map[string]string // beside those derived from Env and Key

	Image      string
	Entrypoint []string // nil keeps the image's
	Cmd        []string // nil keeps the image's, unless Entrypoint is set
	Variables  []string // NAME=value, in order
	Hostname   string   // holder only: the name all containers of the replica have
	Aliases    []string // holder only: further names in the environment's network

	CPU    float64 // cores; 0 = no limit
	Memory int64   // bytes; 0 = no limit. Swap is always off
	Mounts []Mount
}

// Mount puts a host directory, a named volume or a memory file system into a
// container.
type Mount struct {
	Type     MountType
	Source   string // host path or volume name; unused for MountTmpfs
	Target   string
	SubPath  string
	ReadOnly bool
	// Files are written into a MountTmpfs before the container starts.
	Files map[string][]byte
}

// MountType says what a Mount is backed by.
type MountType string

// The mount types.
const (
	MountBind   MountType = "bind"
	MountVolume MountType = "volume"
	MountTmpfs  MountType = "tmpfs"
)

// Image is an image present in the engine.
type Image struct {
	ID         string // content digest
	Size       int64  // bytes, as the engine reports it
	StopSignal string // "" means SIGTERM
	Platform   string // os/arch
	Ports      []int  // EXPOSE, ascending
	Entrypoint []string
	Cmd        []string
	User       string
}

// Credentials log in to a registry.
type Credentials struct {
	Server, Username, Password string
}

// PullPolicy says when an image is fetched.
type PullPolicy int

// The pull policies.
const (
	PullMissing PullPolicy = iota // only when the engine does not have it
	PullAlways                    // resolve the tag each time
	PullNever                     // local builds
)

// PullSpec is one image to make present.
type PullSpec struct {
	Image       string
	Policy      PullPolicy
	Credentials *Credentials // nil: the user's own, as the docker CLI stores them
}

// Hint says that something about a container of ours may have changed. It
// carries no facts: the reader lists again.
type Hint struct {
	Key Key
	// OOM says that the kernel killed a process of this container for
	// memory; the container itself may go on.
	OOM bool
}

// LogEntry is one piece of output as the engine kept it; without a line end
// it is a part of a longer line.
type LogEntry struct {
	Time   time.Time
	Stderr bool
	Data   []byte
}

// LogReader reads the output of one container in order.
type LogReader interface {
	// Next returns the next entry, or io.EOF when the container has ended
	// and all its output was read. The data is valid until the next call.
	Next() (LogEntry, error)
	Close() error
}

// ExecSpec is one command to run inside a running container.
type ExecSpec struct {
	Command       []string
	TTY           bool
	Stdin         io.Reader // nil: none
	Stdout        io.Writer
	Stderr        io.Writer // unused with TTY
	Resize        <-chan Size
	Width, Height uint // first size with TTY; 0 = unknown
}

// Size is the size of a terminal in characters.
type Size struct{ Width, Height uint }

// Runtime runs containers. All methods may be called concurrently.
//
// Errors of Create, Start, Stop and Remove may be ambiguous: the engine may
// have done the work although the call failed. Callers list again instead of
// assuming. CodeOf tells the kinds callers act on.
type Runtime interface {
	// List returns every container of the environment, running or not.
	List(ctx context.Context, env string) ([]Status, error)
	// Create makes a container and returns its ID. When one of that name
	// exists already with the same labels, it returns the existing one.
	Create(ctx context.Context, s Spec) (ID, error)
	// Start starts a created container. Starting a running one is no error.
	Start(ctx context.Context, id ID) error
	// Stop sends the image's stop signal, waits for grace, then kills. A
	// grace of 0 kills at once. Stopping what is not there is no error.
	Stop(ctx context.Context, id ID, grace time.Duration) error
	// Remove removes a container, killing it if it runs, and its anonymous
	// volumes. Removing what is not there is no error.
	Remove(ctx context.Context, id ID) error
	// Logs reads a container's output from since (inclusive; zero = from
	// the start) and goes on until it ends.
	Logs(ctx context.Context, id ID, since time.Time) (LogReader, error)
	// Exec runs a command in a running container and returns its exit code.
	Exec(ctx context.Context, id ID, s ExecSpec) (int, error)
	// Stats reads what a running container uses, now. One that does not run,
	// or is not there, is CodeNotFound.
	Stats(ctx context.Context, id ID) (Stats, error)
	// Written reads how many bytes a container has written into its own file
	// system; volumes are not in it. Engines count them file by file, some
	// with those of the image, which may take seconds. One that is not there is
	// CodeNotFound.
	Written(ctx context.Context, id ID) (int64, error)
	// Events sends hints until ctx is done or the engine goes away; then it
	// closes the channel. A slow reader loses hints.
	Events(ctx context.Context, env string) (<-chan Hint, error)

	// Resolve looks for an image where Pull would take it from, in the engine or
	// at its registry, and fetches nothing. CodeImageMissing and
	// CodeUnauthorized are what a registry has said.
	Resolve(ctx context.Context, s PullSpec) error
	// Pull makes an image present and describes it.
	Pull(ctx context.Context, s PullSpec, progress func(PullProgress)) (Image, error)

	// EnsureEnvironment makes the network and the holder image of an
	// environment, if missing.
	EnsureEnvironment(ctx context.Context, env string) error
	// RemoveEnvironment removes containers, volumes, networks and images of
	// an environment, whoever made them. A container that somebody started
	// from such an image is not the environment's; it and its image stay.
	RemoveEnvironment(ctx context.Context, env string) error

	// Agent connects to the agent in a running holder. The connection is
	// made once per holder and shared; it is re-attached when it breaks.
	Agent(ctx context.Context, holder ID) (Agent, error)
}

// PullProgress is how far a pull has come, in bytes over all layers.
type PullProgress struct{ Done, Total int64 }

// Builder makes images.
type Builder interface {
	// Build builds an image and returns it. Progress lines go to the spec's
	// Progress as they come.
	Build(ctx context.Context, s BuildSpec) (Image, error)
	// Lay makes an image of another one with files over it, in one layer,
	// and nothing else changed. It takes no longer than the files do, and is
	// CodeUnsupported where it would have to guess: then Build can do it.
	Lay(ctx context.Context, s LayerSpec) (Image, error)
	// Tag gives an image one more name, taking it from another image that
	// has it.
	Tag(ctx context.Context, image, name string) error
	// Untag takes a name from an image, and removes the image with its last
	// one. It is CodeConflict while a container needs it; without such a name
	// nothing happens.
	Untag(ctx context.Context, name string) error
}

// LayerSpec is one image to make by Lay.
type LayerSpec struct {
	Env   string // environment it belongs to
	Base  string // image, present in the engine
	Name  string // of the image to make
	Files []LayerFile
}

// LayerFile is a regular file of this machine and where it goes in an image.
type LayerFile struct {
	Source   string // path here
	Target   string // absolute path there, with slashes
	Mode     uint32 // permissions, set-user-ID and the like as Unix writes them
	UID, GID int    // also of directories that have to be made above it
}

// BuildSpec is one image to build from a Dockerfile.
type BuildSpec struct {
	Context    string // directory
	Dockerfile string // path relative to Context; "" = Dockerfile
	Target     string
	Args       map[string]string
	Secrets    map[string]string // id -> file path
	Tag        string            // name to give the image
	Labels     map[string]string
	NoCache    bool
	Platform   string    // "" = the engine's own
	Progress   io.Writer // plain lines, or a live display when Terminal
	Terminal   bool
}
