package zone

import "testing"

// DataOf is dataOf.
func DataOf(t *testing.T, rule string) []byte {
	t.Helper()
	data, err := dataOf(rule)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
