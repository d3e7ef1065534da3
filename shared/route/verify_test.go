package route_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const code, salt, text = "042317", "PEPPER", "SM00000000000000000000000000000001"

// verifying is a route to Ann, who was there before, and Bo, who has yet to be verified, and was sent the code at noon.
func verifying(t *testing.T) route.Route {
	t.Helper()
	before := route.Route{TwilioNumber: "+18585550100", DestinationCarrier: ann, Active: true}
	after := before
	after.VerifyPhones, after.FallbackCarriers = new(true), []sms.PhoneNumber{bo}
	r, ok := after.Switched(before, noon).PutCode(bo, code, salt, noon)
	if !ok {
		t.Fatalf("Bo need not be verified: %+v", after.Switched(before, noon))
	}
	return r
}

// Only phones that come into a route with VerifyPhones have to be verified, and they stay so whatever is written.
func TestWhoHasToBeVerified(t *testing.T) {
	plain := route.Route{TwilioNumber: "+18585550100", DestinationCarrier: ann, Active: true}
	strict := plain
	strict.VerifyPhones = new(true)
	withBo := strict
	withBo.FallbackCarriers = []sms.PhoneNumber{bo}
	file := withBo // as a file has it, without what the relay keeps.
	named := strict
	named.Phones = []route.Phone{{Name: "Cy", Number: cy, Also: []sms.PhoneNumber{"+18585550199"}}}
	lax := withBo.Switched(strict, noon)
	lax.VerifyPhones = new(false)
	for _, tt := range []struct {
		name          string
		before, after route.Route
		want          []sms.PhoneNumber
	}{
		{"a new route without it", route.Route{}, plain, nil},
		{"a new route", route.Route{}, withBo, []sms.PhoneNumber{ann, bo}},
		{"those that are there when it begins", plain, strict, nil},
		{"a phone comes as it begins", plain, withBo, []sms.PhoneNumber{bo}},
		{"a phone comes later", strict, withBo, []sms.PhoneNumber{bo}},
		{"a phone gets a name", strict, named, []sms.PhoneNumber{cy}},
		{"a file is brought in", withBo.Switched(strict, noon), file, []sms.PhoneNumber{bo}},
		{"a phone goes", withBo.Switched(strict, noon), strict, nil},
		{"a phone comes back", strict, withBo, []sms.PhoneNumber{bo}},
		{"it is switched off", withBo.Switched(strict, noon), lax, nil},
	} {
		got := tt.after.Switched(tt.before, noon)
		var unverified []sms.PhoneNumber
		for _, v := range got.Verifications {
			unverified = append(unverified, v.Phone)
			if !got.IsUnverified(v.Phone) {
				t.Errorf("%s: %s is verified", tt.name, v.Phone)
			}
		}
		if !slices.Equal(unverified, tt.want) {
			t.Errorf("%s: %v have to be verified, want %v", tt.name, unverified, tt.want)
		}
	}
	byHand(t, plain, lax)
	if r := named.Switched(strict, noon); !r.IsUnverified("+18585550199") {
		t.Error("a further number of an unverified phone is verified")
	}
}

// byHand: a phone that a command brings in has to be verified once, unless the route says that none has to.
func byHand(t *testing.T, plain, lax route.Route) {
	t.Helper()
	toBo := plain
	toBo.DestinationCarrier = bo
	bad := func(r route.Route) bool { return r.IsUnverified(bo) }
	if !bad(toBo.Edited(plain, noon)) || !bad(toBo.Edited(route.Route{}, noon)) || bad(lax.Edited(plain, noon)) {
		t.Error("not each phone that a command brings in has to be verified")
	}
	withBo := toBo.Edited(plain, noon)
	if !bad(toBo.Switched(withBo, noon)) || bad(lax.Switched(withBo, noon)) || bad(plain.Edited(plain, noon)) {
		t.Error("what a file says does not count")
	}
	// Ann was there before, and comes back: within thirty days she need not be verified, and Bo, who never was, has to be.
	back := plain
	back.FallbackCarriers = []sms.PhoneNumber{bo}
	for _, tt := range []struct {
		after time.Duration
		want  bool
	}{{time.Hour, false}, {route.LeftKept - time.Second, false}, {route.LeftKept, true}} {
		without := toBo.Switched(withBo, noon.Add(tt.after/2))
		if r := back.Edited(without, noon.Add(tt.after)); r.IsUnverified(ann) != tt.want || !bad(r) {
			t.Errorf("after %v Ann has to be verified: %v, Bo: %v", tt.after, r.IsUnverified(ann), bad(r))
		}
	}
	if r := back.Edited(plain.Edited(withBo, noon), noon); !bad(r) {
		t.Error("Bo was never verified, and need not be as he comes back")
	}
}

