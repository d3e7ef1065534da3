package onehost

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

func TestAccountProblem(t *testing.T) {
	refused := func(kind fault.Kind, status, code int) error {
		return &fault.Error{Kind: kind, HTTPStatus: status, Code: code, Err: errors.New("refused")}
	}
	for name, tt := range map[string]struct {
		status   string
		err      error
		want     string
		answered bool
	}{
		"active":          {"active", nil, "", true},
		"suspended":       {"suspended", nil, "account is suspended", true},
		"closed":          {"closed", nil, "account is closed", true},
		"wrong token":     {"", refused(fault.Fatal, 401, 20003), "refuses TWILIO_AUTH_TOKEN", true},
		"suspended, 403":  {"", refused(fault.Fatal, 403, 20403), "suspended", true},
		"not reached":     {"", refused(fault.Transient, 0, 0), "", false},
		"trouble there":   {"", refused(fault.Transient, 503, 0), "", false},
		"too many":        {"", refused(fault.Throttled, 429, 20429), "", false},
		"a proxy's 403":   {"", refused(fault.Fatal, 403, 0), "", false},
		"not a fault":     {"", context.DeadlineExceeded, "", false},
		"another's error": {"", errors.New("x"), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			problem, answered := accountProblem(twilio.Account{Status: tt.status}, tt.err)
			if answered != tt.answered || !strings.Contains(problem, tt.want) || (tt.want == "") != (problem == "") {
				t.Errorf("%q, %v; want %q, %v", problem, answered, tt.want, tt.answered)
			}
		})
	}
}

// script answers the questions for the account in turn.
type script []error

// Account answers the next question; after the last error all is well.
func (s *script) Account(context.Context) (twilio.Account, error) {
	if len(*s) == 0 {
		return twilio.Account{Status: "active"}, nil
	}
	err := (*s)[0]
	*s = (*s)[1:]
	return twilio.Account{}, err
}

// lockedLog is a log that is read while it is written.
type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write takes a line.
func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all lines.
func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A refused account is logged once and shown until it is put right; a Twilio that is not reached says nothing about it.
func TestAccountIsAskedUntilItIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrong := &fault.Error{Kind: fault.Fatal, HTTPStatus: 401, Code: 20003, Err: errors.New("refused")}
		away := &fault.Error{Kind: fault.Transient, Err: errors.New("no route to host")}
		logs := &lockedLog{}
		r := &Relay{account: &script{away, wrong, wrong, away}, config: Config{Logger: slog.New(slog.NewTextHandler(logs, nil))}}
		done := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { done <- r.checkAccount(ctx) }()
		for _, tt := range []struct {
			problem bool
			lines   int
		}{{false, 0}, {true, 1}, {true, 1}, {true, 1}, {false, 2}} {
			synctest.Wait()
			r.problems.mu.Lock()
			problem := r.problems.account
			r.problems.mu.Unlock()
			if got := strings.Count(logs.String(), "\n"); (problem != "") != tt.problem || got != tt.lines {
				t.Errorf("problem %q and %d lines, want %v and %d:\n%s", problem, got, tt.problem, tt.lines, logs)
			}
			time.Sleep(accountPause)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
