package deadletters

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Filter chooses letters. Zero fields do not restrict.
type Filter struct {
	// Reason is what the sender wrote on the letter.
	Reason ledger.Reason
	// Number is a customer's or a Twilio number.
	Number sms.PhoneNumber
	// Since and Until bound when the text came in.
	Since, Until time.Time
	// IDs are the ids of texts, or the queue's own ids of letters.
	IDs []string
	// Outlooks are what would happen to the texts.
	Outlooks []Outlook
}

// Passes reports whether the filter chooses the letter.
func (f Filter) Passes(l Letter) bool {
	switch {
	case f.Reason != "" && f.Reason != l.Reason,
		!f.Since.IsZero() && l.receivedAt().Before(f.Since),
		!f.Until.IsZero() && !l.receivedAt().Before(f.Until),
		len(f.IDs) > 0 && !slices.Contains(f.IDs, l.ID()) && !slices.Contains(f.IDs, l.MessageID),
		len(f.Outlooks) > 0 && !slices.Contains(f.Outlooks, l.Outlook):
		return false
	}
	return f.Number == "" || l.has(f.Number)
}

// IsZero reports whether the filter chooses every letter.
func (f Filter) IsZero() bool {
	return f.Reason == "" && f.Number == "" && f.Since.IsZero() && f.Until.IsZero() && len(f.IDs) == 0 && len(f.Outlooks) == 0
}

// has reports whether the text is from or to the number.
func (l Letter) has(number sms.PhoneNumber) bool {
	if m := l.Envelope.Message; m != nil && (sms.Same(m.From, number) || sms.Same(m.To, number)) {
		return true
	}
	return sms.Same(l.Record.TwilioNumber, number) || sms.Same(l.Record.Customer, number)
}
