package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/embedded"
	"quickdumpnow.com/smsrelay/cmd/relay/trail"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/jsonlines"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/relaytest"
	"quickdumpnow.com/smsrelay/shared/sqlite"
)

// auditOf runs a verb of relay audit.
func auditOf(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, trouble bytes.Buffer
	p := program{stdout: &out, stderr: &trouble, lookup: func(string) (string, bool) { return "", false }}
	code = p.run(t.Context(), append([]string{"audit"}, args...))
	return code, out.String(), trouble.String()
}

// TestVerifyBesideARelayThatIsBehind: what the outbox still holds is no gap, and what it no longer holds is.
func TestVerifyBesideARelayThatIsBehind(t *testing.T) {
	data := t.TempDir()
	log, err := jsonlines.Open(filepath.Join(data, embedded.AuditFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), filepath.Join(data, embedded.DatabaseFile), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	claimed := storyLife(1, storyNoon)[0]
	sealed, err := auditlog.Seal(ledger.Record{}, claimed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Ledger().Create(t.Context(), sealed); err != nil {
		t.Fatal(err)
	}
	if code, out, trouble := auditOf(t, "verify", "--data", data); code != exitDone || !strings.Contains(out, "pending  1") {
		t.Errorf("while the outbox holds the change: exit code %d\n%s%s", code, out, trouble)
	}
	changes, err := db.Changes().Read(t.Context(), 1, 0)
	if err != nil || len(changes) != 1 {
		t.Fatalf("%d changes, error %v", len(changes), err)
	}
	if err := db.Changes().Checkpoint(t.Context(), changes[0].SequenceNumber); err != nil {
		t.Fatal(err)
	}
	if code, out, trouble := auditOf(t, "verify", "--data", data); code != exitFound || !strings.Contains(out, "the log has no entry of it") {
		t.Errorf("when the change has left the outbox: exit code %d\n%s%s", code, out, trouble)
	}
}

// TestVerifyOfFiles that are not as they should be.
func TestVerifyOfFiles(t *testing.T) {
	var entry auditlog.Entry
	for _, r := range storyLife(1, storyNoon)[:1] {
		sealed, err := auditlog.Seal(ledger.Record{}, r)
		if err != nil {
			t.Fatal(err)
		}
		sealed.Version = 1
		if entry, err = auditlog.MessageEntry(nil, &sealed, auditlog.ChangeCreated, auditlog.Seen{}); err != nil {
			t.Fatal(err)
		}
	}
	line, err := entry.Line()
	if err != nil {
		t.Fatal(err)
	}
	sound := string(line.Text)
	for name, tt := range map[string]struct {
		text string
		code int
		want string
	}{
		"empty":                        {"", exitDone, "0 entries, 0 texts"},
		"sound":                        {sound + "\n", exitDone, "1 entries, 1 texts"},
		"sound, on Windows":            {sound + "\r\n", exitDone, "1 entries, 1 texts"},
		"without a newline":            {sound, exitDone, "1 entries, 1 texts"},
		"the last line is torn":        {sound + "\n" + sound[:60], exitDone, "1 entries, 1 texts"},
		"a line in the middle is torn": {sound + "\n" + sound[:60] + "\n" + sound + "\n", exitFound, "line 2: the line is no entry"},
		"a line without end":           {sound + "\n" + strings.Repeat("x", 5<<20), exitFailed, "line 2: it is longer than any line"},
		"compressed, and torn":         {"\x1f\x8b\x08\x00", exitFailed, "read "},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lines")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			code, out, trouble := auditOf(t, "verify", "--file", path)
			if code != tt.code || !strings.Contains(out+trouble, tt.want) {
				t.Errorf("exit code %d, want %d and %q\n%s%s", code, tt.code, tt.want, out, trouble)
			}
		})
	}
}

// ledgerOf is a ledger that gives the answers of a test.
type ledgerOf map[string]auditlog.Head

func (l ledgerOf) Each(_ context.Context, visit func(string, auditlog.Head)) error {
	for sid, head := range l {
		visit(sid, head)
	}
	return nil
}

func (l ledgerOf) Head(_ context.Context, sid string) (auditlog.Head, error) { return l[sid], nil }

func (ledgerOf) Unaudited(context.Context, func(string)) error { return nil }

// TestVerifyWaitsForARemoval once, and reads the end of the log again.
func TestVerifyWaitsForARemoval(t *testing.T) {
	r := storyLife(1, storyNoon)[0]
	r.Version = 1
	lineOf := func(before, after *ledger.Record, change string) auditlog.Line {
		entry, err := auditlog.MessageEntry(before, after, change, auditlog.Seen{At: storyNoon.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		line, err := entry.Line()
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	for name, comes := range map[string]bool{"it comes": true, "it never comes": false} {
		t.Run(name, func(t *testing.T) {
			lines := []auditlog.Line{lineOf(nil, &r, auditlog.ChangeCreated)}
			waited := 0
			source := &trail.Source{
				Ledger: ledgerOf{}, Lag: time.Minute,
				Read: func(_ context.Context, _ trail.Query, visit func(auditlog.Line) error) error {
					for _, line := range lines {
						if err := visit(line); err != nil {
							return err
						}
					}
					return nil
				},
			}
			v := verification{source: source, now: func() time.Time { return storyNoon.Add(time.Hour) }, wait: func(_ context.Context, until time.Time, removed int) error {
				waited++
				if removed != 1 || !until.Equal(storyNoon.Add(time.Hour+time.Minute)) {
					t.Errorf("waits until %v for %d", until, removed)
				}
				if comes {
					lines = append(lines, lineOf(&r, nil, auditlog.ChangeExpired))
				}
				return nil
			}}
			report, err := v.run(t.Context())
			if err != nil || waited != 1 || report.Sound() != comes {
				t.Errorf("waited %d times, report %+v, error %v", waited, report, err)
			}
		})
	}
}

// TestExportKeepsSpreadsheetsFromFormulas: who changed a route may have any name.
func TestExportKeepsSpreadsheetsFromFormulas(t *testing.T) {
	row := cells(auditlog.Entry{Actor: `=HYPERLINK("https://example.com")`, Reason: "refused", TwilioNumber: relaytest.TwilioNumber.Mask()})
	if row[18] != `'=HYPERLINK("https://example.com")` || row[8] != "refused" || row[9] != "***0100" || len(row) != len(columnNames()) {
		t.Errorf("row %q", row)
	}
}
