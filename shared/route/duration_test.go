package route_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/route"
)

func TestDurationAsPeopleWriteIt(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "4h": 4 * time.Hour, "1h30m": 90 * time.Minute, "240m": 4 * time.Hour, "1.5h": 90 * time.Minute,
		"250ms": 250 * time.Millisecond, "3d": 72 * time.Hour, "1d12h": 36 * time.Hour,
	} {
		var got route.Duration
		if err := json.Unmarshal([]byte(`"`+text+`"`), &got); err != nil || time.Duration(got) != want {
			t.Errorf("%q is read as %v, error %v; want %v", text, time.Duration(got), err, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: `"0s"`, time.Minute: `"1m"`, 90 * time.Second: `"1m30s"`, 10 * time.Second: `"10s"`, 4 * time.Hour: `"4h"`, 20 * time.Hour: `"20h"`,
		90 * time.Minute: `"1h30m"`, time.Hour + time.Second: `"1h0m1s"`, 250 * time.Millisecond: `"250ms"`, -time.Minute: `"-1m"`,
	} {
		if got, err := json.Marshal(route.Duration(d)); err != nil || string(got) != want {
			t.Errorf("%v is written as %s, error %v; want %s", d, got, err, want)
		}
	}
}

func TestEveryDurationComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := route.Duration(rapid.OneOf(rapid.Int64(), rapid.Custom(func(t *rapid.T) int64 {
			return rapid.Int64Range(-1e5, 1e5).Draw(t, "seconds") * 1e9
		})).Draw(t, "duration"))
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var again route.Duration
		if err := json.Unmarshal(text, &again); err != nil || again != d {
			t.Errorf("%d is written as %s and read as %d, error %v", d, text, again, err)
		}
	})
}

// TestDurationNamesTheField: the error about a duration in the wrong form names its field.
func TestDurationNamesTheField(t *testing.T) {
	for _, text := range []string{`"soon"`, `""`, `"90"`, `90`, `true`, `["90s"]`, `{}`} {
		var r route.Route
		err := json.Unmarshal([]byte(`{"MaxAge":`+text+`}`), &r)
		if err == nil || !strings.Contains(err.Error(), "MaxAge") {
			t.Errorf("MaxAge %s: error %v, want one that names it", text, err)
		}
	}
	r := route.Route{MaxAge: 7}
	if err := json.Unmarshal([]byte(`{"MaxAge":null}`), &r); err != nil || r.MaxAge != 7 {
		t.Errorf("null: %v, error %v; want what was there", r.MaxAge, err)
	}
}
