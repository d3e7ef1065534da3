//go:build unix

package e2e

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const costsFile = "testdata/costs.json"

// readCosts returns what the golden file says; nothing if it is to be written.
func readCosts(t *testing.T) (want costs) {
	t.Helper()
	if *update {
		return want
	}
	text, err := os.ReadFile(costsFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	return want
}

// path returns the path of a name; one that costs nothing if there is none.
func (c costs) path(name string) path {
	for _, p := range c.Paths {
		if p.Name == name {
			return p
		}
	}
	return path{}
}

// checkCosts holds the costs against the golden file's.
func checkCosts(t *testing.T, want, got costs) {
	t.Helper()
	if *update && !t.Failed() {
		text, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(costsFile), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(costsFile, append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	byATenth := cmp.FilterPath(func(p cmp.Path) bool { return strings.Contains(p.GoString(), ".Bytes") },
		cmp.Comparer(func(a, b float64) bool {
			return math.Abs(a-b) <= 0.1*math.Max(a, b)
		}))
	if diff := cmp.Diff(want, got, byATenth, phonesUnits()); diff != "" {
		t.Errorf("what a text costs (-golden +now; -update rewrites it):\n%s", diff)
	}
}
