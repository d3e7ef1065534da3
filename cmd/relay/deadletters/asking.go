package deadletters

import (
	"time"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/reconcile"
)

// Asking returns the search of Twilio's list for [Move.Asked]. The ledger knows only what Twilio answered to a dead text's POSTs;
// the list shows more. The search uses the sender's default settings, because the stack's own are not known here.
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
