//go:build !linux

package holder

import (
	"errors"
	"net/netip"
)

// askListening is for Linux, where agents run.
func askListening(map[string]bool) ([]netip.AddrPort, error) { return nil, errors.ErrUnsupported }
