package route_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// scheduled is a route with a schedule of weekdays and a night.
func scheduled() route.Route {
	r := crewed()
	r.TimeZone = "America/Los_Angeles"
	r.Schedule = []route.Shift{
		{Days: "Mon-Fri", From: "07:00", To: "18:00", Phones: []string{"Ann", "Bo Lee"}},
		{Days: "Fri,Sat", From: "22:00", To: "02:00", Phones: []string{string(cy)}},
	}
	return r
}

// localTime reads a time as a person in the route's place writes it.
func localTime(t *testing.T, r route.Route, text string) time.Time {
	t.Helper()
	place, err := time.LoadLocation(r.TimeZone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, place)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWhoIsOnDuty(t *testing.T) {
	both, night := []sms.PhoneNumber{ann, bo}, []sms.PhoneNumber{cy}
	off := []route.Off{{Phone: ann, Until: time.Date(2026, 11, 27, 20, 0, 0, 0, time.UTC)}} // noon in Los Angeles.
	bothOff := append(off, route.Off{Phone: bo, Until: off[0].Until})
	for _, tt := range []struct {
		name   string
		change func(*route.Route)
		at     string
		off    []route.Off
		want   route.Duty
		until  string
	}{
		{"in a shift", nil, "2026-11-27 09:00", nil, route.Duty{IsOpen: true, Phones: both}, "2026-11-27 18:00"},
		{"as it begins", nil, "2026-11-27 07:00", nil, route.Duty{IsOpen: true, Phones: both}, "2026-11-27 18:00"},
		{"as it ends", nil, "2026-11-27 18:00", nil, route.Duty{Phones: []sms.PhoneNumber{ann}}, "2026-11-27 22:00"},
		{"over midnight", nil, "2026-11-28 01:59", nil, route.Duty{IsOpen: true, Phones: night}, "2026-11-28 02:00"},
		{"over the weekend", nil, "2026-11-29 02:00", nil, route.Duty{Phones: []sms.PhoneNumber{ann}}, "2026-11-30 07:00"},
		{
			"at night", func(r *route.Route) { r.Closed, r.NightPhones = route.ClosedNight, []string{"Bo Lee"} }, "2026-11-29 12:00", nil,
			route.Duty{Phones: []sms.PhoneNumber{bo}},
			"2026-11-30 07:00",
		},
		{"one is off", nil, "2026-11-27 09:00", off, route.Duty{IsOpen: true, Phones: []sms.PhoneNumber{bo}}, "2026-11-27 12:00"},
		{"one is on again", nil, "2026-11-27 12:00", off, route.Duty{IsOpen: true, Phones: both}, "2026-11-27 18:00"},
		{
			"all are off", func(r *route.Route) { r.Closed, r.NightPhones = route.ClosedNight, []string{string(cy)} }, "2026-11-27 09:00", bothOff,
			route.Duty{NoOne: true, Phones: night},
			"2026-11-27 12:00",
		},
		{"another one instead", func(r *route.Route) {
			r.Overrides = []route.Override{{Date: "2026-11-27", From: "08:30", To: "09:30", Phones: []string{string(cy)}}}
		}, "2026-11-27 09:00", nil, route.Duty{IsOpen: true, Phones: night}, "2026-11-27 09:30"},
		{"closed for days, but for an hour", func(r *route.Route) {
			r.Overrides = []route.Override{
				{Date: "2026-11-26", LastDate: "2026-12-06"}, {Date: "2026-11-27", From: "23:00", To: "00:00", Phones: []string{"Ann"}},
			}
		}, "2026-11-28 00:00", nil, route.Duty{Phones: []sms.PhoneNumber{ann}}, "2026-12-07 07:00"},
		{"the later override counts", func(r *route.Route) {
			r.Overrides = []route.Override{{Date: "2026-11-27"}, {Date: "2026-11-27", Phones: []string{"Ann"}}}
		}, "2026-11-27 09:00", nil, route.Duty{IsOpen: true, Phones: []sms.PhoneNumber{ann}}, "2026-11-28 00:00"},
		{"an override without a schedule", func(r *route.Route) {
			r.Schedule = nil
			r.Overrides = []route.Override{{Date: "2026-11-27", From: "08:00", To: "18:00", Phones: []string{"Bo Lee"}}}
		}, "2026-11-27 18:00", nil, route.Duty{IsOpen: true, Phones: []sms.PhoneNumber{ann}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := scheduled()
			if tt.change != nil {
				tt.change(&r)
			}
			if r.Off = tt.off; r.Validate() != nil {
				t.Fatal(r.Validate())
			}
			got := r.DutyAt(localTime(t, r, tt.at))
			until := ""
			if !got.Until.IsZero() {
				until = got.Until.In(localTime(t, r, tt.at).Location()).Format("2006-01-02 15:04")
			}
			if got.IsOpen != tt.want.IsOpen || got.NoOne != tt.want.NoOne || !slices.Equal(got.Phones, tt.want.Phones) || until != tt.until {
				t.Errorf("duty %+v until %s, want %+v until %s", got, until, tt.want, tt.until)
			}
			if phones := r.PhonesAt(localTime(t, r, tt.at)); !slices.Equal(phones, got.Phones) {
				t.Errorf("phones %v, want %v", phones, got.Phones)
			}
		})
	}
}

// A route without a schedule has its hops on duty, always.
func TestWithoutScheduleNothingChanges(t *testing.T) {
	r := crewed()
	if got := r.DutyAt(noon); !got.IsOpen || got.NoOne || !got.Until.IsZero() || !slices.Equal(got.Phones, r.Hops()) || r.IsScheduled() {
		t.Errorf("duty %+v", got)
	}
	if got := testing.AllocsPerRun(100, func() { r.PhonesAt(noon) }); got > 1 {
		t.Errorf("%.0f allocations, want those of Hops", got)
	}
}

// zones are places whose clocks change in ways of their own: by half an hour, at midnight, twice in a spring, over a whole day, never.
var zones = []string{
	"America/Los_Angeles", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Africa/Casablanca", "Pacific/Apia", "Asia/Kathmandu",
	"America/Asuncion", "UTC",
}

// changes are moments near which clocks change in one of the zones.
func nearChange(t *rapid.T, place *time.Location) time.Time {
	at := time.Date(rapid.SampledFrom([]int{2026, 2027, 2030, 2036}).Draw(t, "year"), 1, 1, 0, 0, 0, 0, time.UTC)
	for range rapid.IntRange(0, 4).Draw(t, "changes") {
		if _, next := at.In(place).ZoneBounds(); next.After(at) {
			at = next
		}
	}
	return at.Add(time.Duration(rapid.IntRange(-26*60, 26*60).Draw(t, "minutes")) * time.Minute)
}

// TestShiftsGoByTheClocks holds a shift against every minute around a change of the clocks: it begins when they first show From or more,
// and ends when they last show To.
func TestShiftsGoByTheClocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		place, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		day := nearChange(t, place).In(place)
		from, to := rapid.IntRange(0, 47).Draw(t, "from"), rapid.IntRange(0, 48).Draw(t, "to")
		o := route.Override{Date: day.Format("2006-01-02"), From: halfHour(from), To: halfHour(to), Phones: []string{"Ann"}}
		r := crewed()
		r.TimeZone, r.Overrides = zone, []route.Override{o}
		if err := r.Validate(); err != nil {
			t.Fatal(err)
		}
		year, month, date := day.Date()
		lastDate := date
		if to <= from {
			lastDate++
		}
		begin := firstShown(place, time.Date(year, month, date, 0, from*30, 0, 0, time.UTC))
		end := lastShown(place, time.Date(year, month, lastDate, 0, to*30, 0, 0, time.UTC))
		gotBegin, gotEnd := r.SpanOf(o)
		if !gotBegin.Equal(begin) || !gotEnd.Equal(end) {
			t.Errorf("%s %s in %s: from %s to %s, want from %s to %s", o.Date, o.From+"-"+o.To, zone, gotBegin, gotEnd, begin, end)
		}
	})
}

