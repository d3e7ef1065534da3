package twiliofake

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestControlIsDescribed: the description has every method of every path that is served under /fake/, and no others.
func TestControlIsDescribed(t *testing.T) {
	var document struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(description, &document); err != nil {
		t.Fatal(err)
	}
	described, served := map[string][]string{}, map[string][]string{}
	for path, operations := range document.Paths {
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			described[path] = append(described[path], strings.ToUpper(method))
		}
	}
	for path, resource := range (&Server{}).control() {
		for _, method := range slices.Sorted(maps.Keys(resource)) {
			if method != http.MethodHead { // as GET, without what is in it
				served[path] = append(served[path], method)
			}
		}
	}
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("described (-served +described):\n%s", diff)
	}
}
