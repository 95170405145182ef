// Command app is what the Docker scripts run: a web server of one file.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "call" {
		call(os.Args[2])
		return
	}
	if len(os.Args) > 1 {
		fmt.Println("app says", os.Args[1])
		os.Exit(3)
	}
	if os.Getenv("CRASH") != "" {
		fmt.Fprintln(os.Stderr, "crashing as asked")
		os.Exit(1)
	}
	greeting := "hello from " + os.Getenv("CONTAINER_APP_NAME")
	if path := os.Getenv("GREETING_FILE"); path != "" {
		text, err := os.ReadFile(path)
		if err != nil || string(text) == "crash" {
			fmt.Fprintln(os.Stderr, "cannot use the greeting", string(text), err)
			os.Exit(1)
		}
		greeting = string(text)
	}
	warm := time.Now()
	if wait, err := time.ParseDuration(os.Getenv("WARMUP")); err == nil {
		warm = warm.Add(wait) // it listens, but is not ready until then
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	srv := &http.Server{Addr: ":8000", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if time.Now().Before(warm) {
			http.Error(w, "warming up", http.StatusServiceUnavailable)
			return
		}
		if r.URL.Path != "/health" {
			fmt.Println("served", r.URL.Path)
		}
		if wait, err := time.ParseDuration(r.URL.Query().Get("wait")); err == nil {
			select {
			case <-time.After(wait):
			case <-r.Context().Done():
			}
		}
		fmt.Fprintln(w, greeting)
	})}
	go srv.ListenAndServe()
	fmt.Println("listening")
	if n, err := strconv.Atoi(os.Getenv("FLOOD")); err == nil {
		go flood(n)
	}
	printLines(os.Getenv("LINES"))
	<-ctx.Done()
	fmt.Println("going down")
}

// call asks for a URL and prints status and body. It asks again after failures,
// of which it prints the last: names have their gate some seconds after apps are
// ready, and after a new daemon is there.
func call(url string) {
	http.DefaultTransport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	http.DefaultClient.Timeout = 3 * time.Second
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		r, err := http.Get(url)
		if err != nil && time.Now().Before(deadline) {
			continue
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		body, err := io.ReadAll(r.Body)
		fmt.Println(r.StatusCode, string(body), err)
		return
	}
}

// flood prints so many MiB, in lines of 8 KiB.
func flood(mib int) {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for i := range mib * 128 {
		fmt.Fprintf(out, "%08d %s\n", i, strings.Repeat("0123456789abcdef", (8<<10-10)/16))
	}
	out.Flush()
	fmt.Println("flooded")
}

// printLines prints so many numbered lines, as fast as they are taken.
func printLines(n string) {
	count, err := strconv.Atoi(n)
	if err != nil {
		return // nobody asks for lines
	}
	out := bufio.NewWriter(os.Stdout)
	for i := range count {
		fmt.Fprintf(out, "line %d of an app that prints a lot, and in a hurry\n", i)
	}
	fmt.Fprintln(out, "all lines are printed")
	out.Flush()
}
