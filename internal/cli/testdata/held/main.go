// Command held is both sides of calls that last: "held serve" and "held echo"
// answer them until somebody asks for /enough, "held call" makes one of each kind
// by name and prints how they went. "held get" asks for a URL until it is there,
// "held lost" for a name until it is gone.
package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	switch os.Args[1] {
	case "serve":
		serve()
	case "echo":
		echo()
	case "call":
		call()
	case "get":
		get(os.Args[2])
	case "lost":
		lost(os.Args[2])
	}
}

// beat is how often something moves on each connection.
const beat = 50 * time.Millisecond

func serve() {
	enough := make(chan struct{})
	var once sync.Once
	mux := http.NewServeMux()
	mux.HandleFunc("/enough", func(http.ResponseWriter, *http.Request) { once.Do(func() { close(enough) }) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		select {
		case <-enough:
			fmt.Fprint(w, "enough")
		default:
			fmt.Fprint(w, "go on")
		}
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) { // one answer, its head at once
		fmt.Println("held /slow")
		for {
			fmt.Fprint(w, ".")
			http.NewResponseController(w).Flush()
			select {
			case <-time.After(beat):
			case <-enough:
				fmt.Fprint(w, "end")
				return
			}
		}
	})
	mux.HandleFunc("/ws", func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Println("held /ws")
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
		io.Copy(conn, rw) // masked frames, which nobody minds here
	})
	fmt.Println(http.ListenAndServe(":8000", mux))
}

func echo() {
	l, err := net.Listen("tcp", ":5432")
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			fmt.Println(err)
			return
		}
		go func() {
			defer conn.Close()
			io.Copy(conn, conn)
		}()
	}
}

// enough is set by the poll that was told so.
var enough atomic.Bool

func call() {
	kinds := map[string]func() error{"slow": slow, "kept": kept, "fresh": fresh, "socket": socket, "raw": raw}
	results := make(chan string)
	for name, kind := range kinds {
		go func() { results <- fmt.Sprintf("%s: %v", name, kind()) }()
	}
	var all []string
	for range kinds {
		all = append(all, <-results)
	}
	slices.Sort(all)
	fmt.Println(strings.Join(all, "\n"))
}

func slow() error {
	resp, err := http.Get("http://back/slow")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && !strings.HasSuffix(string(body), ".end") {
		err = errors.New("it has no end")
	}
	return err
}

// kept asks for something again and again, with requests that are not sent
// twice, and fresh does so on a new connection each time.
func kept() error  { return poll(&http.Transport{}) }
func fresh() error { return poll(&http.Transport{DisableKeepAlives: true}) }

func poll(t *http.Transport) error {
	for ; ; time.Sleep(beat) {
		req, err := http.NewRequest(http.MethodPost, "http://back/", nil)
		if err != nil {
			return err
		}
		resp, err := t.RoundTrip(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		switch {
		case err != nil:
			return err
		case string(body) == "enough":
			enough.Store(true)
			return nil
		case string(body) != "go on":
			return fmt.Errorf("%s: %s", resp.Status, body)
		}
	}
}

func socket() error {
	conn, err := net.Dial("tcp", "back:80")
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: back\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return errors.New(resp.Status)
	}
	return pingPong(conn, r, "\x82\x84\x00\x00\x00\x00ping") // a binary frame of four bytes
}

func raw() error {
	conn, err := net.Dial("tcp", "db:5432")
	for by := time.Now().Add(patience); err != nil && time.Now().Before(by); time.Sleep(beat) {
		conn, err = net.Dial("tcp", "db:5432") // its gate may come after that of the others
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	return pingPong(conn, conn, "ping")
}

func pingPong(w io.Writer, r io.Reader, text string) error {
	got := make([]byte, len(text))
	for ; !enough.Load(); time.Sleep(beat) {
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		if _, err := io.ReadFull(r, got); err != nil {
			return err
		}
		if string(got) != text {
			return fmt.Errorf("got %q", got)
		}
	}
	return nil
}

// patience is how long names may take to come or go.
const patience = 20 * time.Second

func get(url string) {
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for deadline := time.Now().Add(patience); ; time.Sleep(beat) {
		resp, err := client.Get(url)
		if err != nil && time.Now().Before(deadline) {
			continue
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Println(resp.Status)
		return
	}
}

func lost(name string) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(beat) {
		_, err := net.LookupHost(name)
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			fmt.Println("no such host")
			return
		}
	}
	fmt.Println("it is still there")
}
