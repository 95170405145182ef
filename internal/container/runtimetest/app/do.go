//go:build unix

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

// do does one thing and returns the exit code.
func do(word string, args []string) int {
	things := map[string]func([]string) int{
		"exit":     exit,
		"cat":      cat,
		"read":     read,
		"write":    write,
		"bind":     bind,
		"eat":      eat,
		"hostname": hostname,
		"lookup":   lookup,
		"get":      get,
		"fork":     fork,
		"lines":    lines,
	}
	if things[word] == nil {
		fmt.Fprintln(os.Stderr, "cannot do", word)
		return 2
	}
	return things[word](args)
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// exit prints to both streams and ends with a code: exit CODE OUT ERR.
func exit(args []string) int {
	fmt.Fprintln(os.Stdout, args[1])
	fmt.Fprintln(os.Stderr, args[2])
	code, err := strconv.Atoi(args[0])
	if err != nil {
		return fail(err)
	}
	return code
}

// cat copies input to output in upper case.
func cat([]string) int {
	b, err := io.ReadAll(os.Stdin)
	if err != nil {
		return fail(err)
	}
	fmt.Print(strings.ToUpper(string(b)))
	return 0
}

// read prints a file: read FILE.
func read(args []string) int {
	b, err := os.ReadFile(args[0])
	if err != nil {
		return fail(err)
	}
	fmt.Print(string(b))
	return 0
}

// write writes a file as a user: write FILE UID.
func write(args []string) int {
	uid, err := strconv.Atoi(args[1])
	if err != nil {
		return fail(err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fail(err)
	}
	return failIf(os.WriteFile(args[0], []byte("written\n"), 0o644))
}

// bind listens on a port as a user: bind PORT UID.
func bind(args []string) int {
	uid, err := strconv.Atoi(args[1])
	if err != nil {
		return fail(err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fail(err)
	}
	l, err := net.Listen("tcp", ":"+args[0])
	if err != nil {
		return fail(err)
	}
	return failIf(l.Close())
}

func failIf(err error) int {
	if err != nil {
		return fail(err)
	}
	return 0
}

// eat takes memory until it is killed.
func eat([]string) int {
	var kept [][]byte
	for {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
		if len(kept) > 4096 { // the limit did not work
			return 1
		}
	}
}

func hostname([]string) int {
	name, err := os.Hostname()
	if err != nil {
		return fail(err)
	}
	fmt.Println(name)
	return 0
}

// lookup prints the addresses of a name: lookup NAME.
func lookup(args []string) int {
	addrs, err := net.LookupHost(args[0])
	if err != nil {
		return fail(err)
	}
	fmt.Println(strings.Join(addrs, " "))
	return 0
}

// get prints what a TCP port says to a line: get HOST:PORT LINE.
func get(args []string) int {
	conn, err := net.Dial("tcp", args[0])
	if err != nil {
		return fail(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintln(conn, args[1]); err != nil {
		return fail(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return fail(err)
	}
	_, err = io.Copy(os.Stdout, conn)
	return failIf(err)
}

// fork runs a copy of itself that says which signal it got, and waits for it
// without passing signals on: fork.
func fork(args []string) int {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGQUIT)
	if len(args) > 0 { // the copy
		fmt.Println("child ready")
		fmt.Println("child got", <-signals)
		return 0
	}
	p, err := os.StartProcess("/app", []string{"/app", "do", "fork", "child"}, &os.ProcAttr{Files: []*os.File{nil, os.Stdout, os.Stderr}})
	if err != nil {
		return fail(err)
	}
	state, err := p.Wait()
	if err != nil {
		return fail(err)
	}
	fmt.Println("child ended", state.ExitCode())
	return 0
}

// lines prints numbered lines: lines COUNT WIDTH.
func lines(args []string) int {
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return fail(err)
	}
	width, err := strconv.Atoi(args[1])
	if err != nil {
		return fail(err)
	}
	fill := strings.Repeat("x", width)
	for i := range count {
		fmt.Printf("%08d %s\n", i, fill)
	}
	return 0
}
