package sms_test

import (
	"testing"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestCanonical(t *testing.T) {
	for number, want := range map[sms.PhoneNumber]sms.PhoneNumber{
		"+18585550100": "+18585550100", "+15005550006": "+15005550006", "+118585550100": "+18585550100",
		"+447700900123": "+447700900123", "+4407700900123": "+447700900123", "+390612345678": "+390612345678",
		"+5213312345678": "+523312345678", "+520443312345678": "+523312345678", "+523312345678": "+523312345678",
		"+541115 23456789": "", "+54111523456789": "+5491123456789", "+5491123456789": "+5491123456789", "+541123456789": "+541123456789",
		"+1858555010": "", "+185855501000": "", "+11585550100": "", "+18581550100": "", "+6195550123": "", "+9995550123": "",
		"+49015112345678": "+4915112345678", "24365": "", "QuickDump": "", "": "",
	} {
		got, ok := number.Canonical()
		if ok != (want != "") || ok && got != want || !ok && got != number {
			t.Errorf("Canonical of %s is %s, %v; want %s", string(number), string(got), ok, string(want))
		}
	}
}

// Two numbers are the same if their keys are equal, however they are written: with a prefix that is dialled at home, or cut short.
func TestSameAsItsKey(t *testing.T) {
	prefixes := rapid.SampledFrom([]string{
		"", "+", "+1", "+44", "+440", "+54", "+549", "+52", "+521", "+5201", "+375", "+37580", "+43", "+430", "+297",
	})
	digits := rapid.OneOf(rapid.StringMatching(`[0-9]{0,12}`), rapid.StringMatching(`(11|351)(15)?2345678`), rapid.StringMatching(`[01]{3,7}`))
	number := rapid.Custom(func(t *rapid.T) sms.PhoneNumber {
		return sms.PhoneNumber(prefixes.Draw(t, "prefix") + digits.Draw(t, "digits"))
	})
	rapid.Check(t, func(t *rapid.T) {
		a := number.Draw(t, "a")
		for _, b := range append(a.Spellings(), number.Draw(t, "b"), a.Key()) {
			if sms.Same(a, b) != (a.Key() == b.Key()) {
				t.Fatalf("Same(%s, %s) is %v; the keys are %s and %s", string(a), string(b), sms.Same(a, b), string(a.Key()), string(b.Key()))
			}
		}
	})
}

func TestSame(t *testing.T) {
	for _, tt := range []struct {
		a, b sms.PhoneNumber
		want bool
	}{
		{"+4407700900123", "+447700900123", true},
		{"+5213312345678", "+523312345678", true},
		{"+5491123456789", "+541123456789", true},
		{"+54111523456789", "+541123456789", true},
		{"+18585550100", "+18585550101", false},
		{"whatsapp:+18585550100", "+18585550100", false},
		{"+1858555010", "+1858555010", true},
		{"+1858555010", "+1858555011", false},
		{"", "", true},
	} {
		if got := sms.Same(tt.a, tt.b); got != tt.want {
			t.Errorf("Same(%s, %s) is %v", string(tt.a), string(tt.b), got)
		}
	}
}

func TestSameCountry(t *testing.T) {
	tests := []struct {
		name         string
		ours, theirs sms.PhoneNumber
		want         bool
	}{
		{"one place", "+18585550100", "+18585550147", true},
		{"another place", "+18585550100", "+13125550147", true},
		{"a toll-free number of ours", "+18335550100", "+13125550147", true},
		{"a toll-free number of theirs", "+18585550100", "+18335550147", false},
		{"a number that costs", "+18585550100", "+19005550147", false},
		{"an island", "+18585550100", "+18765550147", false},
		{"from an island", "+18765550100", "+18585550147", false},
		{"on one island", "+18765550100", "+18765550147", true},
		{"on two islands", "+18765550100", "+12425550147", false},
		{"another country", "+18585550100", "+447700900123", false},
		{"in another country", "+447700900100", "+447700900123", true},
		{"its zero", "+447700900100", "+4407700900123", true},
		{"no such number", "+18585550100", "+1858555", false},
		{"a short code", "+18585550100", "24365", false},
		{"a name", "+18585550100", "QuickDump", false},
		{"a channel", "+18585550100", "whatsapp:+18585550147", false},
		{"nobody", "+18585550100", "", false},
		{"none of ours", "", "+18585550147", false},
		{"a short code of ours", "24365", "+18585550147", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := sms.SameCountry(tt.ours, tt.theirs); got != tt.want {
				t.Errorf("SameCountry(%s, %s) is %t", string(tt.ours), string(tt.theirs), got)
			}
		})
	}
}
