package delivery

import (
	"context"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Records is the part of the ledger that a decision about a phone's text reads.
type Records interface {
	Get(ctx context.Context, messageSid string) (ledger.Record, error)
}

// Foreseeing is what [Foreseeing.Answer] reads. It writes nothing.
type Foreseeing struct {
	Records       Records
	Routes        Book
	Conversations conversation.Store
}

// Foreseen is what would become of a text if a phone wrote it.
type Foreseen struct {
	// Text is the text's record as the sender would write it. Its State is empty if the text is no answer of a phone, but one that goes
	// to phones.
	Text ledger.Record
	// Mark, if set, says that the phone opts out, or in again.
	Mark *bool
	// IsOnDuty: the phone is in the route. HasLeft: it is not, but it may answer what it was sent.
	IsOnDuty, HasLeft bool
	// Phone is what is kept of the phone, InPlay are the conversations that its words may be for without a tag.
	Phone  conversation.Phone
	InPlay []conversation.Exchange
}

// Answer says what the sender would decide now about a new text, of which r has the numbers, the words and when it came in.
func (f Foreseeing) Answer(ctx context.Context, r ledger.Record, now time.Time) (Foreseen, error) {
	r, routes, err := routesOf(ctx, f.Routes, r)
	if err != nil {
		return Foreseen{}, err
	}
	way, _ := route.Find(routes, r.TwilioNumber)
	seen := Foreseen{Text: r, IsOnDuty: way.IsPhone(r.Customer)}
	p := plan.Of(plan.Question{Text: r, Routes: routes, Now: now})
	if seen.Mark = p.Mark; p.Drop != "" {
		seen.Text.State, seen.Text.Reason = ledger.Dropped, p.Drop
		return seen, nil
	}
	if seen.Phone, err = f.Conversations.GetPhone(ctx, keyOf(r, way.PhoneOf(r.Customer))); err != nil {
		return Foreseen{}, err
	}
	others, err := elsewhere(ctx, f.Conversations, way.ThreadsKept(r.ReceivedAt), seen.Phone.PhoneKey)
	if err != nil {
		return Foreseen{}, err
	}
	isKnown := slices.ContainsFunc(append([]conversation.Phone{seen.Phone}, others...), func(p conversation.Phone) bool {
		// What a phone that left was sent from a former thread is not looked for.
		return p.IsKnown(r.ReceivedAt) && way.Owns(p.Sender())
	})
	if seen.HasLeft = !p.IsAnswer && isKnown; !p.IsAnswer && !seen.HasLeft {
		return seen, nil
	}
	window := way.InPlayTime()
	if window == 0 {
		window = conversation.DefaultAnswerWindow
	}
	if !seen.HasLeft || seen.Phone.Removed.IsZero() {
		seen.InPlay = seen.Phone.InPlay(r.ReceivedAt, window)
	}
	a := answering{
		records: f.Records, text: r, at: r.ReceivedAt, phone: seen.Phone, elsewhere: others, way: way, hasLeft: seen.HasLeft,
		now: now,
	}
	if seen.Text, err = a.decide(ctx); err != nil || seen.Text.Destination == "" {
		return seen, err
	}
	return seen, f.refuse(ctx, &seen, routes, now)
}

// refuse drops an answer whose customer has opted out, as the sender does when it is the answer's turn.
func (f Foreseeing) refuse(ctx context.Context, seen *Foreseen, routes map[sms.PhoneNumber]route.Route, now time.Time) error {
	c, err := f.Conversations.Get(ctx, seen.Text.TwilioNumber, seen.Text.Customer)
	if err != nil {
		return err
	}
	p := plan.Of(plan.Question{Text: seen.Text, OptedOut: c.OptOut.OptedOut, Routes: routes, Now: now})
	if p.Drop != "" {
		seen.Text.State, seen.Text.Reason = ledger.Dropped, p.Drop
	}
	return nil
}
