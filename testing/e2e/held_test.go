//go:build unix

package e2e

import (
	"fmt"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
)

// heldUntilOpen plays a text that is held until an operator opens the number. Its timer, which would come in a quarter of an hour, comes
// at once.
func (s *stage) heldUntilOpen(i int) string {
	if i > 0 {
		s.uncounted(s.closeNumber)
		time.Sleep(route.MaxCacheAge)
	}
	sid := s.mustText(regular, holdNumber, fmt.Sprintf("The van is %d minutes late, and it is late", 10+i))
	s.until("the text is held, and its timer set", patience, func() bool {
		return s.record(sid).Reason == ledger.ReasonClosed && s.depth("Queue") == 0 && s.depth("TimerQueue") == 1
	})
	timers := s.host.Name("TimerQueue")
	if _, err := sdk.NewFromConfig(s.host.Direct("sqs")).PurgeQueue(s.t.Context(), &sdk.PurgeQueueInput{QueueUrl: &timers}); err != nil {
		s.t.Fatal(err)
	}
	s.uncounted(s.openNumber)
	due := queue.Envelope{
		Version: queue.Version, Kind: queue.KindTimer, RelayID: sid, ReceivedAt: time.Now(), Timer: &queue.Timer{Opens: true, Due: time.Now()},
	}
	out, err := due.Outgoing()
	if err == nil {
		err = s.queue("TimerQueue").Send(s.t.Context(), out)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.await(sid, patience, ledger.Delivered)
	return sid
}

// closeNumber closes the number that holds texts, as an operator does, and openNumber opens it.
func (s *stage) closeNumber() {
	day := func(after int) string { return time.Now().UTC().AddDate(0, 0, after).Format(time.DateOnly) }
	s.putHolding(route.Override{Date: day(-1), LastDate: day(2)})
}

func (s *stage) openNumber() { s.putHolding() }

// putHolding puts the route that holds texts.
func (s *stage) putHolding(closed ...route.Override) {
	s.t.Helper()
	stored, err := dynamo.NewRoutes(s.host.Direct("dynamodb"), s.host.Name("RoutingTable")).Lookup(s.t.Context(), holdNumber)
	if err != nil {
		s.t.Fatal(err)
	}
	s.putRoute(route.Route{
		TwilioNumber: holdNumber, DestinationCarrier: phone, TimeZone: "UTC", Closed: route.ClosedHold, Overrides: closed,
		Version: stored[holdNumber].Version,
	})
}

// uncounted does something that is no part of what a text costs.
func (s *stage) uncounted(do func()) {
	s.t.Helper()
	s.rest()
	before := s.sums()
	do()
	s.rest()
	after := s.sums()
	for what, n := range after {
		s.beside[what] += n - before[what]
	}
}
