package relaytest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// MetricNames returns the metrics by the names of their constants in shared/telemetry. root is the folder of the repository.
func MetricNames(t *testing.T, root string) map[string]string {
	t.Helper()
	path := filepath.Join(root, "shared", "telemetry", "measurement.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Metric") {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			found[spec.Names[0].Name], err = strconv.Unquote(literal.Value)
		}
		return true
	})
	if err != nil || len(found) < 20 {
		t.Fatalf("constants %v, %v", found, err)
	}
	return found
}
