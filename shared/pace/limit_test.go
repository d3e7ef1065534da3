package pace_test

import (
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/pace"
)

// What is said of what is no limit.
const (
	form   = "pace is neither a number and a time such as 10/30s nor off"
	amount = "number of the pace is not from 1 to 100"
	span   = "time of the pace is not whole milliseconds from 1ms to 1h"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		text    string
		want    pace.Limit
		problem string
	}{
		{"10/30s", pace.Limit{N: 10, Per: 30 * time.Second}, ""},
		{"1/1s", pace.Limit{N: 1, Per: time.Second}, ""},
		{"100/1ms", pace.Limit{N: 100, Per: time.Millisecond}, ""},
		{"3/1m30s", pace.Limit{N: 3, Per: 90 * time.Second}, ""},
		{"1/1h", pace.Limit{N: 1, Per: time.Hour}, ""},
		{"2/1.5s", pace.Limit{N: 2, Per: 1500 * time.Millisecond}, ""},
		{"off", pace.Limit{}, ""},
		{"", pace.Limit{}, form},
		{"Off", pace.Limit{}, form},
		{"10", pace.Limit{}, form},
		{"/30s", pace.Limit{}, form},
		{"10/", pace.Limit{}, form},
		{"10/30", pace.Limit{}, form},
		{"10 / 30s", pace.Limit{}, form},
		{"10/30s/1", pace.Limit{}, form},
		{"1.5/30s", pace.Limit{}, form},
		{"0/30s", pace.Limit{}, amount},
		{"-1/30s", pace.Limit{}, amount},
		{"101/30s", pace.Limit{}, amount},
		{"10/0s", pace.Limit{}, span},
		{"10/-30s", pace.Limit{}, span},
		{"10/999us", pace.Limit{}, span},
		{"10/1.5ms", pace.Limit{}, span},
		{"10/1h0m1s", pace.Limit{}, span},
	} {
		t.Run(tt.text, func(t *testing.T) {
			got, err := pace.Parse(tt.text)
			problem := ""
			if err != nil {
				problem = err.Error()
			}
			if got != tt.want || problem != tt.problem {
				t.Errorf("Parse: %+v, %q; want %+v, %q", got, problem, tt.want, tt.problem)
			}
		})
	}
}

func TestDefaultsAreLimits(t *testing.T) {
	for text, want := range map[string]pace.Limit{
		pace.DefaultPair: {N: 10, Per: 30 * time.Second}, pace.DefaultNumber: {N: 1, Per: time.Second},
	} {
		if got, err := pace.Parse(text); err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestLimitIsOff(t *testing.T) {
	for limit, want := range map[pace.Limit]bool{
		{}: true, {N: 1}: true, {Per: time.Second}: true, {N: -1, Per: time.Second}: true, {N: 1, Per: -1}: true,
		{N: 1, Per: time.Second}: false,
	} {
		if got := limit.Off(); got != want || (limit.String() == "off") != want {
			t.Errorf("%#v is off: %v, written %q; want %v", limit, got, limit, want)
		}
	}
}

func TestLimitAsPeopleWriteIt(t *testing.T) {
	if got := (pace.Limit{N: 60, Per: 10 * time.Minute}).String(); got != "60/10m" {
		t.Errorf("written %q, want 60/10m", got)
	}
}

// FuzzParse: a limit is written in a form that reads the same, and text that is not a limit is not quoted.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"10/30s", "off", "1/1h", "100/1ms", "+7/1m0.5s", "7/", "/s", "1/1.5ms",
		"9223372036854775808/1s", "1/9999999h",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		limit, err := pace.Parse(text)
		if err != nil {
			if limit != (pace.Limit{}) || !slices.Contains([]string{form, amount, span}, err.Error()) {
				t.Errorf("Parse(%q) = %v, error %q", text, limit, err)
			}
			return
		}
		if !limit.Off() && (limit.N < 1 || limit.N > pace.MaxN || limit.Per < pace.MinPer || limit.Per > pace.MaxPer) {
			t.Errorf("Parse(%q) = %#v, out of bounds", text, limit)
		}
		if again, err := pace.Parse(limit.String()); err != nil || again != limit {
			t.Errorf("Parse(%q) = %#v, written %q, read again %#v, error %v", text, limit, limit, again, err)
		}
	})
}
