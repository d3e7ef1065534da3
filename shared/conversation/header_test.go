package conversation_test

import (
	"testing"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestHeader(t *testing.T) {
	const customer sms.PhoneNumber = "+13125550147"
	for _, tt := range []struct {
		tag      conversation.Tag
		name     string
		customer sms.PhoneNumber
		brief    bool
		want     string
	}{
		{"A47", "Ann Miller", customer, false, "A47 Ann Miller +13125550147: "},
		{"A47", "", customer, false, "A47 +13125550147: "},
		{"A47", "Ann Miller", customer, true, "A47 Ann: "},
		{"A47", "", customer, true, "A47: "},
		{"", "", "22395", false, "From 22395: "},
		{"", "", "22395", true, "From 22395: "},
	} {
		if got := conversation.Header(tt.tag, tt.name, tt.customer, tt.brief); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt, got, tt.want)
		}
	}
}

// A header shows the tag, and the customer's number unless it is brief. Words without a header show nothing.
func TestShownBy(t *testing.T) {
	type shown struct {
		tag    conversation.Tag
		number sms.PhoneNumber
	}
	for body, want := range map[string]shown{
		conversation.Header("A47", "Ann Miller", "+13125550147", false) + "hi": {"A47", "+13125550147"},
		conversation.Header("A47", "", "+13125550147", false) + "hi":           {"A47", "+13125550147"},
		conversation.Header("A47", "Ann Miller", "+13125550147", true) + "hi":  {"A47", ""},
		conversation.Header("A47", "", "+13125550147", true) + "hi":            {"A47", ""},
		conversation.Header("", "", "+13125550147", false) + "hi":              {"", "+13125550147"},
		conversation.Header("", "", "22395", false) + "hi":                     {"", "22395"},
		"hi": {}, "Note: hi": {}, "": {}, "A46: hi": {},
	} {
		if tag, number := conversation.ShownBy(body); (shown{tag, number}) != want {
			t.Errorf("ShownBy(%q) = %q, %q; want %v", body, tag, number, want)
		}
	}
}
