package aca

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash/fnv"
	"strconv"
	"strings"
)

// TemplateHash identifies a template: two templates with the same hash are the
// same revision. Fields left out and fields set to their default are the same,
// and read-only fields do not count; RevisionSuffix does, as on Azure a new
// suffix alone makes a new revision.
func TemplateHash(t *Template) string {
	sum := sha256.Sum256(canonical(t))
	return hex.EncodeToString(sum[:])
}

// ReplicaSetHash is the middle part of a replica's name: the same for all
// replicas of one configuration, another one when the template or the target
// port changes, and the first one again when the change is taken back. What else
// replicas depend on may follow; empty texts do not count. It is written like
// Kubernetes' pod-template hash: a 32-bit number in decimal with the digits 0-9
// as 456789bcdf.
func ReplicaSetHash(t *Template, targetPort int, more ...string) string {
	h := fnv.New32a()
	h.Write(canonical(t))
	h.Write([]byte(strconv.Itoa(targetPort)))
	for _, text := range more {
		h.Write([]byte(text))
	}
	return safeDigits(h.Sum32())
}

func safeDigits(n uint32) string {
	const digits = "456789bcdf"
	var b strings.Builder
	for _, c := range strconv.FormatUint(uint64(n), 10) {
		b.WriteByte(digits[c-'0'])
	}
	return b.String()
}

func canonical(t *Template) []byte {
	c := t.Clone()
	DropReadOnly(c)
	c.applyDefaults()
	text, err := json.Marshal(c)
	if err != nil {
		panic("bug: a template does not marshal: " + err.Error())
	}
	return text
}

// Clone is a deep copy of t.
func (t *Template) Clone() *Template { return clone(t) }

// Clone is a deep copy of a.
func (a *ContainerApp) Clone() *ContainerApp { return clone(a) }

// Clone is a deep copy of e.
func (e *ManagedEnvironment) Clone() *ManagedEnvironment { return clone(e) }

// Clone is a deep copy of s.
func (s *EnvironmentStorage) Clone() *EnvironmentStorage { return clone(s) }

// Clone is a deep copy of j.
func (j *Job) Clone() *Job { return clone(j) }

// clone copies through JSON, which holds all there is: every field of these
// types is written and read back as it was.
func clone[T any](v *T) *T {
	text, err := json.Marshal(v)
	if err != nil {
		panic("bug: a value of this package does not marshal: " + err.Error())
	}
	out := new(T)
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber() // in fields of free form, as Decode has them
	if err := dec.Decode(out); err != nil {
		panic("bug: a value of this package does not unmarshal: " + err.Error())
	}
	return out
}