func halfHour(n int) string {
	if n == 48 {
		return "24:00"
	}
	return time.Date(2026, 1, 1, 0, n*30, 0, 0, time.UTC).Format("15:04")
}

// shownAt is what the clocks show then, as a time in UTC.
func shownAt(place *time.Location, at time.Time) time.Time {
	local := at.In(place)
	return time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), 0, 0, time.UTC)
}

// firstShown is the first minute when the clocks show that or more.
func firstShown(place *time.Location, shown time.Time) time.Time {
	at := shown.Add(-38 * time.Hour)
	for shownAt(place, at).Before(shown) {
		at = at.Add(time.Minute)
	}
	return at
}

// lastShown is the last minute when the clocks show that, or the first when they show more if they never do.
func lastShown(place *time.Location, shown time.Time) time.Time {
	for at := shown.Add(38 * time.Hour); at.After(shown.Add(-38 * time.Hour)); at = at.Add(-time.Minute) {
		if shownAt(place, at).Equal(shown) {
			return at
		}
	}
	return firstShown(place, shown)
}

// TestDutyLastsUntilItChanges: what is so at a moment is so until the moment that is said, and not then.
func TestDutyLastsUntilItChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := scheduled()
		r.TimeZone = rapid.SampledFrom(zones).Draw(t, "zone")
		place, err := r.Place()
		if err != nil {
			t.Fatal(err)
		}
		who := rapid.SliceOfN(rapid.SampledFrom([]string{"Ann", "Bo Lee", string(cy)}), 1, 2)
		r.Schedule = nil
		for range rapid.IntRange(0, 3).Draw(t, "shifts") {
			r.Schedule = append(r.Schedule, route.Shift{
				Days: rapid.SampledFrom([]string{"Mon-Sun", "Sat-Mon", "Wed", "Tue,Thu-Fri"}).Draw(t, "days"),
				From: halfHour(rapid.IntRange(0, 47).Draw(t, "from")), To: halfHour(rapid.IntRange(0, 48).Draw(t, "to")),
				Phones: who.Draw(t, "phones"),
			})
		}
		at := nearChange(t, place)
		for range rapid.IntRange(0, 2).Draw(t, "overrides") {
			first := at.Add(time.Duration(rapid.IntRange(-3, 10).Draw(t, "day")) * 24 * time.Hour).In(place)
			r.Overrides = append(r.Overrides, route.Override{
				Date: first.Format("2006-01-02"), LastDate: first.AddDate(0, 0, rapid.IntRange(0, 12).Draw(t, "days")).Format("2006-01-02"),
				Phones: rapid.SampledFrom([][]string{nil, {"Ann"}}).Draw(t, "override"),
			})
		}
		if rapid.Bool().Draw(t, "one is off") {
			r.Off = append(r.Off, route.Off{Phone: ann, Until: at.Add(time.Duration(rapid.IntRange(-60, 3000).Draw(t, "off")) * time.Minute)})
		}
		same := func(a, b route.Duty) bool {
			return a.IsOpen == b.IsOpen && a.NoOne == b.NoOne && slices.Equal(a.Phones, b.Phones)
		}
		d := r.DutyAt(at)
		last := d.Until
		if last.IsZero() {
			last = at.Add(20 * 24 * time.Hour)
		} else if same(d, r.DutyAt(d.Until)) {
			t.Fatalf("at %s: nothing changes at %s", at, d.Until)
		}
		for range 50 {
			between := at.Add(time.Duration(rapid.Int64Range(0, int64(last.Sub(at))-1).Draw(t, "between")))
			if now := r.DutyAt(between); !same(d, now) {
				t.Fatalf("at %s: %+v, and %+v at %s", at, d, now, between)
			}
		}
	})
}

