package phone

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestPhoneOfThreads: a customer counts once, though the phone got texts of his from the number and from a thread. What the phone was sent
// and wrote last is of all of them.
func TestPhoneOfThreads(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	sent := func(thread sms.PhoneNumber, at time.Time, customers ...sms.PhoneNumber) conversation.Phone {
		p := conversation.Phone{PhoneKey: conversation.PhoneKey{
			TwilioNumber: relaytest.TwilioNumber, SendingNumber: thread, Phone: relaytest.Destination,
		}}
		for _, customer := range customers {
			p.Exchanges = append(p.Exchanges, conversation.Exchange{Customer: customer, SentAt: at})
		}
		return p
	}
	items := []conversation.Phone{
		sent("", now.Add(-time.Hour), relaytest.Customer, "+13125550142"),
		sent("+18585550110", now.Add(-time.Minute), relaytest.Customer),
	}
	for _, way := range []route.Route{relaytest.Route(), {TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: relaytest.Fallback}} {
		all := shownPhones(way, items, now)
		one := all[0]
		if one.Phone != relaytest.Destination {
			one = all[1]
		}
		if one.Customers != 2 || !one.SentAt.Equal(now.Add(-time.Minute)) || len(all) != 2 {
			t.Errorf("of %d phones: %+v", len(all), one)
		}
	}
}