// A code counts once it was sent, for ten minutes, until five wrong ones came. The code itself is not kept.
func TestCodes(t *testing.T) {
	type try struct {
		code string
		sid  string
		at   time.Duration
		want route.Verdict
	}
	wrong := func(n int) (tries []try) {
		for i := range n {
			tries = append(tries, try{"999999", relaytest.MessageSid(i + 10), time.Minute, route.CodeWrong})
		}
		return tries
	}
	for name, tries := range map[string][]try{
		"right":                      {{code, text, time.Minute, route.CodeRight}},
		"after four wrong ones":      append(wrong(4), try{code, text, time.Minute, route.CodeRight}),
		"after five":                 append(wrong(5), try{code, text, time.Minute, route.CodeOver}),
		"a text that comes again":    append(wrong(4), wrong(4)[3], try{code, text, time.Minute, route.CodeRight}),
		"the fifth that comes again": append(wrong(5), wrong(5)[4]),
		"in the last second":         {{code, text, 10 * time.Minute, route.CodeRight}},
		"too late":                   {{code, text, 10*time.Minute + time.Second, route.CodeOver}},
		"again, once it is verified": {{code, text, time.Minute, route.CodeRight}, {code, text, time.Hour, route.CodeRight}},
	} {
		r := verifying(t)
		if strings.Contains(r.Verifications[0].Hash, code) || len(r.Verifications[0].Hash) != 64 {
			t.Fatalf("kept is %+v", r.Verifications[0])
		}
		last := route.CodeWrong
		for i, step := range tries {
			at := noon.Add(step.at)
			if r, last = r.TryCode(bo, step.code, step.sid, at, at); last != step.want {
				t.Errorf("%s: try %d is %s, want %s", name, i+1, last, step.want)
			}
		}
		if isUnverified := r.IsUnverified(bo); isUnverified == (last == route.CodeRight) {
			t.Errorf("%s: unverified %v", name, isUnverified)
		}
	}
	r := verifying(t)
	if _, got := r.TryCode(ann, "999999", text, noon, noon); got != route.CodeRight {
		t.Errorf("Ann's code is %s", got)
	}
	if again, _ := r.PutCode(bo, "111111", salt, noon); again.Verifications[0].Hash == r.Verifications[0].Hash {
		t.Error("two codes have the same hash")
	}
	if _, ok := r.PutCode(ann, code, salt, noon); ok {
		t.Error("Ann was sent a code")
	}
}

// Nobody who is unverified gets texts, not even if nobody else is left, and texts do not age while they wait for that, for a day at most.
func TestUnverifiedPhonesGetNothing(t *testing.T) {
	r := verifying(t)
	if got := r.PhonesAt(noon); !slices.Equal(got, []sms.PhoneNumber{ann}) || r.Waits(noon) {
		t.Errorf("phones %v, waits %v", got, r.Waits(noon))
	}
	r.Off = []route.Off{{Phone: ann, Until: noon.Add(time.Hour)}}
	if got := r.PhonesAt(noon); !slices.Equal(got, []sms.PhoneNumber{ann}) {
		t.Errorf("with Ann off, phones %v", got)
	}
	alone := route.Route{TwilioNumber: "+18585550100", DestinationCarrier: bo, Active: true, VerifyPhones: new(true)}
	alone = alone.Switched(route.Route{}, noon)
	if got := alone.PhonesAt(noon); len(got) != 0 || !alone.Waits(noon) {
		t.Errorf("phones %v, waits %v", got, alone.Waits(noon))
	}
	alone, _ = alone.PutCode(bo, code, salt, noon.Add(3*time.Hour))
	verified, _ := alone.TryCode(bo, code, text, noon.Add(3*time.Hour), noon.Add(3*time.Hour))
	at := noon.Add(3 * time.Hour)
	if !verified.WaitedUntil.Equal(at) || !verified.Verifications[0].VerifiedAt.Equal(at) {
		t.Fatalf("kept is %+v, until %s", verified.Verifications, verified.WaitedUntil)
	}
	// The wait also ends when nobody need be verified any more, or when somebody else comes.
	lax, joined := alone, alone
	lax.VerifyPhones, joined.VerifyPhones, joined.FallbackCarriers = new(false), nil, []sms.PhoneNumber{ann}
	lax, joined = lax.Edited(alone, at), joined.Switched(alone, at)
	if !lax.Edited(lax, at.Add(time.Hour)).WaitedUntil.Equal(at) || !alone.Edited(alone, at).WaitedUntil.IsZero() {
		t.Errorf("the wait ended at %s", lax.WaitedUntil)
	}
	// At night, Bo is alone.
	nightly := alone
	nightly.TimeZone, nightly.FallbackCarriers = "UTC", []sms.PhoneNumber{ann}
	nightly.Overrides = []route.Override{{Date: "2026-11-24", From: "09:00", To: "15:00", Phones: []string{string(bo)}}}
	nightly.Closed, nightly.NightPhones = route.ClosedNight, []string{string(bo)}
	for _, tt := range []struct {
		name       string
		r          route.Route
		since, now time.Duration
		want       time.Duration
	}{
		{"waits", alone, 0, time.Hour, time.Hour},
		{"waits for more than a day", alone, 0, 30 * time.Hour, 24 * time.Hour},
		{"waited", verified, 0, 5 * time.Hour, 3 * time.Hour},
		{"waited for more than a day", verified, -30 * time.Hour, 5 * time.Hour, -6 * time.Hour},
		{"came later", verified, 4 * time.Hour, 5 * time.Hour, 4 * time.Hour},
		{"did not wait for Bo", r, 0, time.Hour, 0},
		{"waited until nobody need be verified", lax, 0, 5 * time.Hour, 3 * time.Hour},
		{"waited until somebody came", joined, 0, 5 * time.Hour, 3 * time.Hour},
		{"waits while Bo is on duty", nightly, 0, time.Hour, time.Hour},
		{"waited while Bo was on duty", nightly, 0, 5 * time.Hour, 3 * time.Hour},
		{"came after that", nightly, 4 * time.Hour, 5 * time.Hour, 4 * time.Hour},
		{"waited for a day of a longer duty", nightly, -30 * time.Hour, 2 * time.Hour, -6 * time.Hour},
	} {
		if got := tt.r.AgesFrom(noon.Add(tt.since), noon.Add(tt.now)); !got.Equal(noon.Add(tt.want)) {
			t.Errorf("%s: ages from %s, want %s", tt.name, got.Sub(noon), tt.want)
		}
	}
}
