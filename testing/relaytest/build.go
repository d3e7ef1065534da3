package relaytest

import (
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Who takes part, all from the range of fictional numbers.
const (
	// TwilioNumber is texted by Customer; its texts go to Destination, then to Fallback.
	TwilioNumber sms.PhoneNumber = "+18585550100"
	Customer     sms.PhoneNumber = "+18585550111"
	Destination  sms.PhoneNumber = "+18585550122"
	Fallback     sms.PhoneNumber = "+18585550133"
)

// MessageSid returns the MessageSid of the nth message.
func MessageSid(n int) string { return fmt.Sprintf("SM%032x", n) }

// OutboundSid returns the MessageSid that a [Twilio] gives the message of its nth POST.
func OutboundSid(n int) string { return fmt.Sprintf("SMffff%028x", n) }

// Message returns the nth text of Customer to TwilioNumber. Texts of different n differ in Sid and Body.
func Message(n int) sms.Message {
	return sms.Message{
		Sid:         MessageSid(n),
		AccountSid:  fmt.Sprintf("AC%032x", 1),
		From:        Customer,
		To:          TwilioNumber,
		Body:        fmt.Sprintf("Is the gate open? (%d)", n),
		NumSegments: 1,
	}
}

// Record returns the record of the nth message, received at the given time and not yet in the ledger: version 0, in no
// state. Claim or Drop is its first step.
func Record(n int, receivedAt time.Time) ledger.Record {
	m := Message(n)
	return ledger.Record{
		MessageSid:   m.Sid,
		TwilioNumber: m.To,
		Customer:     m.From,
		Body:         m.Body,
		ReceivedAt:   ledger.Stamp(receivedAt),
		UpdatedAt:    ledger.Stamp(receivedAt),
	}
}
