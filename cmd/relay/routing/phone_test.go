package routing_test

import (
	"testing"

	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestPhone(t *testing.T) {
	for _, tt := range []struct {
		text, country string
		want          sms.PhoneNumber
	}{
		{"+18585550100", "US", "+18585550100"},
		{"(858) 555-0100", "US", "+18585550100"},
		{" 858.555.0100 ", "US", "+18585550100"},
		{"1 858 555 0100", "US", "+18585550100"},
		{"+1 (858) 555-0100", "GB", "+18585550100"},
		{"tel:+1-858-555-0100", "US", "+18585550100"},
		{"416 555-0100", "CA", "+14165550100"},
		// Taken as it is: a numbering plan may be newer than what is known of it.
		{"+185855501", "US", "+185855501"},
		{"", "US", ""},
		{"555-0100", "US", ""},
		{"858 555 010", "US", ""},
		{"858 555 01000", "US", ""},
		{"858 555 0100 ext. 7", "US", ""},
		{"anna", "US", ""},
		{"24365", "US", ""},
		{"whatsapp:+18585550100", "US", ""},
		{"(858) 555-0100", "ZZ", ""},
	} {
		got, err := routing.Phone(tt.text, tt.country)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q of %s: %q, error %v; want %q", tt.text, tt.country, got, err, tt.want)
		}
	}
}

func TestPossible(t *testing.T) {
	for number, want := range map[sms.PhoneNumber]bool{
		"+18585550100": true, "+15005550006": true, "+1858555010": false, "+185855501000": false, "24365": false,
	} {
		if got := routing.Possible(number); got != want {
			t.Errorf("%s: %v, want %v", number, got, want)
		}
	}
	if !routing.IsCountry("GB") || routing.IsCountry("ZZ") || routing.IsCountry("us") {
		t.Error("countries are not what they are")
	}
}
