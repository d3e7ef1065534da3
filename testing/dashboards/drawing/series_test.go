package drawing

import (
	"bytes"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStatistics(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	for stat, want := range map[string]float64{
		"Sum": 10, "Average": 2.5, "Minimum": 1, "Maximum": 4, "SampleCount": 4, "p50": 2, "p75": 3, "p99": 4, "p100": 4, "p0.1": 1,
	} {
		if got := statOf(stat, values); got != want || !isStat(stat) {
			t.Errorf("%s of %v = %v, want %v", stat, values, got, want)
		}
	}
	for _, stat := range []string{"", "sum", "p", "p0", "p101", "pX", "tm90", "TC(0:5)"} {
		if isStat(stat) {
			t.Errorf("%q is accepted as a statistic", stat)
		}
	}
	if diff := cmp.Diff([]float64{4, 1, 3, 2}, values); diff != "" {
		t.Errorf("the values were changed:\n%s", diff)
	}
}

func TestMetricsOfALine(t *testing.T) {
	line := func(members, directive string) string { return `{` + members + `,"_aws":` + directive + `}` }
	const total, byKind = keyText("SMSRelay Accepted"), keyText("SMSRelay Accepted Kind=inbound")
	tests := map[string]struct {
		line string
		want []keyText
	}{
		"in total and by kind":        {line(`"Accepted":1,"Kind":"inbound"`, accepted(`[[],["Kind"]]`)), []keyText{total, byKind}},
		"by a kind that is not there": {line(`"Accepted":1`, accepted(`[[],["Kind"]]`)), []keyText{total}},
		"without its value":           {line(`"Kind":"inbound"`, accepted(`[[]]`)), nil},
		"with a text for a value":     {line(`"Accepted":"1"`, accepted(`[[]]`)), nil},
		"without a time":              {line(`"Accepted":1`, strings.Replace(accepted(`[[]]`), "1795510801000", "0", 1)), nil},
		"of a log":                    {`{"message":"text relayed"}`, nil},
		"that is no JSON":             {`START RequestId: 1`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := &Metrics{}
			if err := m.ReadMetrics(strings.NewReader("\n" + test.line + "\n")); err != nil {
				t.Fatal(err)
			}
			var got []keyText
			for _, key := range m.Keys() {
				got = append(got, keyText(key.String()))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
			if m.Lines+m.Skipped != 1 || (m.Skipped == 0) != (len(got) > 0) {
				t.Errorf("%d lines and %d skipped", m.Lines, m.Skipped)
			}
		})
	}
	if err := (&Metrics{}).ReadMetrics(strings.NewReader(strings.Repeat("x", maxLine+1))); err == nil ||
		!strings.Contains(err.Error(), "line 1 is longer") {
		t.Errorf("error of a line without end: %v", err)
	}
}

// keyText is a key as text.
type keyText string

func accepted(dimensions string) string {
	return `{"Timestamp":1795510801000,"CloudWatchMetrics":[{"Namespace":"SMSRelay","Dimensions":` + dimensions +
		`,"Metrics":[{"Name":"Accepted","Unit":"Count"}]}]}`
}

// TestPictureHasItsGraphsInTheirPlaces: where a graph has a line there is color, and none where it has nothing.
func TestPictureHasItsGraphsInTheirPlaces(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	drawn := Series{Label: "drawn", Stat: "Sum", Period: 60, Points: []Point{{at, 1}, {at.Add(time.Minute), 9}}}
	place := func(x int) Widget { return Widget{X: x, Y: 4, Width: 12, Height: 6} }
	var out bytes.Buffer
	err := Draw(&out, "relay", []Graph{
		{Title: "left", Series: []Series{drawn}, widget: place(0)},
		{Title: "right", Series: []Series{{Label: "nothing", Stat: "Sum", Period: 60}}, widget: place(12)},
	})
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	size := picture.Bounds().Size()
	colored := func(from, to int) (n int) {
		for x := from; x < to; x++ {
			for y := range size.Y {
				if r, _, b, _ := picture.At(x, y).RGBA(); b > r+0x4000 {
					n++
				}
			}
		}
		return n
	}
	if left, right := colored(0, size.X/2), colored(size.X/2, size.X); left < 100 || right > 0 {
		t.Errorf("%d pixels of the line's color at the left, %d at the right; want a line at the left only", left, right)
	}
}
