//go:build unix

package e2e

import (
	"encoding/json"
	"maps"
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

// ofABatch is what there is once for each batch of changes, and not for each change.
var ofABatch = []string{
	"invocations StreamAuditFunction", "logs:PutLogEvents AuditLogGroup", "log events StreamAuditFunction", "log bytes StreamAuditFunction",
}

// inBatchesOf returns what a text took, as if its changes had come in as many batches as the golden file says, if they came in fewer. How
// many come together depends on the moment: a number's second phone is written to a second after the first, and just so long a batch is
// waited for. What the file says is the most that a text costs, so more is a fault, and fewer batches are none. That no change is missing
// is seen by the ledger's writes.
func (p path) inBatchesOf(want path) path {
	got := path{Name: p.Name, Each: maps.Clone(p.Each), Bytes: maps.Clone(p.Bytes)}
	for _, what := range ofABatch {
		for _, sums := range []struct{ got, want map[string]float64 }{{got.Each, want.Each}, {got.Bytes, want.Bytes}} {
			if n := sums.got[what]; 0 < n && n < sums.want[what] {
				sums.got[what] = sums.want[what]
			}
		}
	}
	return got
}

func TestFewerBatchesCostNoMore(t *testing.T) {
	want := path{
		Each:  map[string]float64{"invocations StreamAuditFunction": 5, "dynamodb:PutItem LedgerTable": 12},
		Bytes: map[string]float64{"log bytes StreamAuditFunction": 2234, "record bytes": 446},
	}
	fewer := path{
		Each:  map[string]float64{"invocations StreamAuditFunction": 4, "dynamodb:PutItem LedgerTable": 12},
		Bytes: map[string]float64{"log bytes StreamAuditFunction": 1788, "record bytes": 446},
	}
	if diff := cmp.Diff(want, fewer.inBatchesOf(want)); diff != "" {
		t.Errorf("four batches where the file has five (-want +got):\n%s", diff)
	}
	for name, p := range map[string]path{
		"more batches":  {Each: map[string]float64{"invocations StreamAuditFunction": 6, "dynamodb:PutItem LedgerTable": 12}, Bytes: want.Bytes},
		"no batch":      {Each: map[string]float64{"dynamodb:PutItem LedgerTable": 12}, Bytes: want.Bytes},
		"fewer changes": {Each: map[string]float64{"invocations StreamAuditFunction": 5, "dynamodb:PutItem LedgerTable": 11}, Bytes: want.Bytes},
	} {
		if got := p.inBatchesOf(want); cmp.Equal(got, want) {
			t.Errorf("%s: taken for what the file says", name)
		}
	}
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
