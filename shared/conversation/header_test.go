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
