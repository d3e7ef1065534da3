package route_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
)

// holds is a route in Los Angeles whose phones are on duty from 7 to 18 on weekdays, and which holds texts at all other times.
func holds() route.Route {
	r := crewed()
	r.TimeZone, r.Closed = "America/Los_Angeles", route.ClosedHold
	r.Schedule = []route.Shift{{Days: "Mon-Fri", From: "07:00", To: "18:00", Phones: []string{"Ann", "Bo Lee"}}}
	return r
}

// Until when a text is held. The clocks of Los Angeles are set back on 2026-11-01 and forward on 2027-03-14, on Sundays at 2:00.
func TestHeldUntil(t *testing.T) {
	for _, tt := range []struct {
		name     string
		change   func(*route.Route)
		came, at string
		want     string
	}{
		{"in the evening", nil, "2026-11-24 18:00", "2026-11-24 18:00", "2026-11-25 07:00"},
		{"the last moment of the shift", nil, "2026-11-24 17:59", "2026-11-24 17:59", ""},
		{"over the weekend", nil, "2026-11-27 20:00", "2026-11-27 20:00", "2026-11-30 07:00"},
		{"when the clocks are set back", nil, "2026-10-31 20:00", "2026-10-31 20:00", "2026-11-02 07:00"},
		{"when the clocks are set forward", nil, "2027-03-13 20:00", "2027-03-13 20:00", "2027-03-15 07:00"},
		{"until a time that the clocks skip", func(r *route.Route) {
			r.Schedule[0].Days, r.Schedule[0].From = "Sun", "02:30"
		}, "2027-03-13 20:00", "2027-03-13 20:00", "2027-03-14 03:00"},
		{"came in the shift, and is sent after it", nil, "2026-11-24 17:59", "2026-11-24 18:01", "2026-11-25 07:00"},
		{"a holiday of ten days", func(r *route.Route) {
			r.Overrides = []route.Override{{Date: "2026-12-24", LastDate: "2027-01-02"}}
		}, "2026-12-24 00:00", "2026-12-24 08:00", "2027-01-04 07:00"},
		{"fourteen days, and not an hour more", func(r *route.Route) {
			r.Overrides = []route.Override{{Date: "2026-12-20", LastDate: "2027-01-20"}}
		}, "2026-12-24 08:00", "2026-12-30 08:00", "2027-01-07 08:00"},
		{"after fourteen days", func(r *route.Route) {
			r.Overrides = []route.Override{{Date: "2026-12-20", LastDate: "2027-01-20"}}
		}, "2026-12-24 08:00", "2027-01-07 08:00", ""},
		{"fourteen days over a change of the clocks", func(r *route.Route) {
			r.Overrides = []route.Override{{Date: "2026-10-20", LastDate: "2026-11-20"}}
		}, "2026-10-24 08:00", "2026-10-24 08:00", "2026-11-07 07:00"},
		{"somebody else comes on duty earlier", func(r *route.Route) {
			r.Overrides = []route.Override{{Date: "2026-11-24", From: "20:00", To: "21:00", Phones: []string{"Ann"}}}
		}, "2026-11-24 18:30", "2026-11-24 18:30", "2026-11-24 20:00"},
		{"all on duty are off: they get it", func(r *route.Route) {
			r.Off = []route.Off{{Phone: ann, Until: localTime(t, *r, "2026-12-24 00:00")}, {Phone: bo, Until: localTime(t, *r, "2026-12-24 00:00")}}
		}, "2026-11-24 10:00", "2026-11-24 10:00", ""},
		{"it goes to the phones of the route", func(r *route.Route) {
			r.Closed = route.ClosedRelay
		}, "2026-11-24 18:00", "2026-11-24 18:00", ""},
		{"no schedule", func(r *route.Route) { r.Schedule = nil }, "2026-11-24 18:00", "2026-11-24 18:00", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := holds()
			if tt.change != nil {
				tt.change(&r)
			}
			var want time.Time
			if tt.want != "" {
				want = localTime(t, r, tt.want)
			}
			at := localTime(t, r, tt.at)
			if got := r.HeldUntil(localTime(t, r, tt.came), at); !got.Equal(want) {
				t.Errorf("held until %v, want %v", got, want)
			}
			if d := r.DutyAt(at); r.HoldsAt(at) && (d.IsOpen || len(d.Phones) > 0) {
				t.Errorf("duty %+v while texts are held", d)
			}
			if r.HoldsAt(at) && r.Waits(at) {
				t.Error("it waits for a phone to be verified")
			}
		})
	}
}

// While texts are held, a phone that has yet to be verified keeps nobody waiting.
func TestHeldIsNoWaitForACode(t *testing.T) {
	r := holds()
	r.Verifications = []route.Verification{{Phone: ann}, {Phone: bo}}
	if at := localTime(t, r, "2026-11-24 20:00"); r.Waits(at) {
		t.Error("texts wait for a code while the number is closed")
	}
	if at := localTime(t, r, "2026-11-24 10:00"); !r.Waits(at) {
		t.Error("texts do not wait for a code while the number is open")
	}
	from, until := localTime(t, r, "2026-11-24 20:00"), localTime(t, r, "2026-11-24 22:00")
	if !r.AloneAt(ann, from, until).IsZero() {
		t.Error("somebody is alone while nobody gets texts")
	}
}
