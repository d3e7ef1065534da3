package zone_test

import (
	"archive/zip"
	"encoding/base64"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"quickdumpnow.com/smsrelay/shared/zone"
)

var update = flag.Bool("update", false, "write rules.txt from the toolchain's own data")

// from and to are between when the rules are held against the whole data.
var (
	from = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	to   = time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC)
)

// TestRulesAgreeWithTheDatabase holds the offset of each place in each hour of twelve years against the standard library's.
func TestRulesAgreeWithTheDatabase(t *testing.T) {
	t.Parallel()
	names := places(t)
	if len(names) < 400 {
		t.Fatalf("%d places, want those of the whole world", len(names))
	}
	for _, name := range names {
		want, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := zone.Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if at, ok := firstDifference(got, want); !ok {
			t.Errorf("%s: at %v it is %v, want %v", name, at, at.In(got), at.In(want))
		}
	}
}

// firstDifference returns when two places' clocks differ; ok is true if they do not. Between two equal ends of a day nothing changes twice.
func firstDifference(a, b *time.Location) (at time.Time, ok bool) {
	for at = from; at.Before(to); at = at.Add(3 * time.Hour) {
		_, x := at.In(a).Zone()
		_, y := at.In(b).Zone()
		if x != y {
			return at, false
		}
	}
	return at, true
}

func TestUnknownPlace(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Mars/Base", "Local", "America", "America/Los_Angeles\tPST8", "america/los_angeles", "../etc/passwd"} {
		if _, err := zone.Load(name); err == nil {
			t.Errorf("%q is a place", name)
		}
	}
}

// places are the names in the rules.
func places(t *testing.T) []string {
	t.Helper()
	if *update {
		writeRules(t)
		t.Skip("written: run the test again")
	}
	text, err := os.ReadFile("rules.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(line, "\t")
		names = append(names, name)
	}
	return names
}

// writeRules writes rules.txt.
func writeRules(t *testing.T) {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	var lines []string
	for _, file := range files.File {
		if strings.HasSuffix(file.Name, "/") {
			continue
		}
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, file.Name+"\t"+ruleOf(t, file.Name, data)+"\n")
	}
	slices.Sort(lines)
	if err := os.WriteFile("rules.txt", []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ruleOf returns the last line of a file of the database, which is the rule for all that comes, or the whole file if it does not say so.
func ruleOf(t *testing.T, name string, data []byte) string {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	rule := lines[len(lines)-1]
	place, err := time.LoadLocationFromTZData(name, zone.DataOf(t, rule))
	whole, wholeErr := time.LoadLocationFromTZData(name, data)
	if wholeErr != nil {
		t.Fatal(wholeErr)
	}
	if err == nil {
		if _, ok := firstDifference(place, whole); ok {
			return rule
		}
	}
	t.Logf("%s goes by no rule", name)
	return "=" + base64.StdEncoding.EncodeToString(data)
}
