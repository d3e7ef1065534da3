package typed_test

import (
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/cmd/relay/typed"
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
		{"8585550100", "US", "+18585550100"},
		{"+18585550100 ", "US", "+18585550100"},
		{"\ufeff+18585550100", "US", "+18585550100"},
		{"858\u00a0555\u20110100", "US", "+18585550100"},
		{"858\u2013555\u22120100", "US", "+18585550100"},
		{"\u202a+1 858 555 0100\u202c", "US", "+18585550100"},
		{"TEL:8585550100", "US", "+18585550100"},
		{"+4407700900123", "US", "+447700900123"},
		{"+44 (0)7700 900123", "US", "+447700900123"},
		{"07700 900123", "GB", "+447700900123"},
		{"+5213312345678", "US", "+523312345678"},
		{"+52 1 33 1234 5678", "US", "+523312345678"},
		{"+5491123456789", "US", "+5491123456789"},
		{"+54111523456789", "US", "+5491123456789"},
		{"+541115 2345 6789", "US", "+5491123456789"},
		{"011 15-2345-6789", "AR", "+5491123456789"},
		{"+185855501", "US", ""},
		{"+1619555012", "US", ""},
		{"+6195550123", "US", ""},
		{"+11585550100", "US", ""},
		{"+18581550100", "US", ""},
		{"call 858 555 0100", "US", ""},
		{"", "US", ""},
		{"555-0100", "US", ""},
		{"858 555 010", "US", ""},
		{"858 555 01000", "US", ""},
		{"858 555 0100 ext. 7", "US", ""},
		{"858 555 0100 x7", "US", ""},
		{"858 555 0100 #7", "US", ""},
		{"858 555 0100,7", "US", ""},
		{"858 555 0100;ext=7", "US", ""},
		{"*8585550100", "US", ""},
		{"858/555/0100", "US", "+18585550100"},
		{"\uff18\uff15\uff18\uff15\uff15\uff15\uff10\uff11\uff10\uff10", "US", "+18585550100"},
		{"011 44 7700 900123", "US", "+447700900123"},
		{"447700900123", "GB", "+447700900123"},
		{"anna", "US", ""},
		{"24365", "US", ""},
		{"whatsapp:+18585550100", "US", ""},
		{"(858) 555-0100", "ZZ", ""},
	} {
		got, err := typed.Phone(tt.text, tt.country, false)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q of %s: %q, error %v; want %q", tt.text, tt.country, got, err, tt.want)
		}
	}
}

// TestPhoneSaysWhatWasMeant: what was typed, the form that it should have, and the nearest.
func TestPhoneSaysWhatWasMeant(t *testing.T) {
	for text, want := range map[string]string{
		"abc":         `"abc" is not a phone number of US: write a plus sign, country code and number, such as +18585550100`,
		"+6195550123": `"+6195550123" does not have the digits of a number of its country; did you mean +16195550123?`,
		"+1619555012": `"+1619555012" does not have the digits of a number of its country: no such phone can exist`,
	} {
		if _, err := typed.Phone(text, "US", false); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if got, err := typed.Phone("+1619555012", "US", true); got != "+1619555012" || err != nil {
		t.Errorf("insisted: %q, error %v", got, err)
	}
	if !typed.IsCountry("GB") || typed.IsCountry("ZZ") || typed.IsCountry("us") {
		t.Error("countries are not what they are")
	}
}

func TestSender(t *testing.T) {
	for text, want := range map[string]struct {
		address sms.PhoneNumber
		name    bool
	}{
		"(858) 555-0100": {"+18585550100", false}, "68849": {"68849", false}, "whatsapp:+18585550100": {"whatsapp:+18585550100", false},
		"QuickDump": {"QuickDump", true}, "5550100": {}, "858555010": {}, "+1619555012": {}, "": {}, "a name that is too long": {},
	} {
		got, isName, err := typed.Sender(text, "US")
		if got != want.address || isName != want.name || (err == nil) != (want.address != "") {
			t.Errorf("%q: %q, name %v, error %v; want %q, %v", text, string(got), isName, err, string(want.address), want.name)
		}
	}
}

func TestWords(t *testing.T) {
	if _, err := typed.SID("bogus"); err == nil || !strings.Contains(err.Error(), "two letters and 32 hexadecimal digits") {
		t.Errorf("bogus: %v", err)
	}
	if got, err := typed.SID(" SM0123456789abcdef0123456789abcdef"); err != nil || got != "SM0123456789abcdef0123456789abcdef" {
		t.Errorf("%q, %v", got, err)
	}
	const want = `"deliverd" is not known; did you mean "delivered"?; known are delivered, sent`
	if _, err := typed.Word("deliverd", []string{"delivered", "sent"}); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
