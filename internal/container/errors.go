package container

import (
	"errors"
	"fmt"
)

// Code says what kind of failure an Error is.
type Code string

// The codes. They are few because callers act on few.
const (
	CodeNotFound     Code = "not found"       // container or image is not there
	CodeConflict     Code = "conflict"        // name taken by something of other labels
	CodeImageMissing Code = "image missing"   // registry has no such image or tag
	CodeUnauthorized Code = "unauthorized"    // registry refused the credentials
	CodeUnreachable  Code = "unreachable"     // engine or registry cannot be reached
	CodePermission   Code = "permission"      // the engine's socket refuses this user
	CodeCreate       Code = "create failure"  // the command cannot be run in the image
	CodeNoProgram    Code = "no such program" // Exec: the image has no such file
	CodeMount        Code = "mount failure"
	CodePlatform     Code = "platform" // image has no variant for the engine
	CodeDiskFull     Code = "disk full"
	CodeBuild        Code = "build failure" // the Dockerfile, or a step of it
	CodeUnsupported  Code = "unsupported"   // this engine cannot, or not with these words; another way may
)

// Error is a failure of the runtime with a kind and, where there is one, what
// to do about it.
type Error struct {
	Code Code
	Hint string
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// WordsOf returns what the engine itself said of err, without the operation and
// the container it was about; all of err's text when the engine said nothing.
func WordsOf(err error) string {
	var w interface{ EngineWords() string }
	if errors.As(err, &w) {
		return w.EngineWords()
	}
	return err.Error()
}

// Errorf makes an Error.
func Errorf(code Code, hint, format string, args ...any) *Error {
	return &Error{Code: code, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// CodeOf returns the code of the first Error in err's chain, or "".
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
