// Package resend says what would happen if texts that reached nobody were sent again, and orders it. An order is a message on the
// sender's queue; the sender (functions/sender/delivery) carries it out once, along the route as it is then. The package prints
// nothing.
package resend

import (
	"context"
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Outlook is what would happen to a text if it were ordered to be sent again.
type Outlook string

const (
	// Again means that it would be sent, to Text.To first.
	Again Outlook = "again"
	// Settles means that Twilio has a message of it: it would be marked as sent, and not sent again.
	Settles Outlook = "settles"
	// DroppedAgain means that with the routes as they are it would be dropped again, for the reason Text.Drop.
	DroppedAgain Outlook = "dropped_again"
	// Answered means that Twilio has acted on it: it is a keyword such as STOP or HELP, and no phone should get it.
	Answered Outlook = "answered"
	// Unaddressed means that its sender or its Twilio number is missing: it would fail again.
	Unaddressed Outlook = "unaddressed"
	// InHand means that it is on its way, or waits on the queue.
	InHand Outlook = "in_hand"
	// Taken means that Twilio has it, and a phone may have got it.
	Taken Outlook = "taken"
	// InDoubt means that nobody knows whether it was sent: relay uncertain decides about those.
	InDoubt Outlook = "in_doubt"
	// Dead means that it has a dead letter: relay dlq moves that.
	Dead Outlook = "dead"
)

// Orders reports whether an order would change anything.
func (o Outlook) Orders() bool { return o == Again || o == Settles }

// Meaning describes the outlook, for people.
func (o Outlook) Meaning() string {
	switch o {
	case Again:
		return "would be sent again"
	case Settles:
		return "Twilio has it after all; would be marked as sent, not sent again"
	case DroppedAgain:
		return "would be dropped again"
	case Answered:
		return "a keyword that Twilio has answered; no phone should get it"
	case Unaddressed:
		return "its sender or its Twilio number is missing; would fail again"
	case InHand:
		return "already on its way"
	case Taken:
		return "Twilio already has it; a phone would get it twice"
	case InDoubt:
		return "may have been sent; decide with relay uncertain resolve"
	case Dead:
		return "has a dead letter; send it with relay dlq redrive"
	default:
		return string(o)
	}
}

// Text is one text, and what would happen to it.
type Text struct {
	Record  ledger.Record
	Outlook Outlook
	// Drop is why it would be dropped again.
	Drop ledger.Reason
	// To is the phone that would be tried first, Segments how many SMS segments the text would have there.
	To       sms.PhoneNumber
	Segments int
}

// Intended reports whether the text was dropped on purpose: it is sent again only if somebody names it.
func (t Text) Intended() bool {
	return t.Record.State == ledger.Dropped && t.Record.Reason.Intended()
}

// Foresee says what would happen to each record now, oldest first. In this order they are sent again, so phones get them in the order
// in which they were written.
func Foresee(ctx context.Context, routes route.Lookup, records []ledger.Record, now time.Time) ([]Text, error) {
	texts := make([]Text, len(records))
	for i, r := range records {
		found, err := routes.Lookup(ctx, plan.Numbers(r)...)
		if err != nil {
			return nil, fmt.Errorf("look up the route of %s: %w", r.MessageSid, err)
		}
		texts[i] = foresee(r, found, now)
	}
	slices.SortStableFunc(texts, func(a, b Text) int { return a.Record.ReceivedAt.Compare(b.Record.ReceivedAt) })
	return texts, nil
}

// foresee asks the ledger and the plan, as the sender does.
func foresee(r ledger.Record, routes map[sms.PhoneNumber]route.Route, now time.Time) Text {
	t := Text{Record: r}
	switch {
	case r.State == ledger.Queued, r.State == ledger.Sending:
		t.Outlook = InHand
	case r.State == ledger.Sent, r.State == ledger.Delivered:
		t.Outlook = Taken
	case r.State == ledger.Dead:
		t.Outlook = Dead
	case r.State == ledger.Dropped && (r.Reason == ledger.ReasonKeyword || r.Reason == ledger.ReasonOptOut):
		t.Outlook = Answered
	case !r.Addressed():
		t.Outlook = Unaddressed
	default:
		t.order(routes, now)
	}
	return t
}

func (t *Text) order(routes map[sms.PhoneNumber]route.Route, now time.Time) {
	resent, changed, err := t.Record.Resend(t.Record.Order(ledger.Decision{}), now)
	switch {
	case t.Record.State == ledger.Uncertain, err != nil, !changed:
		t.Outlook = InDoubt
		return
	case resent.State != ledger.Queued:
		t.Outlook = Settles
		return
	}
	p := plan.Of(plan.Question{Text: resent, Routes: routes, Now: now})
	if p.Drop != "" {
		t.Outlook, t.Drop = DroppedAgain, p.Drop
		return
	}
	t.Outlook, t.To, t.Segments = Again, p.To, sms.Segments(plan.TextOf(resent, ""))
}

// Order puts the orders on the queue for the texts whose outlook changes something, and returns how many. The error names the text
// whose order the queue did not accept; those before it are ordered.
func Order(ctx context.Context, orders queue.Sender, texts []Text, d ledger.Decision) (ordered int, err error) {
	for _, t := range texts {
		if !t.Outlook.Orders() {
			continue
		}
		message, err := delivery.ResendOrder(t.Record, d)
		if err == nil {
			err = orders.Send(ctx, message)
		}
		if err != nil {
			return ordered, fmt.Errorf("order %s to be sent again: %w", t.Record.MessageSid, err)
		}
		ordered++
	}
	return ordered, nil
}

// Show returns the texts as people are shown them, and what an order would do.
func Show(texts []Text) operations.Resending {
	shown := operations.Resending{Texts: []operations.ResendText{}}
	for _, t := range texts {
		r := t.Record
		last, _ := r.Current()
		shown.Texts = append(shown.Texts, operations.ResendText{
			MessageSid: r.MessageSid, State: r.State, Reason: r.Reason, ErrorCode: last.ErrorCode, TwilioNumber: r.TwilioNumber,
			Customer: r.Customer, ReceivedAt: r.ReceivedAt, Outlook: string(t.Outlook), Means: t.means(), IsOrdered: t.Outlook.Orders(),
			WouldBeDropped: t.Drop, Destination: t.To, OnPurpose: t.Intended(),
		})
		shown.Segments += t.Segments
		if t.Outlook.Orders() {
			shown.Orders++
		}
	}
	return shown
}

// means says what would happen to a text, and to which phone or why.
func (t Text) means() string {
	switch t.Outlook {
	case Again:
		return "would go to " + string(t.To)
	case DroppedAgain:
		return "would be dropped again: " + string(t.Drop)
	case Settles, Answered, Unaddressed, InHand, Taken, InDoubt, Dead:
	}
	return t.Outlook.Meaning()
}
