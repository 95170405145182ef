package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/home"
)

// facts are what the doctor has found out, before judging it.
type facts struct {
	engine    docker.Info
	engineErr error
	held      []docker.Environment // what the engine holds
	home      home.Home
	homeErr   error
	running   []string // environments with a daemon
	files     []string // environments with files
	tests     []string // environments of tests whose process is gone
	testing   []string // environments of tests that run
	free      uint64   // bytes on the disk of the state directory
	freeErr   error
	ports     []portFact
}

// portFact is whether a loopback port can be had.
type portFact struct {
	port  int
	taken bool
	ours  bool // by an environment of this user
}

// doctorPorts are the ports taken when nobody asks for others: the edge's two
// and the first app's.
var doctorPorts = []int{8080, 8443, 8081}

// examine finds out everything the doctor judges.
func examine(ctx context.Context) *facts {
	f := &facts{}
	f.examineEngine(ctx)
	f.examineFiles(ctx)
	ours := f.ourPorts(ctx)
	for _, port := range doctorPorts {
		f.ports = append(f.ports, portFact{port: port, taken: isTaken(port), ours: slices.Contains(ours, port)})
	}
	return f
}

func (f *facts) examineEngine(ctx context.Context) {
	engine, err := docker.New(ctx, docker.Options{})
	if err != nil {
		f.engineErr = err
		return
	}
	defer engine.Close()
	if f.engine, f.engineErr = engine.Info(ctx); f.engineErr != nil {
		return
	}
	f.held, f.engineErr = engine.Environments(ctx)
}

func (f *facts) examineFiles(ctx context.Context) {
	if f.home, f.homeErr = home.Open(); f.homeErr != nil {
		return
	}
	if f.files, f.homeErr = f.home.Environments(); f.homeErr != nil {
		return
	}
	if f.running, f.homeErr = runningEnvironments(ctx, f.home); f.homeErr != nil {
		return
	}
	f.examineTests(ctx)
	f.free, f.freeErr = freeSpace(nearestDir(f.home.Dir()))
}

// examineTests looks for environments that Go tests have brought up.
func (f *facts) examineTests(ctx context.Context) {
	all, err := home.Tests().Environments()
	if err != nil {
		f.homeErr = err
		return
	}
	for _, name := range all {
		if e := home.Tests().Environment(name); isRunning(ctx, e) || isBeginning(e) {
			f.testing = append(f.testing, name)
		} else {
			f.tests = append(f.tests, name)
		}
	}
}

// isBeginning says that the environment of a test was made a moment ago and
// nobody has had the time to lock it.
func isBeginning(e home.Environment) bool {
	if _, err := os.Stat(e.Lock()); err == nil {
		return false
	}
	info, err := os.Stat(e.Dir())
	return err == nil && time.Since(info.ModTime()) < time.Minute
}

// nearestDir is the directory itself, or the nearest one above that exists.
func nearestDir(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return dir
		}
		dir = up
	}
}

// ourPorts are the ports that this user's environments listen on.
func (f *facts) ourPorts(ctx context.Context) []int {
	var ports []int
	for _, name := range f.running {
		snap, err := client.New(f.home.Environment(name)).Snapshot(ctx)
		if err != nil {
			continue // it is ending just now: its ports are whatever they are
		}
		for _, address := range []string{snap.Edge, snap.SecureEdge, snap.API} {
			var port int
			if _, err := fmt.Sscanf(portOf(address, ""), ":%d", &port); err == nil {
				ports = append(ports, port)
			}
		}
		for _, app := range snap.Apps {
			ports = append(ports, app.Local.Port)
		}
	}
	return ports
}

// isTaken reports whether somebody listens on a loopback port.
func isTaken(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return errors.Is(err, syscall.EADDRINUSE) || strings.Contains(err.Error(), "Only one usage of each socket address")
	}
	_ = l.Close() // it was only a question
	return false
}

// repair removes what the diagnoses say is left over, and says so.
func repair(ctx context.Context, diagnoses []diagnosis) []diagnosis {
	for i := range diagnoses {
		left := diagnoses[i].leftover
		if left.Name == "" {
			continue
		}
		if err := removeDead(ctx, left, false); err != nil {
			diagnoses[i].Text += fmt.Sprintf("; removing it: %v", err)
			diagnoses[i].Hint = hintOf(err)
			continue
		}
		diagnoses[i].Level, diagnoses[i].Hint = levelDone, ""
	}
	return diagnoses
}
