// Command swap is an app that bears a load on little CPU, for
// scripts/bench-swap.sh: what the bench measures is then the platform's. It
// answers at once, says when it starts, and ends as a good app does: on SIGTERM
// it finishes what it has begun.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	revision := os.Getenv("CONTAINER_APP_REVISION")
	answer := func(w http.ResponseWriter, _ *http.Request) {
		if _, err := w.Write([]byte(revision + "\n")); err != nil {
			log.Print(err)
		}
	}
	http.HandleFunc("/", answer)
	http.HandleFunc("/health", answer)
	server := &http.Server{Addr: ":8000", ReadHeaderTimeout: 10 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ended <- server.Shutdown(context.Background())
	}()
	log.Printf("%s starts", revision)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	log.Printf("%s is done", revision)
}