func TestSchedulesAreChecked(t *testing.T) {
	for want, change := range map[string]func(*route.Route){
		"": func(*route.Route) {},
		"TimeZone is not a time zone such as America/Los_Angeles": func(r *route.Route) {
			r.TimeZone = "Mars/Base"
		},
		"TimeZone is missing: a schedule goes by the clocks of a place, such as America/Los_Angeles": func(r *route.Route) {
			r.TimeZone = ""
		},
		"Schedule[0].Days is not a list of days such as Mon-Fri or Sat,Sun": func(r *route.Route) {
			r.Schedule[0].Days = "Monday"
		},
		"Schedule[1].From is not a time of day such as 07:30": func(r *route.Route) {
			r.Schedule[1].From = "7:00"
		},
		"Schedule[1].To is not a time of day such as 07:30": func(r *route.Route) {
			r.Schedule[1].To = "25:00"
		},
		"Schedule[0].Phones is empty": func(r *route.Route) {
			r.Schedule[0].Phones = nil
		},
		"Schedule[0].Phones[1] is neither a number nor the name of one of Phones": func(r *route.Route) {
			r.Schedule[0].Phones[1] = "Bo"
		},
		"Schedule[0].Phones[1] is there twice": func(r *route.Route) {
			r.Schedule[0].Phones[1] = string(ann)
		},
		"Overrides[0].Date is not a date such as 2026-12-24": func(r *route.Route) {
			r.Overrides = []route.Override{{Date: "24.12."}}
		},
		"Overrides[0].ends before it begins": func(r *route.Route) {
			r.Overrides = []route.Override{{Date: "2026-12-24", LastDate: "2026-12-23"}}
		},
		"Closed is neither relay nor night nor hold": func(r *route.Route) {
			r.Closed = "shut"
		},
		"NightPhones is empty: Closed is night": func(r *route.Route) {
			r.Closed = route.ClosedNight
		},
		"phone +18585550100 is the Twilio number itself: texts would go round in a loop": func(r *route.Route) {
			r.NightPhones = []string{string(ownNumber)}
		},
		"+16195550125 is a further number of Bo Lee: texts go to +16195550124": func(r *route.Route) {
			r.NightPhones = []string{string(boHome)}
		},
	} {
		r := scheduled()
		r.Schedule = slices.Clone(r.Schedule)
		change(&r)
		got := ""
		if err := r.Validate(); err != nil {
			got = err.Error()
		}
		if first, _, _ := strings.Cut(got, "\n"); first != want {
			t.Errorf("problem %q, want %q", got, want)
		}
	}
}

// The last day of a leap year is behind what the standard library takes for the end of a rule's year.
func TestShiftOnTheLastDayOfALeapYear(t *testing.T) {
	r := crewed()
	r.TimeZone = "America/Los_Angeles"
	r.Overrides = []route.Override{{Date: "2028-12-31", From: "08:00", To: "12:00", Phones: []string{"Ann"}}}
	from, to := r.SpanOf(r.Overrides[0])
	want := time.Date(2028, 12, 31, 16, 0, 0, 0, time.UTC)
	if !from.Equal(want) || !to.Equal(want.Add(4*time.Hour)) {
		t.Errorf("from %v to %v, want from %v for four hours", from, to, want)
	}
}
