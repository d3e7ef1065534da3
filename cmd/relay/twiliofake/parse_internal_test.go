package twiliofake

import (
	"testing"
	"time"
)

// FuzzParseTwiML looks for a crash, and for documents that are accepted although no <Response> is in them.
func FuzzParseTwiML(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0"?><Response><Message to="x">a<Body>b</Body></Message></Response>`))
	f.Add([]byte("<Response/>"))
	f.Add([]byte("<!-- a --><Response></Response><!-- b -->"))
	f.Fuzz(func(t *testing.T, body []byte) {
		replies, err := parseTwiML(body)
		if err == nil && len(body) < len("<Response/>") {
			t.Errorf("%q read as %v", body, replies)
		}
	})
}

// FuzzSplitOverrides holds what a fragment says against Twilio's ranges.
func FuzzSplitOverrides(f *testing.F) {
	f.Add("https://example.com/sms?a=b#rc=5&rp=5xx,ct,rt&rt=4000&tt=15000")
	f.Add("https://example.com/#rc=6")
	f.Fuzz(func(t *testing.T, raw string) {
		_, settings, code, err := splitOverrides(raw)
		if (err == nil) != (code == 0) {
			t.Errorf("code %d with error %v", code, err)
		}
		if settings.retries < 0 || settings.retries > 5 || settings.connect > 10*time.Second || settings.total > 15*time.Second {
			t.Errorf("%+v", settings)
		}
	})
}

// FuzzParseSpan holds that a date is a day or a second.
func FuzzParseSpan(f *testing.F) {
	f.Add("2026-11-24")
	f.Add("2026-11-24T12:00:00-08:00")
	f.Fuzz(func(t *testing.T, given string) {
		if span, ok := parseSpan(given); ok {
			if long := span.to.Sub(span.from); long != time.Second && long != 24*time.Hour {
				t.Errorf("%q is %s long", given, long)
			}
		}
	})
}
