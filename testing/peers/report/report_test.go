package report

import (
	"strings"
	"testing"
	"time"
)

func samples(name string, milliseconds ...int) Samples {
	s := Samples{Contestant: name, Size: 3_456_789, Warm: []time.Duration{time.Duration(milliseconds[0]) * time.Microsecond}}
	for _, ms := range milliseconds {
		s.Cold = append(s.Cold, Cold{Time: time.Duration(ms) * time.Millisecond, CPU: time.Millisecond, Peak: 9_870_000, Calls: 2})
	}
	return s
}

// TestTable: medians, and the medians of the ratios, each of one round: not the ratio of the medians.
func TestTable(t *testing.T) {
	table := Table(Function{Name: "ingest", Samples: []Samples{samples("ours", 1, 10, 4), samples("theirs", 30, 40, 50)}})
	for _, want := range []string{
		"| ours | 4.00 | 1.00 | 9.87 | 1.00 | 2 | 3.46 |\n",
		"| theirs | 40.0 (12.5 ×) | 1.00 (1.00 ×) | 9.87 (1.00 ×) | 30.0 (30.0 ×) | 2 | 3.46 |\n",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}

func TestInsert(t *testing.T) {
	const page = "# Page\n\n<!-- bench-peers -->\nold\n<!-- end -->\n\nmore\n"
	got, err := Insert(page, "bench-peers", "new\n")
	if want := strings.Replace(page, "old", "new", 1); err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	for _, broken := range []string{"", "<!-- end -->", "<!-- bench-peers -->\n"} {
		if _, err := Insert(broken, "bench-peers", "new\n"); err == nil {
			t.Errorf("%q has no marks, and was taken", broken)
		}
	}
}

// TestPicture leaves out who shows the noise, and draws the largest value as the longest bar.
func TestPicture(t *testing.T) {
	all := []Samples{samples("ours & us", 10), samples("again", 10), samples("theirs", 20)}
	picture := Picture([]Function{{Name: "ingest", Samples: all}}, "again")
	if strings.Contains(picture, "again") || !strings.Contains(picture, "ours &amp; us") ||
		!strings.Contains(picture, `width="250"`) || !strings.Contains(picture, `width="125"`) {
		t.Errorf("the picture is\n%s", picture)
	}
}
