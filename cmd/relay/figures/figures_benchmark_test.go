package figures_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/figures"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// busy has so many texts on each day, each with a receipt, of a number of customers.
type busy struct{ each, customers int }

func (b busy) List(_ context.Context, q ledger.Query) (ledger.Page, error) {
	const beats = 24 * time.Hour
	page := ledger.Page{Records: make([]ledger.Record, b.each)}
	for n := range page.Records {
		at := q.Until.Add(-time.Duration(n+1) * beats / time.Duration(b.each+1))
		page.Records[n] = ledger.Record{
			TwilioNumber: business, Customer: sms.PhoneNumber(fmt.Sprintf("+1%03d55501%02d", 212+n%b.customers/100, n%100)),
			Body: "Is it open?", ReceivedAt: at, State: ledger.Delivered, Attempts: []ledger.Attempt{{
				Number: 1, To: anns, Header: fmt.Sprintf("A%d:", n%b.customers), Outcome: ledger.OutcomeAccepted,
				EndedAt: at.Add(2 * time.Second), Status: sms.StatusDelivered,
			}},
		}
	}
	return page, nil
}

// BenchmarkOf counts a month of which all is remembered.
func BenchmarkOf(b *testing.B) {
	for _, each := range []int{100, 3_000} {
		b.Run(fmt.Sprintf("texts=%d", 30*each), func(b *testing.B) {
			book := figures.Book{Texts: busy{each, 1000}, Now: func() time.Time { return now.AddDate(0, 2, 0) }}
			count := func() figures.Figures {
				f, err := book.Of(b.Context(), way(), figures.PeriodOf(figures.Month, now))
				if err != nil {
					b.Fatal(err)
				}
				return f
			}
			for f := count(); !f.Since.IsZero(); f = count() {
			}
			b.ReportAllocs()
			for b.Loop() {
				count()
			}
		})
	}
}
