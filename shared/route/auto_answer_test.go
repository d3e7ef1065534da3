package route_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// A number is closed by its schedule, not because a phone is off for a time.
func TestIsClosed(t *testing.T) {
	at := func(clock string) time.Time {
		moment, err := time.Parse(time.DateTime, clock)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	always := relaytest.Route()
	if always.IsClosed(noon) {
		t.Error("a number without a schedule is closed")
	}
	r := relaytest.Route()
	r.TimeZone, r.Schedule = "UTC", []route.Shift{{Days: "Mon-Fri", From: "07:00", To: "18:00", Phones: []string{"+18585550122"}}}
	r.Overrides = []route.Override{{Date: "2026-11-25"}, {Date: "2026-11-28", Phones: []string{"+18585550122"}}}
	for clock, want := range map[string]bool{
		"2026-11-24 06:59:59": true, "2026-11-24 07:00:00": false, "2026-11-24 17:59:59": false, "2026-11-24 18:00:00": true,
		"2026-11-25 12:00:00": true, "2026-11-28 12:00:00": false, "2026-11-29 12:00:00": true,
	} {
		if got := r.IsClosed(at(clock)); got != want {
			t.Errorf("closed at %s: %t, want %t", clock, got, want)
		}
	}
	r.Off = []route.Off{{Phone: sms.PhoneNumber("+18585550122"), Until: at("2026-11-24 17:00:00")}}
	if d := r.DutyAt(at("2026-11-24 12:00:00")); d.IsOpen || !d.NoOne || r.IsClosed(at("2026-11-24 12:00:00")) {
		t.Errorf("duty %+v while the phone is off: not open, and not closed", d)
	}
}
