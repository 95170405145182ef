// Command agent is the program in the holder container of every replica. It
// works for the daemon at the other end of its standard streams and ends with
// SIGTERM. As "agent signal N" it sends signal N to all other processes of its
// namespace but the first, and ends at once.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/acalocal/acalocal/internal/agent/holder"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "signal" {
		if err := holder.SignalOthers(os.Args[2]); err != nil {
			complain(err)
			os.Exit(1)
		}
		return
	}
	// As process 1 nothing ends us that we do not ask for.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go serve()
	<-signals
}

// serve works until the streams fail. The process stays: the namespace must
// outlive them.
func serve() {
	if err := holder.Serve(os.Stdin, os.Stdout); err != nil {
		complain(err)
	}
}

func complain(err error) { fmt.Fprintln(os.Stderr, "acalocal agent:", err) }
