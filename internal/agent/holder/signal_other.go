//go:build !unix

package holder

import "errors"

// SignalOthers is for the systems agents run on.
func SignalOthers(string) error { return errors.ErrUnsupported }
