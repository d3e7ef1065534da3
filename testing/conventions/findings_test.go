package conventions

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFindingsAreFound shows of each rule what it finds and what it lets pass.
func TestFindingsAreFound(t *testing.T) {
	tabled := func(rows, lines int) string {
		table := "func f() {\n_ = []struct{ a int }{\n" + strings.Repeat("{1},\n", rows) + "}\n"
		return table + strings.Repeat("\t_ = 0\n", lines-4) + "}\n"
	}
	long := func(lines int) string { return "func f() {\n" + strings.Repeat("\t_ = 0\n", lines-2) + "}\n" }
	for _, tt := range []struct {
		name, path, text string
		want             int
	}{
		{"a function of 60 lines", "a.go", long(60), 0},
		{"a function of 61 lines", "a.go", long(61), 1},
		{"a method of 61 lines", "a.go", strings.Replace(long(61), "func ", "func (t) ", 1), 1},
		{"a test's table of 100 rows", "a_test.go", tabled(100, 60), 0},
		{"61 lines around a test's table", "a_test.go", tabled(100, 61), 1},
		{"a table outside of a test", "a.go", tabled(100, 60), 1},
		{"a file of 400 lines", "a.go", strings.Repeat("//\n", 399), 0},
		{"a file of 401 lines", "a.go", strings.Repeat("//\n", 400), 1},
		{"a file's name", "shared/sms/helpers.go", "", 1},
		{"a part of a file's name", "shared/sms/sms_util_test.go", "", 1},
		{"a folder's name", "shared/common/sms.go", "", 1},
		{"a word within a word", "shared/sms/scores.go", "const Scores = 1\n", 0},
		{"a function's name", "a.go", "func SendHelper() {}\n", 1},
		{"a method's name", "a.go", "func (t) HTTPManager() {}\n", 1},
		{"a type's name", "a.go", "type QueueImpl struct{}\n", 1},
		{"a field's name", "a.go", "type Queue struct{ CoreCount int }\n", 1},
		{"an interface's method", "a.go", "type Queue interface{ Common() }\n", 1},
		{"a constant's name", "a.go", "const MaxUtils = 1\n", 1},
		{"a name nobody else sees", "a.go", "func sendHelper() {}\n", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parseSource(tt.path, "package a\n"+tt.text)
			if err != nil {
				t.Fatal(err)
			}
			var findings []string
			report := func(format string, args ...any) { findings = append(findings, fmt.Sprintf(format, args...)) }
			findSizes(s, report)
			findWords(s, report)
			if len(findings) != tt.want {
				t.Errorf("findings are %q, want %d", findings, tt.want)
			}
		})
	}
}

func TestMissingDocsAreFound(t *testing.T) {
	var all []source
	for path, text := range map[string]string{
		"said/doc.go":    "// Package said is one that says what it is and what not.\npackage said\n",
		"said/more.go":   "package said\n",
		"short/short.go": "// Package short.\npackage short\n",
		"none/none.go":   "package none\n",
	} {
		s, err := parseSource(path, text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	found := map[string]bool{}
	findDocs(all, func(_ string, args ...any) { found[fmt.Sprint(args[0])] = true })
	if diff := cmp.Diff(map[string]bool{"short": true, "none": true}, found); diff != "" {
		t.Error(diff)
	}
}

func TestNumbersAreFound(t *testing.T) {
	// Written in parts, so that this file itself has none.
	const plus = "+"
	for _, tt := range []struct {
		name, text string
		want       bool
	}{
		{"a fictional one", "+18585550100", false},
		{"one of Twilio's magic ones", "+15005550006", false},
		{"a pattern", "+1 AAA 555 01xx, +1500555xxxx and +1 500 555 xxxx", false},
		{"a fictional one to be filled in", "+185855501%02d", false},
		{"a real one to be filled in", plus + "1415523%04d", true},
		{"digits in groups", "+1 858-555-0199", false},
		{"another exchange", plus + "18585551234", true},
		{"a real area's", plus + "14155238886", true},
		{"another country's", plus + "442079460958", true},
		{"in groups", plus + "1 (415) 523-8886", true},
		{"in a URL", "%2B" + "14155238886", true},
		{"on a channel", "whatsapp:" + plus + "14155238886", true},
		{"a second one in a line", `"+18585550100", "` + plus + `14155238886"`, true},
		{"an offset of time", "2026-01-02T03:04:05+00:00", false},
		{"a signature", "0/abc" + plus + "14155238886=", false},
		{"a version", "v1.2.3" + plus + "14155238886", false},
		{"a short one", plus + "123", false},
		{"a North American one with a digit too few", "+1858555010", false},
		{"a North American one with a digit too many", "+185855501001", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := false
			findNumbers("a.md", tt.text, func(string, ...any) { found = true })
			if found != tt.want {
				t.Errorf("%q: found is %v, want %v", tt.text, found, tt.want)
			}
		})
	}
}
