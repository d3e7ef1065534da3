package deadletters

import (
	"time"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/reconcile"
)

// Asking returns the question to Twilio for [Move.Asked]. The ledger is right about a dead text's POSTs as far as Twilio's answers
// are; this asks for more. It looks as the sender does by its default settings: the stack's own are not known here.
func Asking(messages reconcile.Messages, records interface {
	Ledger
	ledger.Lister
}, now func() time.Time,
) *reconcile.Search {
	return &reconcile.Search{
		Messages: messages, Ledger: records, Records: records, Now: now,
		Span:    delivery.Span(delivery.DefaultReconcileLooks, delivery.DefaultReconcileInterval, delivery.DefaultSendTimeout),
		Longest: delivery.LongestPost(delivery.DefaultSendTimeout),
	}
}
