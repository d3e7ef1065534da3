package duration_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/duration"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "4h": 4 * time.Hour, "1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond,
		"3d": 72 * time.Hour, "1d12h": 36 * time.Hour, "0d": 0, "-1h": -time.Hour,
	} {
		if got, err := duration.Parse(text); err != nil || got != want {
			t.Errorf("%q is read as %v, error %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "soon", "90", "d", "-1d", "1.5d", "1d-1h", "1d12", "1dd", "1h1d", "1 d", "65536d", "65535d2000000h"} {
		if got, err := duration.Parse(text); err == nil {
			t.Errorf("%q is read as %v, want an error", text, got)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration][2]string{
		9600 * time.Hour: {"400d", "9600h"}, 360 * time.Hour: {"15d", "360h"}, 48 * time.Hour: {"2d", "48h"}, 49 * time.Hour: {"49h", "49h"},
		24 * time.Hour: {"24h", "24h"}, 90 * time.Minute: {"1h30m", "1h30m"}, 10 * time.Minute: {"10m", "10m"},
		90 * time.Second: {"1m30s", "1m30s"},
		20 * time.Second: {"20s", "20s"}, 10 * time.Millisecond: {"10ms", "10ms"}, 0: {"0s", "0s"}, -time.Minute: {"-1m", "-1m"},
		time.Hour + time.Second: {"1h0m1s", "1h0m1s"}, -72 * time.Hour: {"-72h", "-72h"},
	} {
		if got := [2]string{duration.Text(d), duration.InHours(d)}; got != want {
			t.Errorf("%v is written as %q, want %q", d, got, want)
		}
	}
}

func TestParseReadsWhatTextWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.OneOf(rapid.Int64(), rapid.Custom(func(t *rapid.T) int64 {
			return rapid.Int64Range(-1e5, 1e5).Draw(t, "minutes") * int64(time.Minute)
		})).Draw(t, "duration"))
		for _, text := range []string{duration.Text(d), duration.InHours(d)} {
			if got, err := duration.Parse(text); err != nil || got != d {
				t.Errorf("%d is written as %s and read as %d, error %v", d, text, got, err)
			}
		}
	})
}
