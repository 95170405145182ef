// Command agent is the program in the holder container of every replica. It
// works for the daemon at the other end of its standard streams and ends with
// SIGTERM.
//
// As "agent signal N" it sends signal N to all other processes of its namespace
// but the first, and ends at once. In an image with a script it stands in for
// the program of a container, whatever its arguments are; see package standin.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/acalocal/acalocal/internal/agent/holder"
	"github.com/acalocal/acalocal/internal/agent/standin"
)

func main() {
	switch {
	case os.Args[0] == standin.HogName:
		exitOn(standin.TakeMemory())
		return
	case len(os.Args) == 3 && os.Args[1] == "signal" && !standsIn():
		exitOn(holder.SignalOthers(os.Args[2]))
		return
	}
	// As process 1 nothing ends us that we do not ask for.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if standsIn() {
		code, err := standin.Run("", signals)
		if err != nil {
			complain(err)
		}
		os.Exit(code)
	}
	go serve()
	<-signals
}

// standsIn says that this image has a script.
func standsIn() bool {
	_, err := os.Stat(standin.ScriptPath)
	return err == nil
}

// serve works until the streams fail. The process stays: the namespace must
// outlive them.
func serve() {
	if err := holder.Serve(os.Stdin, os.Stdout); err != nil {
		complain(err)
	}
}

func exitOn(err error) {
	if err != nil {
		complain(err)
		os.Exit(1)
	}
}

func complain(err error) { fmt.Fprintln(os.Stderr, "acalocal agent:", err) }
