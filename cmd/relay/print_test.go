package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/fake"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// hostile is what a customer may write, or an operator be called: it clears the screen, makes a link, rings, hides, turns
// the line around, and begins a line of its own that looks like the program's.
const hostile = "hi\x1b[2J\x1b]8;;https://example.com\x07\u009b31m\u0085\x7f\u202e\u2066\u2069\u200e\u200f\u2028\u2029\r\nFORGED\tx"

// hostileRelay makes a data folder in which every word of somebody's is hostile.
func hostileRelay(t *testing.T) (data string) {
	t.Helper()
	data = t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test reads it again.
	for n, state := range []ledger.State{ledger.Uncertain, ledger.Dead} {
		r := hostileRecord(n+1, state)
		if _, err := db.Ledger().Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	m := relaytest.Message(2)
	m.Body = hostile
	letter, err := queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: m.Sid, ReceivedAt: time.Now(),
		Message: &m,
	}.Outgoing()
	if err != nil {
		t.Fatal(err)
	}
	// A queue takes no control characters but these.
	queued := strings.NewReplacer("\x1b", "", "\x07", "").Replace(hostile)
	dead := db.Queue(datafolder.DeadLettersName, sqlite.QueueConfig{})
	letter.Attributes = map[string]string{
		delivery.AttributeReason: "attempts_exhausted", delivery.AttributeLastError: queued,
		delivery.AttributeAttempts: "2", delivery.AttributeHop: queued,
	}
	if err := dead.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	if err := dead.Send(t.Context(), queue.Outgoing{Body: "unreadable " + queued, Group: "g", DeduplicationID: "d"}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Routes().Put(t.Context(), route.Route{
		TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: relaytest.Destination, Active: true, UpdatedBy: hostile,
		LastUpdated: time.Now(),
	}); err != nil {
		t.Fatal(err)
	}
	hostileAudit(t, data)
	return data
}

func hostileRecord(n int, state ledger.State) ledger.Record {
	r := relaytest.Record(n, time.Now())
	r.State, r.Reason, r.Body = state, "attempts_exhausted", hostile
	r.Attempts = []ledger.Attempt{{
		Number: 1, To: relaytest.Destination, StartedAt: time.Now(), EndedAt: time.Now(), Outcome: "unknown",
		Error: hostile,
	}}
	r.Decision = ledger.Decision{What: ledger.VerdictResend, By: hostile, Note: hostile, At: time.Now()}
	return r
}

// hostileAudit writes an entry as this version does, and one as the version before did.
func hostileAudit(t *testing.T, data string) {
	t.Helper()
	after := hostileRecord(1, ledger.Uncertain)
	after.Version = 1
	entry, err := auditlog.MessageEntry(nil, &after, auditlog.ChangeCreated, auditlog.Seen{At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	line, err := entry.Line()
	if err != nil {
		t.Fatal(err)
	}
	log, err := jsonlines.Open(filepath.Join(data, datafolder.AuditFile), jsonlines.Config{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() //nolint:errcheck // a test's.
	ofRoute, err := auditlog.Entry{
		ID: "route:***0100.1@1", Time: time.Now().Add(-time.Hour), Subject: auditlog.SubjectRoute, Change: auditlog.ChangeCreated, Version: 1,
		TwilioNumber: "***0100",
		After:        &auditlog.Route{DestinationCarrier: hostile, Active: true}, Actor: hostile,
	}.Line()
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Append(t.Context(), []auditlog.Line{line, ofRoute}); err != nil {
		t.Fatal(err)
	}
}

// TestNothingRawReachesATerminal runs every command that shows what somebody else wrote.
func TestNothingRawReachesATerminal(t *testing.T) {
	data := hostileRelay(t)
	fake, url := newFake(t, nil)
	missing := twiliofake.Inbound{From: "+13125550141", To: testNumber, Body: hostile}
	if _, err := fake.SendInbound(t.Context(), missing, "http://127.0.0.1:1/sms/inbound"); err != nil {
		t.Logf("nobody hears it, as is meant: %v", err)
	}
	sid := relaytest.MessageSid(1)
	for _, line := range []string{
		"dlq ls", "dlq ls --json", "dlq show " + relaytest.MessageSid(2), "dlq show --json " + relaytest.MessageSid(2),
		"dlq redrive", "dlq drop --settled", "uncertain ls", "uncertain ls --json", "status", "status --json", "status " + sid,
		"status --json " + sid,
		"status --trail " + sid, "status --json --trail " + sid, "sweep --grace 0s", "sweep --grace 0s --json",
		"audit trace " + sid, "audit trace --json " + sid, "audit export", "audit export --format jsonl", "audit verify", "audit verify --json",
		"route ls", "route ls --json", "route history " + string(testNumber), "route history --at 0s " + string(testNumber),
		"route get " + string(testNumber), "route get --json " + string(testNumber), "route export",
		"route set " + string(testNumber) + " --to +16195550124", "number ls", "number ls --json",
		"send " + string(testNumber) + " --from +13125550141 --dry-run --body", "status --state", "dlq show", "uncertain resolve", "explain",
		"uncertain resolve " + sid + " --give-up --because", "audit verify --file", "route check",
	} {
		args := strings.Fields(line)
		switch args[len(args)-1] {
		case "--body", "--state", "--because", "--file", "show", "resolve", "explain":
			args = append(args, hostile)
		}
		out := ran(t, url, data, args)
		if raw := rawIn(out); raw != "" {
			t.Errorf("relay %s shows %s raw:\n%+q", line, raw, out)
		}
		if strings.Contains(out, "\nFORGED") {
			t.Errorf("relay %s shows a line that a text made up:\n%s", line, out)
		}
	}
}

// ran runs a command on the folder, and returns what it said.
func ran(t *testing.T, twilioURL, data string, args []string) string {
	t.Helper()
	var out bytes.Buffer
	environment := map[string]string{
		cli.EnvAccountSid: fake.AccountSid, cli.EnvAuthToken: fake.AuthToken, cli.EnvTwilioBaseURL: twilioURL, cli.EnvData: data,
		cli.EnvOperator: hostile,
	}
	p := program{cli.Program{Stdout: &out, Stderr: &out, Lookup: func(name string) (string, bool) {
		value,
			ok := environment[name]
		return value, ok
	}}}
	p.run(t.Context(), args)
	if out.Len() == 0 {
		t.Errorf("relay %v says nothing", args)
	}
	return out.String()
}

// rawIn names the first character that does more than show a letter.
func rawIn(out string) string {
	for _, r := range out {
		if r == utf8.RuneError || r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' ||
			r == '\u2029') {
			return fmt.Sprintf("%U", r)
		}
	}
	return ""
}

// endsWhenWritten ends a context at the first write.
type endsWhenWritten struct {
	bytes.Buffer

	end context.CancelFunc
}

// Write keeps what was written.
func (w *endsWhenWritten) Write(p []byte) (int, error) {
	w.end()
	return w.Buffer.Write(p)
}

// TestNothingRawWhileWatching looks at what goes on until Ctrl-C, and at the log of a relay serve for people.
func TestNothingRawWhileWatching(t *testing.T) {
	data := hostileRelay(t)
	for _, args := range [][]string{{"tail", "--since", "1h"}, {"tail", "--since", "1h", "--json"}, {"status", "--watch"}} {
		ctx, end := context.WithCancel(t.Context())
		out := &endsWhenWritten{end: end}
		p := program{cli.Program{Stdout: out, Stderr: out, Lookup: func(string) (string, bool) { return "", false }}}
		if code := p.run(ctx, append(args, "--data", data)); code != cli.ExitDone {
			t.Errorf("relay %v: exit code %d", args, code)
		}
		if raw := rawIn(out.String()); raw != "" || out.Len() == 0 || strings.Contains(out.String(), "\nFORGED") {
			t.Errorf("relay %v shows %s raw:\n%+q", args, raw, out.String())
		}
	}
	var out bytes.Buffer
	slog.New(cli.NewConsole(&out, false)).Warn("trouble", slog.String("error", hostile), slog.String("name", "a\u202eb"))
	if raw := rawIn(out.String()); raw != "" || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("the log shows %s raw:\n%+q", raw, out.String())
	}
}
