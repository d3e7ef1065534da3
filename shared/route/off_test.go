package route_test

import (
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Whoever is the only one to get customers' texts at some moment of a time cannot be off for that time. Ann and Bo are on duty on weekdays
// from 7 to 18, Cy on Friday from 22 to 2; while nobody is, texts go to Ann, the route's only hop.
func TestAloneAt(t *testing.T) {
	const friday, evening = "2026-11-27 09:00", "2026-11-27 17:00"
	offUntil := func(phone sms.PhoneNumber, until string) func(*route.Route) {
		return func(r *route.Route) { r.Off = append(r.Off, route.Off{Phone: phone, Until: localTime(t, *r, until)}) }
	}
	for _, tt := range []struct {
		name        string
		change      func(*route.Route)
		phone       sms.PhoneNumber
		from, until string
		want        string
	}{
		{"there is another one", nil, ann, friday, "2026-11-27 18:00", ""},
		{"the shift ends within the time, and the hop is alone", nil, ann, evening, "2026-11-27 18:01", "2026-11-27 18:00"},
		{"who is no hop is not needed then", nil, bo, evening, "2026-11-27 22:00", ""},
		{"the night shift is alone", nil, cy, friday, "2026-11-28 12:00", "2026-11-27 22:00"},
		{"not on duty in that time", nil, cy, "2026-11-28 02:00", "2026-11-28 22:00", ""},
		{"the other one is off", offUntil(bo, "2026-11-27 12:00"), ann, friday, "2026-11-27 10:00", friday},
		{"the other one was off", offUntil(bo, "2026-11-27 08:00"), ann, friday, "2026-11-27 10:00", ""},
		{"the other one has opted out", func(r *route.Route) { r.OptedOut = []sms.PhoneNumber{bo} }, ann, friday, "2026-11-27 10:00", friday},
		{"it is off itself, and for longer now", offUntil(ann, "2026-11-27 12:00"), ann, friday, "2026-11-27 17:00", ""},
		{"the only one at night", func(r *route.Route) {
			r.Closed, r.NightPhones = route.ClosedNight, []string{"Bo Lee"}
		}, bo, evening, "2026-11-27 21:00", "2026-11-27 18:00"},
		{"one of two at night", func(r *route.Route) {
			r.Closed, r.NightPhones = route.ClosedNight, []string{"Bo Lee", "Ann"}
		}, bo, evening, "2026-11-27 21:00", ""},
		{"the only one of an override", func(r *route.Route) {
			r.Overrides = []route.Override{{Date: "2026-11-27", From: "10:00", To: "11:00", Phones: []string{"Ann"}}}
		}, ann, friday, "2026-11-27 12:00", "2026-11-27 10:00"},
		{"the only hop without a schedule", func(r *route.Route) {
			r.Schedule, r.TimeZone = nil, ""
		}, ann, evening, "2026-11-27 18:00", evening},
		{"one of two hops", func(r *route.Route) {
			r.Schedule, r.TimeZone, r.FallbackCarriers = nil, "", []sms.PhoneNumber{bo}
		}, ann, friday, "2026-12-01 18:00", ""},
		{"the other hop is on again in time, and off until then", func(r *route.Route) {
			r.Schedule, r.FallbackCarriers = nil, []sms.PhoneNumber{bo}
			offUntil(bo, "2026-11-27 12:00")(r)
		}, ann, "2026-11-27 12:00", "2026-11-27 18:00", ""},
		{"somebody who gets no texts", nil, "+18585550199", friday, "2026-11-28 09:00", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := scheduled()
			from, until := localTime(t, r, tt.from), localTime(t, r, tt.until)
			if tt.change != nil {
				tt.change(&r)
			}
			got := ""
			if at := r.AloneAt(tt.phone, from, until); !at.IsZero() {
				got = at.In(from.Location()).Format("2006-01-02 15:04")
			}
			if got != tt.want {
				t.Errorf("alone at %q, want %q", got, tt.want)
			}
		})
	}
}

// Whoever is off is passed over, unless there is nobody else who can be texted.
func TestOffPhonesArePassedOver(t *testing.T) {
	noon := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name          string
		off, optedOut []sms.PhoneNumber
		want          []sms.PhoneNumber
	}{
		{"nobody is off", nil, nil, []sms.PhoneNumber{ann, bo, cy}},
		{"the first", []sms.PhoneNumber{ann}, nil, []sms.PhoneNumber{bo, cy}},
		{"all but one", []sms.PhoneNumber{ann, bo}, nil, []sms.PhoneNumber{cy}},
		{"all", []sms.PhoneNumber{ann, bo, cy}, nil, []sms.PhoneNumber{ann, bo, cy}},
		{"the one who is left has opted out", []sms.PhoneNumber{ann, bo}, []sms.PhoneNumber{cy}, []sms.PhoneNumber{ann, bo, cy}},
		{"in another spelling", []sms.PhoneNumber{"+5213312345678"}, nil, []sms.PhoneNumber{ann, bo, cy}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := route.Route{
				TwilioNumber: "+18585550100", DestinationCarrier: ann, FallbackCarriers: []sms.PhoneNumber{bo, cy}, Active: true,
				OptedOut: tt.optedOut,
			}
			for _, phone := range tt.off {
				r.Off = append(r.Off, route.Off{Phone: phone, Until: noon.Add(time.Second)})
			}
			if got := r.PhonesAt(noon); !slices.Equal(got, tt.want) {
				t.Errorf("phones %v, want %v", got, tt.want)
			}
			if got := r.PhonesAt(noon.Add(time.Second)); !slices.Equal(got, r.Hops()) {
				t.Errorf("phones once it is over %v, want all", got)
			}
		})
	}
}

func TestReadOff(t *testing.T) {
	const at = "2026-11-27 16:30"
	for _, tt := range []struct {
		text, want string
	}{
		{"", "2026-11-28 16:30"},
		{"2h", "2026-11-27 18:30"},
		{"1h30m", "2026-11-27 18:00"},
		{"7d", "2026-12-04 16:30"},
		{"18:00", "2026-11-27 18:00"},
		{"16:30", "2026-11-28 16:30"},
		{"7:05", "2026-11-28 07:05"},
		{"24:00", "2026-11-28 00:00"},
		{"8d", ""},
		{"30s", ""},
		{"-2h", ""},
		{"0h", ""},
		{"noon", ""},
		{"25:00", ""},
		{"18", ""},
		{"18:0", ""},
		{":", ""},
	} {
		r := scheduled()
		got := ""
		if until, ok := r.ReadOff(tt.text, localTime(t, r, at)); ok {
			got = until.In(localTime(t, r, at).Location()).Format("2006-01-02 15:04")
		}
		if got != tt.want {
			t.Errorf("ReadOff(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
	unplaced := crewed()
	if _, ok := unplaced.ReadOff("18:00", time.Now()); ok {
		t.Error("a time of day was read, and nobody knows by which clocks")
	}
	if _, ok := unplaced.ReadOff("2h", time.Now()); !ok {
		t.Error("2h was not read")
	}
}
