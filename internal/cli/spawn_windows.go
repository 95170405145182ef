package cli

import (
	"os"
	"os/exec"
	"syscall"
)

// Process creation flags of Windows that package syscall does not name.
const detachedProcess = 0x00000008

// detach gives a child no console and a process group of its own, so that
// neither closing the window nor Ctrl-C in it reach it.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: detachedProcess | syscall.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}

// terminate ends a child. A process without a console cannot be asked to.
func terminate(p *os.Process) {
	_ = p.Kill() // it may have ended already
}
