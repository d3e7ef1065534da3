package audit

import (
	"testing"
)

// TestInertCell holds what spreadsheets read as a formula.
func TestInertCell(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "Ann Miller": "Ann Miller", "2026-11-24T12:00:00Z": "2026-11-24T12:00:00Z", "***0100": "***0100", "a=b": "a=b",
		"a, b; c":                     "a, b; c",
		`{"active":true,"version":1}`: `{"active":true,"version":1}`,
		"=1+1":                        "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)",
		" =1":      " '=1",
		"\u00a0=1": "\u00a0'=1",
		"\n=1":     `\n=1`, "\r\n=1": `\r\n=1`, "\t=1": `\t=1`, "a\n=1": `a\n=1`,
		"＝1+1": "'＝1+1", "＋1": "'＋1", "－1": "'－1", "＠SUM": "'＠SUM", "−1": "'−1",
		"a;=1+1": "a;'=1+1", `a"; "=1+1`: `a"; "'=1+1`, "a;b;=1": "a;b;'=1", "a,@x": "a,'@x", "a| -1": "a| '-1", `"=1`: `"'=1`,
		"\u200b=1": "\u200b'=1", "\ufeff=1": `\ufeff=1`,
	} {
		if got := inertCell(cell); got != want {
			t.Errorf("inertCell(%+q) = %+q, want %+q", cell, got, want)
		}
	}
}
