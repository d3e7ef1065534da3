package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wide is a screen of so many columns, at which somebody looks.
func wide(out *bytes.Buffer, width int) *Screen {
	s := NewScreen(out, func(string) (string, bool) { return "", false })
	s.terminal, s.width = true, width
	return s
}

func texts(out *Screen) *Table {
	t := NewTable(out, Column{Title: "SID", ID: true}, Column{Title: "TO"}, Column{Title: "TRIES", Drop: 1}, Column{Title: "WHEN", Drop: 2},
		Column{Title: "SAYS", Text: true})
	t.Row("SM00000000000000000000000000000001", "+18585550100", "2", "3 min ago", "the carrier did not take it\nnow")
	t.Row("SM00000000000000000000000000000002", "+18585550101", "", "4 min ago", "")
	return t
}

func TestTableFitsTheWidth(t *testing.T) {
	for width, want := range map[int]string{
		120: `SID                                 TO            TRIES  WHEN       SAYS
SM00000000000000000000000000000001  +18585550100  2      3 min ago  the carrier did not take it\nnow
SM00000000000000000000000000000002  +18585550101  -      4 min ago  -
`,
		80: `SID         TO            TRIES  WHEN       SAYS
SM0000000…  +18585550100  2      3 min ago  the carrier did not take it\nnow
SM0000000…  +18585550101  -      4 min ago  -
`,
		54: `SID         TO            WHEN       SAYS
SM0000000…  +18585550100  3 min ago  the carrier did…
SM0000000…  +18585550101  4 min ago  -
(a wider terminal or --json also shows tries)
`,
		46: `SID         TO            SAYS
SM0000000…  +18585550100  the carrier did…
SM0000000…  +18585550101  -
(a wider terminal or --json also shows tries,
when)
`,
	} {
		var out bytes.Buffer
		if err := texts(wide(&out, width)).Flush(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%d columns (-want +got):\n%s", width, diff)
		}
		for line := range strings.SplitSeq(out.String(), "\n") {
			if len([]rune(line)) > width {
				t.Errorf("%d columns: %q is wider", width, line)
			}
		}
	}
}

// TestTableWrapsBetweenWords what is to be read whole.
func TestTableWrapsBetweenWords(t *testing.T) {
	var out bytes.Buffer
	table := NewTable(wide(&out, 40), Column{Title: "NAME"}, Column{Title: "MEANING", Wrapped: true})
	table.Row("sent", "Twilio took it, and no receipt came yet")
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "NAME  MEANING\nsent  Twilio took it, and no receipt\n      came yet\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTableIsWholeWhereNobodyLooks: every cell, between tabs, for awk and cut.
func TestTableIsWholeWhereNobodyLooks(t *testing.T) {
	var out bytes.Buffer
	if err := texts(NewScreen(&out, func(string) (string, bool) { return "40", true })).Flush(); err != nil {
		t.Fatal(err)
	}
	want := "SID\tTO\tTRIES\tWHEN\tSAYS\n" +
		"SM00000000000000000000000000000001\t+18585550100\t2\t3 min ago\tthe carrier did not take it\\nnow\n" +
		"SM00000000000000000000000000000002\t+18585550101\t-\t4 min ago\t-\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestColourIsAsWanted(t *testing.T) {
	for _, test := range []struct {
		name     string
		set      map[string]string
		terminal bool
		want     bool
	}{
		{name: "a terminal", terminal: true, want: true},
		{name: "a pipe"},
		{name: "NO_COLOR", set: map[string]string{"NO_COLOR": "1"}, terminal: true},
		{name: "an empty NO_COLOR", set: map[string]string{"NO_COLOR": ""}, terminal: true, want: true},
		{name: "CLICOLOR=0", set: map[string]string{"CLICOLOR": "0"}, terminal: true},
		{name: "CLICOLOR=1", set: map[string]string{"CLICOLOR": "1"}, terminal: true, want: true},
		{name: "TERM=dumb", set: map[string]string{"TERM": "dumb"}, terminal: true},
		{name: "CLICOLOR_FORCE", set: map[string]string{"CLICOLOR_FORCE": "1"}, want: true},
		{name: "CLICOLOR_FORCE=0", set: map[string]string{"CLICOLOR_FORCE": "0"}},
		{name: "NO_COLOR before CLICOLOR_FORCE", set: map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}},
	} {
		lookup := func(name string) (string, bool) { value, ok := test.set[name]; return value, ok }
		if got := wantsColour(test.terminal, lookup); got != test.want {
			t.Errorf("%s: colour %v", test.name, got)
		}
	}
}

func TestTimesForPeopleAndPrograms(t *testing.T) {
	var out bytes.Buffer
	zone := time.Local //nolint:gosmopolitan // it is put back.
	t.Cleanup(func() { time.Local = zone })
	time.Local = time.FixedZone("PST", -8*3600)
	at := time.Date(2026, 11, 24, 12, 0, 1, 0, time.UTC)
	for got, want := range map[string]string{
		When(wide(&out, 80), at): "2026-11-24 04:00 PST", At(wide(&out, 80), at): "2026-11-24 04:00:01 PST",
		When(&out, at): "2026-11-24T12:00:01Z", Precisely(&out, at): "2026-11-24T12:00:01.000Z",
		timeAgo(at, at.Add(3*time.Minute)): "3 min ago", timeAgo(at, at.Add(2*time.Second)): "2 s ago",
		timeAgo(at, at.Add(5*time.Hour)): "5 h ago", timeAgo(at, at.Add(25*time.Hour)): "", timeAgo(at, at.Add(-time.Hour)): "",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
