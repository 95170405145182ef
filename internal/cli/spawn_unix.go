//go:build !windows

package cli

import (
	"os"
	"os/exec"
	"syscall"
)

// detach puts a child into a session of its own, so that neither the end of
// the terminal nor Ctrl-C in it reach it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// terminate asks a child to end, and lets it put its things in order.
func terminate(p *os.Process) {
	_ = p.Signal(syscall.SIGTERM) // it may have ended already
}
