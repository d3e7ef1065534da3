package conventions

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMakeListsEachTarget wants every target for people in the list that make prints. sam build calls the build-…Function ones.
func TestMakeListsEachTarget(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not here")
	}
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-C", root).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range regexp.MustCompile(`(?m)^\.PHONY: ([a-z0-9-]+)$`).FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains(string(list), "\n  "+target[1]+" ") && !strings.HasPrefix(string(list), "  "+target[1]+" ") {
			t.Errorf("make does not list %s", target[1])
		}
	}
}

// TestMakeBuildsIntoAFolder wants the targets of sam build to refuse while nothing says which folder to fill: they would fill the root.
func TestMakeBuildsIntoAFolder(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not here")
	}
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := regexp.MustCompile(`(?m)^(build-\w+Function):`).FindAllStringSubmatch(string(text), -1)
	if len(targets) == 0 {
		t.Fatal("the Makefile has no target for sam build")
	}
	for _, target := range targets {
		plan := func(folder string) (string, error) {
			out, err := exec.CommandContext(t.Context(), "make", "--dry-run", "-C", root, target[1],
				"ARTIFACTS_DIR="+folder).CombinedOutput()
			return string(out), err
		}
		if out, err := plan(""); err == nil || !strings.Contains(out, "ARTIFACTS_DIR") {
			t.Errorf("make %s without ARTIFACTS_DIR: %v, %s", target[1], err, out)
		}
		if out, err := plan("/some/folder"); err != nil || !strings.Contains(out, `-o "/some/folder/bootstrap"`) {
			t.Errorf("make %s: %v, %s", target[1], err, out)
		}
	}
}
