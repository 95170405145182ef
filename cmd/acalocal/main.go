// Command acalocal runs Azure Container Apps on your own machine.
package main

import (
	"context"
	"os"

	"github.com/acalocal/acalocal/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
