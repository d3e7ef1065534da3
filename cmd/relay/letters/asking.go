package letters

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/reconcile"
)

// span and longest are those of the sender's own looks, by its default settings.
const span, longest = 2 * time.Minute, 20 * time.Second

// Asking returns the question to Twilio for [Move.Asked]. The ledger is right about a dead text's POSTs as far as Twilio's answers
// are; this asks for more.
func Asking(messages reconcile.Messages, records interface {
	Ledger
	ledger.Lister
}, now func() time.Time,
) *reconcile.Search {
	return &reconcile.Search{Messages: messages, Ledger: records, Records: records, Span: span, Longest: longest, Now: now}
}
