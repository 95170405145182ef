package api

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"sync"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Access is what admits callers who come by TCP: a token, and codes that are
// exchanged for it once. A link that is printed, and so may end up in the
// history of a browser or a terminal, carries a code and never the token. Its
// methods may be called concurrently.
type Access struct {
	token string

	mu    sync.Mutex
	codes map[string]time.Time // when they end; guarded by mu
}

// codeLife is how long a code may be exchanged, maxCodes how many there are at
// once; the oldest go first.
const (
	codeLife = 5 * time.Minute
	maxCodes = 32
)

// NewAccess returns what admits callers who know token, which may not be "".
func NewAccess(token string) *Access {
	return &Access{token: token, codes: map[string]time.Time{}}
}

// NewToken draws a token of 128 bits, as text.
func NewToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	return hex.EncodeToString(b[:])
}

// Token returns the token.
func (a *Access) Token() string { return a.token }

// issue makes a code.
func (a *Access) issue(now time.Time) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	oldest := ""
	for code, end := range a.codes {
		if !now.Before(end) {
			delete(a.codes, code)
			continue
		}
		if oldest == "" || end.Before(a.codes[oldest]) {
			oldest = code
		}
	}
	if len(a.codes) >= maxCodes {
		delete(a.codes, oldest)
	}
	code := NewToken()
	a.codes[code] = now.Add(codeLife)
	return code
}

// redeem takes a code out of circulation and reports whether it was good.
func (a *Access) redeem(code string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	end, ok := a.codes[code]
	delete(a.codes, code)
	return ok && now.Before(end)
}

// admits reports whether a request carries the token.
func (a *Access) admits(r *http.Request) bool {
	got := bearer(r)
	return got != "" && subtle.ConstantTimeCompare([]byte(got), []byte(a.token)) == 1
}

// AccessAnswer says how to reach the API by TCP, and with what.
type AccessAnswer struct {
	// URL is the base URL, without a final slash. The same port answers https
	// with a certificate of the local authority.
	URL string `json:"url"`
	// Token goes into "Authorization: Bearer …". It stays the same for as long
	// as the environment has a state directory.
	Token string `json:"token"`
	// Workspace is the ID under which the log tables answer as a Log
	// Analytics workspace.
	Workspace string `json:"workspace"`
	// Code can be exchanged for the token once, within five minutes.
	Code string `json:"code"`
}

// access answers how to come by TCP.
func (s *server) access(w http.ResponseWriter, _ *http.Request) error {
	if s.Access == nil {
		return &aca.Error{Code: codeUnavailable, Message: "This environment has no local port."}
	}
	return reply(w, AccessAnswer{URL: s.Address, Token: s.Access.token, Workspace: s.Workspace, Code: s.Access.issue(time.Now())})
}

// SessionBody is a code to be exchanged.
type SessionBody struct {
	Code string `json:"code"`
}

// SessionAnswer is what a code is good for.
type SessionAnswer struct {
	Token string `json:"token"`
}

// session exchanges a code for the token.
func (s *server) session(w http.ResponseWriter, r *http.Request) error {
	var b SessionBody
	if err := decodeJSON(r.Body, &b); err != nil {
		return err
	}
	if s.Access == nil || !s.Access.redeem(b.Code, time.Now()) {
		return &aca.Error{Code: codeForbidden, Message: "This link has been used already, or is older than five minutes."}
	}
	return reply(w, SessionAnswer{s.Access.token})
}
