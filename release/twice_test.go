package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// twice are the platforms of TestTwoBuildsAreTheSame. It compiles everything twice, which takes minutes.
var twice = flag.String("twice", "", "compare two releases for these platforms, such as linux/amd64, or all")

// TestTwoBuildsAreTheSame clones the last commit twice, and makes a release of each: in folders of different names, with a cache of its
// own, another time zone and other rights of new files. Every file has the same sum.
func TestTwoBuildsAreTheSame(t *testing.T) {
	if *twice == "" {
		t.Skip("it takes minutes: name platforms with -twice")
	}
	platforms := *twice
	if platforms == "all" {
		platforms = allPlatforms
	}
	var sums []string
	for name, where := range map[string][]string{
		"a":                   {"022", "TZ=UTC"},
		"another-one/further": {"077", "TZ=Asia/Tokyo", "LC_ALL=C.UTF-8", "GOFLAGS=-tags=none"},
	} {
		folder := filepath.Join(t.TempDir(), name)
		said(t, "git", "clone", "--quiet", source+"/.", folder)
		command := exec.CommandContext(t.Context(), "sh", "-c",
			"umask "+where[0]+` && exec go -C release run . -any-go -source "$PWD" -out "$PWD/build/release" -platforms "$0"`, platforms)
		command.Dir = folder
		command.Env = append(append(os.Environ(), "GOCACHE="+t.TempDir()), where[1:]...)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("make release: %v\n%s", err, out)
		}
		text, err := os.ReadFile(filepath.Join(folder, "build", "release", sumsName))
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, string(text))
	}
	if sums[0] != sums[1] || strings.Count(sums[0], "\n") < 5 {
		t.Errorf("one has\n%s\nthe other\n%s", sums[0], sums[1])
	}
	t.Logf("both have\n%s", sums[0])
}
