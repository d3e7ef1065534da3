package twiliofake_test

import (
	"testing"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// A phone answers what it was delivered of customers, and nothing else.
func TestPhoneAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		body, to string
		want     string // empty: no answer
	}{
		"a customer's text":      {"A05 +13125550147: Is the sofa ready?", string(carrier), "A05 Yes"},
		"the customer's next":    {"A05: Well?", string(carrier), "A05 Yes"},
		"a notice":               {`Not sent: "Yes".`, string(carrier), ""},
		"a text to another":      {"A05: Well?", "+16195550188", ""},
		"one that is not gotten": {"A05: Well?", "+15005550101", ""},
	} {
		t.Run(name, func(t *testing.T) {
			app := receive(t, nil)
			account := start(t, func(c *twiliofake.Config) {
				c.Webhook = twiliofake.Webhook{URL: app.url}
				c.Answers = map[sms.PhoneNumber]twiliofake.PhoneAnswer{carrier: {Words: "Yes"}, "+15005550101": {Words: "Yes"}}
			})
			account.mustCreate(t, params("Body", tt.body, "To", tt.to))
			account.settle(t)
			got := app.webhooks()
			if tt.want == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || got[0].params.Get("Body") != tt.want || got[0].params.Get("From") != tt.to ||
				got[0].params.Get("To") != string(ours) {
				t.Errorf("webhooks %+v, want one that says %q", got, tt.want)
			}
		})
	}
}
