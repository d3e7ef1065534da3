package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// auditOf runs a verb of relay audit.
func auditOf(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, trouble bytes.Buffer
	p := program{cli.Program{Stdout: &out, Stderr: &trouble, Lookup: func(string) (string, bool) { return "", false }}}
	code = p.run(t.Context(), append([]string{"audit"}, args...))
	return code, out.String(), trouble.String()
}

// TestVerifyBesideARelayThatIsBehind: what the outbox still holds is no gap, and what it no longer holds is.
func TestVerifyBesideARelayThatIsBehind(t *testing.T) {
	data := t.TempDir()
	log, err := jsonlines.Open(filepath.Join(data, datafolder.AuditFile), jsonlines.Config{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), filepath.Join(data, datafolder.DatabaseFile), time.Now)
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
	if code, out, trouble := auditOf(t, "verify", "--data", data); code != cli.ExitDone || !strings.Contains(out, "pending  1") {
		t.Errorf("while the outbox holds the change: exit code %d\n%s%s", code, out, trouble)
	}
	changes, err := db.Changes().Read(t.Context(), 1, 0)
	if err != nil || len(changes) != 1 {
		t.Fatalf("%d changes, error %v", len(changes), err)
	}
	if err := db.Changes().Checkpoint(t.Context(), changes[0].SequenceNumber); err != nil {
		t.Fatal(err)
	}
	if code, out, trouble := auditOf(t, "verify", "--data", data); code != cli.ExitFound ||
		!strings.Contains(out, "the log has no entry of it") {
		t.Errorf("when the change has left the outbox: exit code %d\n%s%s", code, out, trouble)
	}
}

// TestVerifyOfFiles that are not as they should be.
func TestVerifyOfFiles(t *testing.T) {
	sound := soundLine(t)
	forged := strings.Replace(sound, `"to":"sending"`, `"to":"dropped"`, 1)
	stamped := `{"@timestamp":"2026-11-24T12:01:00.000Z",` + sound[1:]
	for name, tt := range map[string]struct {
		text string
		code int
		want string
	}{
		"empty":                        {"", cli.ExitDone, "0 entries, 0 texts"},
		"sound":                        {sound + "\n", cli.ExitDone, "1 entries, 1 texts"},
		"sound, on Windows":            {sound + "\r\n", cli.ExitDone, "1 entries, 1 texts"},
		"without a newline":            {sound, cli.ExitDone, "1 entries, 1 texts"},
		"a mark and empty lines":       {"\ufeff\n" + sound + "\n\r\n \n", cli.ExitDone, "1 entries, 1 texts"},
		"the last line is torn":        {sound + "\n" + sound[:60], cli.ExitDone, "torn  1"},
		"the only line is torn":        {sound[:60], cli.ExitDone, "torn  1"},
		"a line with a time is torn":   {sound + "\n2026-11-28T17:00:00Z " + sound[:60], cli.ExitDone, "torn  1"},
		"a time is torn":               {sound + "\n2026-11-28T17", cli.ExitDone, "torn  1"},
		"a hole at the end":            {sound + "\n\x00\x00\x00", cli.ExitDone, "torn  1"},
		"a line in the middle is torn": {sound + "\n" + sound[:60] + "\n" + sound + "\n", cli.ExitFound, "line 2: the line is not an entry"},
		"empty lines are counted":      {"\n\n" + sound[:60] + "\n" + sound + "\n", cli.ExitFound, "line 3: the line is not an entry"},
		"a line without end":           {sound + "\n" + strings.Repeat("x", 5<<20), cli.ExitFailed, "line 2: it is longer than any line"},
		"compressed, and torn":         {"\x1f\x8b\x08\x00", cli.ExitFailed, "read "},

		"an invalid last line":                  {sound + "\nnonsense", cli.ExitFound, "line 2: the line is not an entry"},
		"forged, without a newline":             {sound + "\n" + forged, cli.ExitFound, "line 2: its hash is not that of what it says"},
		"forged, the only line":                 {forged, cli.ExitFound, "line 1: its hash is not that of what it says"},
		"forged with a time, without a newline": {"2026-11-28T17:00:00Z " + `{"forged":true}`, cli.ExitFound, "line 1: the line is not an entry"},
		"forged as serve writes": {
			stamped + "\n" + strings.Replace(stamped, `"to":"sending"`, `"to":"sent"`, 1), cli.ExitFound,
			"line 2: its hash",
		},
		"forged behind a mark": {"\ufeff" + forged, cli.ExitFound, "line 1: its hash is not that of what it says"},
	} {
		for _, packed := range []bool{false, true} {
			if packed && strings.HasPrefix(tt.text, "\x1f\x8b") {
				continue
			}
			t.Run(fmt.Sprintf("%s, packed %t", name, packed), func(t *testing.T) {
				path := writeLines(t, tt.text, packed)
				code, out, trouble := auditOf(t, "verify", "--file", path)
				if code != tt.code || !strings.Contains(out+trouble, tt.want) {
					t.Errorf("exit code %d, want %d and %q\n%s%s", code, tt.code, tt.want, out, trouble)
				}
			})
		}
	}
}

// soundLine returns the line of an entry.
func soundLine(t *testing.T) string {
	t.Helper()
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
	return string(line.Text)
}

// writeLines writes a file of lines, also compressed.
func writeLines(t *testing.T, text string, packed bool) (path string) {
	t.Helper()
	var content bytes.Buffer
	if packed {
		w := gzip.NewWriter(&content)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	} else {
		content.WriteString(text)
	}
	path = filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(path, content.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLastLineWithoutANewline is a line like any other to all that read a file; a torn one is reported.
func TestLastLineWithoutANewline(t *testing.T) {
	sound := soundLine(t)
	for _, packed := range []bool{false, true} {
		whole := writeLines(t, "\ufeff\n"+sound, packed)
		torn := writeLines(t, sound+"\n"+sound[:60], packed)
		for _, verb := range [][]string{{"export", "--format", "jsonl"}, {"trace", "--json", relaytest.MessageSid(1)}} {
			if code, out, trouble := auditOf(t, append(verb, "--file", whole)...); code != cli.ExitDone || out != sound+"\n" || trouble != "" {
				t.Errorf("%v: exit code %d\n%s%s", verb, code, out, trouble)
			}
			code, out, trouble := auditOf(t, append(verb, "--file", torn)...)
			if code != cli.ExitDone || out != sound+"\n" || !strings.Contains(trouble, "line 2 of "+torn+" has no end and is left out") {
				t.Errorf("%v of a torn file: exit code %d\n%s%s", verb, code, out, trouble)
			}
		}
		for _, path := range []string{whole, torn} {
			ctx, end := context.WithCancel(t.Context())
			out := &endsWhenWritten{end: end}
			p := program{cli.Program{Stdout: out, Stderr: out, Lookup: func(string) (string, bool) { return "", false }}}
			if code := p.run(ctx, []string{"tail", "--json", "--since", "2026-11-24T00:00:00Z", "--file", path}); code != cli.ExitDone ||
				out.String() != sound+"\n" {
				t.Errorf("tail: exit code %d\n%s", code, out.String())
			}
		}
	}
}
