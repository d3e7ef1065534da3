package relaytest

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// full has every field set, so that one which an adapter forgets is missed.
func full() ledger.Record {
	at := recently()
	open := ledger.Attempt{
		Number: 1, Hop: 1, To: Fallback, From: "+18585550120", ClaimID: "0f0e", Outcome: "transient",
		StartedAt: at, EndedAt: at.Add(time.Millisecond), Media: "kl",
		OutboundSid: "SM0000000000000000000000000000a001", Status: sms.StatusUndelivered, ErrorCode: 30003, HTTPStatus: 503,
		Error: "connection refused", Looks: 3, Found: true, HopDone: true, Spared: true, Header: "A05 Ann: ",
	}
	second := open
	second.Number, second.Hop, second.Outcome, second.EndedAt = 2, 2, ledger.OutcomeAccepted, at.Add(999*time.Millisecond)
	return ledger.Record{
		MessageSid: "RL000000000000000000000000000f0001", State: ledger.Failed, Reason: ledger.ReasonRefused, Manual: true,
		TwilioNumber: TwilioNumber, Customer: Customer, Destination: Destination, Body: "Hi", Keyword: "CANCEL", SeenSid: MessageSid(8),
		Media: []sms.Media{
			{URL: "https://api.twilio.com/1", ContentType: "image/png", Token: "a", KeptUntil: at.Add(time.Hour), Size: 9, Left: true},
			{URL: "https://api.twilio.com/2", ContentType: "text/vcard", Token: "b", KeptUntil: at.Add(time.Minute), Size: 8, Left: true},
		},
		ReceivedAt: at, UpdatedAt: at.Add(time.Second), Attempts: []ledger.Attempt{open, second},
		Folded: ledger.Folded{
			Attempts: 3, InDoubt: true, Awaited: true,
			Phones: []ledger.FoldedPhone{{To: Fallback, HopDone: true, Spent: 2, Since: 1}},
		},
		LeaseUntil: at.Add(time.Minute), NotBefore: at.Add(time.Hour),
		Slot:          ledger.Slot{At: at.Add(time.Hour), From: "+18585550121", To: Fallback},
		RedrivenAfter: 1, RedrivenAt: at.Add(2 * time.Hour), OpenedAt: at.Add(3 * time.Hour), Seal: "5ea1",
		Reading:  ledger.Reading{By: "bob", At: at.Add(time.Hour), Number: 2},
		Decision: ledger.Decision{What: ledger.VerdictResend, By: "ada", Note: "it is not there", At: at.Add(2 * time.Hour)},
		Answer: ledger.Answer{
			Phone: Fallback, At: at, Verdict: ledger.AnswerHeld, Tag: "A05", Words: "Yes", IsUncounted: true, ReleasedAt: at.Add(time.Minute),
			Tells: `"Yes" is for?`, Named: []string{"A05", "A18"},
			Releases: []string{MessageSid(1)}, Ends: []string{MessageSid(2), MessageSid(3)},
		},
		Notice: true, SecondPart: true, Thread: "+18585550121", ParentSid: MessageSid(9),
		Ring: ledger.Ring{Phones: []sms.PhoneNumber{Destination, Fallback}, IsOver: true}, ExpiresAt: at.Add(90 * 24 * time.Hour).Unix(),
	}
}
