package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// routeLs runs relay route ls on the folder.
func routeLs(t *testing.T, data string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, trouble bytes.Buffer
	p := program{cli.Program{Stdout: &out, Stderr: &trouble, Lookup: func(string) (string, bool) { return "", false }}}
	code = p.run(t.Context(), append([]string{"route", "ls", "--data", data}, args...))
	return code, out.String(), trouble.String()
}

// TestRouteLsShowsWhoHasOptedOut, at once and while another process writes.
func TestRouteLsShowsWhoHasOptedOut(t *testing.T) {
	data := t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if code, out, trouble := routeLs(t, data); code != cli.ExitDone || !strings.Contains(out, "There are no routes") || trouble != "" {
		t.Errorf("without routes: exit code %d\n%s%s", code, out, trouble)
	}
	if code, out, trouble := routeLs(t, data, "--json"); code != cli.ExitDone || out != "[]\n" || trouble != "" {
		t.Errorf("without routes, in JSON: exit code %d\n%s%s", code, out, trouble)
	}
	const fallback = sms.PhoneNumber("+16195550124")
	byHand := route.Route{
		TwilioNumber: testNumber, DestinationCarrier: testDestination, FallbackCarriers: []sms.PhoneNumber{fallback},
		Active: true,
	}
	if _, err := db.Routes().Put(t.Context(), byHand); err != nil {
		t.Fatal(err)
	}
	for hop, want := range map[sms.PhoneNumber]string{
		testDestination: "+18585550100  +16195550123 (opted out)  +16195550124  yes     -         2        -",
		fallback:        "+18585550100  +16195550123  +16195550124 (opted out)  yes     -         4        -",
	} {
		if err := route.MarkOptedOut(t.Context(), db.Routes(), testNumber, hop, true); err != nil {
			t.Fatal(err)
		}
		_, out, trouble := routeLs(t, data)
		if row := strings.Split(out, "\n")[1]; trouble != "" || columns(row) != columns(want) {
			t.Errorf("row (opted out %s):\n%s%s\nwant:\n%s", hop, row, trouble, want)
		}
		var listed []struct {
			OptedOut []sms.PhoneNumber `json:"opted_out"`
		}
		_, out, _ = routeLs(t, data, "--json")
		err := json.Unmarshal([]byte(out), &listed)
		if err != nil || len(listed) != 1 || cmp.Diff([]sms.PhoneNumber{hop}, listed[0].OptedOut) != "" {
			t.Errorf("in JSON (opted out %s): %s%v", hop, out, err)
		}
		if err := route.MarkOptedOut(t.Context(), db.Routes(), testNumber, hop, false); err != nil {
			t.Fatal(err)
		}
	}
}

// columns leaves out how wide the columns are, and the version.
func columns(row string) string {
	cells := strings.Fields(row)
	if len(cells) > 1 {
		cells[len(cells)-2] = "version"
	}
	return strings.Join(cells, " ")
}

// TestRouteLsGivesAdvice where the file cannot be read.
func TestRouteLsGivesAdvice(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(folder, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(empty, datafolder.DatabaseFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{
		filepath.Join(folder, "none"): "hint: relay serve makes this file",
		file:                          "hint: relay serve makes this file",
		empty:                         "hint: start relay serve of this version once",
	} {
		code, out, trouble := routeLs(t, data)
		if code != cli.ExitFailed || out != "" || !strings.Contains(trouble, want) {
			t.Errorf("%s: exit code %d, %s%s; want %s", filepath.Base(data), code, out, trouble, want)
		}
	}
}
