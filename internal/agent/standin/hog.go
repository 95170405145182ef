package standin

import (
	"errors"
	"os"
	"strconv"
	"strings"
)

// ErrNoLimit says that nothing would end a process that takes memory.
var ErrNoLimit = errors.New("there is no memory limit to run into")

// slack is how far above the limit a process goes before it gives up: the
// kernel counts more than what it has asked for.
const slack = 64 << 20

// HogName is the name under which the agent takes memory and does no more.
const HogName = "stand-in-hog"

// hog takes memory until the kernel ends the process, or a child of it. Where
// nothing would, the process ends with the code of one that was killed, and a
// child not at all.
func (p *player) hog(child bool) {
	if !child {
		if err := TakeMemory(); err != nil {
			p.complain(err)
		}
		p.end(codeKilled)
		return
	}
	proc, err := os.StartProcess("/proc/self/exe", []string{HogName}, &os.ProcAttr{Env: os.Environ(), Files: []*os.File{nil, os.Stdout, os.Stderr}})
	if err != nil {
		p.complain(err)
		return
	}
	go func() { _, _ = proc.Wait() }() // its end is what it is for
}

// TakeMemory takes memory until the kernel ends this process. It returns an error
// when there is no limit, or when the limit was passed without an end.
func TakeMemory() error {
	limit := memoryLimit("/sys/fs/cgroup")
	if limit == 0 {
		return ErrNoLimit
	}
	const block = 4 << 20
	var taken [][]byte
	for n := int64(0); n < limit+slack; n += block {
		b := make([]byte, block)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1 // a page counts once it is written
		}
		taken = append(taken, b)
	}
	return errors.New("took " + strconv.Itoa(len(taken)*block>>20) + " MiB and was not killed")
}

// unlimited is above what any machine has; without a limit the kernel says
// something of that size.
const unlimited = 1 << 50

// memoryLimit is that of the container, 0 for none, by either version of
// control groups below root.
func memoryLimit(root string) int64 {
	for _, name := range []string{"/memory.max", "/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(root + name)
		if err != nil {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && n > 0 && n < unlimited {
			return n
		}
	}
	return 0
}
