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
