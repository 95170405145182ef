package container

import (
	"errors"
	"fmt"
	"strconv"
)

// SchemaVersion is the version of the label set. A daemon leaves containers
// of an unknown version alone and says so.
const SchemaVersion = "1"

// The labels on the containers, networks and volumes of an environment.
const (
	LabelSchema    = "dev.acalocal.schema"
	LabelEnv       = "dev.acalocal.environment"
	LabelApp       = "dev.acalocal.app"
	LabelRevision  = "dev.acalocal.revision"
	LabelReplica   = "dev.acalocal.replica"
	LabelContainer = "dev.acalocal.container"
	LabelRole      = "dev.acalocal.role"
	LabelAttempt   = "dev.acalocal.attempt"
	LabelVersion   = "dev.acalocal.version" // of the program that made it
	LabelState     = "dev.acalocal.state"   // what the core wants back after a crash, as compact JSON
)

// LabelBuiltFor is the label on an image that was built for an environment. It
// is not LabelEnv: a container inherits the labels of its image, and one that
// somebody starts by hand from such an image is theirs, not the environment's.
const LabelBuiltFor = "dev.acalocal.built-for"

// ImageLabels returns the labels of an image that goes with env.
func ImageLabels(env string) map[string]string { return map[string]string{LabelBuiltFor: env} }

// ErrUnknownSchema says that labels were written by another version.
var ErrUnknownSchema = errors.New("labels of an unknown schema version")

// Name returns the engine name of a container: the same Key always has the
// same name, and no two Keys of an environment share one.
func (k Key) Name(env string) string {
	if k.Role == RoleHolder {
		return fmt.Sprintf("acalocal-%s-%s", env, k.Replica)
	}
	return fmt.Sprintf("acalocal-%s-%s.%s.%s.%d", env, k.Replica, k.Role, k.Container, k.Attempt)
}

// EncodeLabels returns the labels that carry env and k.
func EncodeLabels(env string, k Key) map[string]string {
	return map[string]string{
		LabelSchema:    SchemaVersion,
		LabelEnv:       env,
		LabelApp:       k.App,
		LabelRevision:  k.Revision,
		LabelReplica:   k.Replica,
		LabelContainer: k.Container,
		LabelRole:      string(k.Role),
		LabelAttempt:   strconv.Itoa(k.Attempt),
	}
}

// DecodeLabels is the inverse of EncodeLabels. It returns ErrUnknownSchema
// for labels of another version.
func DecodeLabels(l map[string]string) (env string, k Key, err error) {
	if v := l[LabelSchema]; v != SchemaVersion {
		return "", Key{}, fmt.Errorf("%w %q", ErrUnknownSchema, v)
	}
	attempt, err := strconv.Atoi(l[LabelAttempt])
	if err != nil {
		return "", Key{}, fmt.Errorf("label %s: %w", LabelAttempt, err)
	}
	k = Key{
		App:       l[LabelApp],
		Revision:  l[LabelRevision],
		Replica:   l[LabelReplica],
		Container: l[LabelContainer],
		Role:      Role(l[LabelRole]),
		Attempt:   attempt,
	}
	return l[LabelEnv], k, nil
}
