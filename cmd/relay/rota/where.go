package rota

import (
	"context"
	"fmt"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// wouldBe is the MessageSid of a text that nobody sends.
const wouldBe = "SM00000000000000000000000000000000"

// Where says where a text would go that a customer sent to a number. A number without a route drops it. The error is an
// [operations.OrderError] if the moment is none.
func (b Book) Where(ctx context.Context, q operations.WhereQuestion) (operations.Where, error) {
	book := route.NewCache(b.Routes, b.Now)
	found, err := book.Lookup(ctx, q.TwilioNumber.Spellings()...)
	if err != nil {
		return operations.Where{}, err
	}
	way, _ := route.Find(found, q.TwilioNumber)
	at, err := b.momentOf(way, "at", q.At)
	if err != nil {
		return operations.Where{}, err
	}
	text := ledger.Record{MessageSid: wouldBe, TwilioNumber: q.TwilioNumber, Customer: q.Customer, Body: q.Body}
	by := delivery.Foreseeing{Records: b.Records, Routes: book, Conversations: b.Conversations}
	return Foresee(ctx, by, text, ledger.Stamp(at).In(at.Location()))
}

// Foresee says where a new text would go that comes in at that moment. The sender's own code decides.
func Foresee(ctx context.Context, by delivery.Foreseeing, text ledger.Record, at time.Time) (operations.Where, error) {
	text.ReceivedAt, text.UpdatedAt = at.UTC(), at.UTC()
	seen, err := by.Route(ctx, text, text.ReceivedAt)
	return whereOf(seen, text.Customer, text.TwilioNumber, at), err
}

func whereOf(seen delivery.ForeseenRoute, from, to sms.PhoneNumber, at time.Time) operations.Where {
	p := seen.Plan
	w := operations.Where{
		TwilioNumber: to, Customer: from, At: at, TimeZone: at.Location().String(), Answer: p.IsAnswer, Drop: p.Drop,
		Scheduled: seen.Way.IsScheduled(), Open: seen.Duty.IsOpen, SameTime: len(p.Ring),
		Phones: []operations.WherePhone{}, AutoAnswer: seen.AutoAnswer,
		HasAutoAnswer: seen.Way.AutoAnswer.Closed != "" && seen.Way.IsClosed(at),
	}
	if !seen.Duty.Until.IsZero() {
		w.Until = seen.Duty.Until.In(at.Location())
	}
	switch {
	case p.Drop != "" || p.IsAnswer:
	case !p.Holds.IsZero():
		w.HeldUntil, w.HeldFor = p.Holds.In(at.Location()), p.HeldFor
		if w.ExpiresAt = w.HeldUntil; p.HeldFor == ledger.ReasonClosed {
			w.ExpiresAt = w.HeldUntil.Add(seen.Way.TextAge())
		}
	default:
		w.ExpiresAt = p.Expires.In(at.Location())
	}
	for _, phone := range p.Open {
		w.Phones = append(w.Phones, operations.WherePhone{
			Name: seen.Way.NameOf(phone), Number: phone, OptedOut: seen.Way.IsOptedOut(phone),
			HasCustomer: seen.Claimer != "" && sms.Same(phone, seen.Claimer),
		})
	}
	for _, o := range seen.Way.StillOff(seen.Way.Off, at) {
		w.Off = append(w.Off, OffOf(seen.Way, o, at.Location()))
	}
	for _, v := range seen.Way.Verifications {
		if v.VerifiedAt.IsZero() {
			w.Unverified = append(w.Unverified, operations.DutyPhone{Name: seen.Way.NameOf(v.Phone), Number: v.Phone})
		}
	}
	return w
}

// MomentForm is how a moment by the clocks of a place is written.
const MomentForm = "Mon 2006-01-02 15:04"

// Sentences say for people where a text would go.
func Sentences(w operations.Where) (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	number := string(w.TwilioNumber)
	switch {
	case w.Answer:
		say("%s is a phone of %s: relay explain answer says what would become of its text.", string(w.Customer), number)
		return all
	case w.Drop != "":
		say("It would be dropped (%s); relay explain reason %s says why.", w.Drop, w.Drop)
		return all
	}
	if w.Scheduled {
		is, until := "closed: nobody is on duty", ""
		if w.Open {
			is = "open"
		}
		if !w.Until.IsZero() {
			until = ", until " + w.Until.Format(MomentForm)
		}
		say("%s (%s): %s is %s%s.", w.At.Format(MomentForm), w.TimeZone, number, is, until)
	}
	for i := range w.Phones {
		all = append(all, sentenceOf(w, i))
	}
	for _, o := range w.Off {
		say("%s is off duty until %s.", strings.TrimSpace(o.Name+" "+string(o.Number)), o.Until.Format(MomentForm))
	}
	for _, phone := range w.Unverified {
		say("%s is not verified: it gets no texts before it has answered a code.", strings.TrimSpace(phone.Name+" "+string(phone.Number)))
	}
	switch {
	case w.HeldFor == ledger.ReasonClosed:
		say("The text would be held until %s, and then go to whoever is on duty.", w.HeldUntil.Format(MomentForm))
	case w.HeldFor == ledger.ReasonUnverified:
		say("The text would be held until a phone is verified, at most until %s.", w.HeldUntil.Format(MomentForm))
		return all
	case len(w.Phones) == 0:
		say("There is no phone that the text could go to.")
	}
	switch {
	case w.AutoAnswer != "":
		say("The relay itself would answer: %s", w.AutoAnswer)
	case w.HasAutoAnswer:
		say("The relay itself would not answer this customer now: it did today, or it may not (docs/operate.md says when).")
	}
	say("It is too old to be sent after %s.", w.ExpiresAt.Format(MomentForm))
	return all
}

// sentenceOf says when the text would go to one of the phones.
func sentenceOf(w operations.Where, i int) string {
	phone, how := w.Phones[i], "The text would go to"
	switch {
	case i == 0:
	case i < w.SameTime:
		how = "At the same time, to"
	case i == w.SameTime:
		how = "If all of them fail, to"
	default:
		how = "If that fails, to"
	}
	about := ""
	if phone.OptedOut {
		about = ", which has opted out: Twilio would refuse it"
	}
	if phone.HasCustomer {
		about += ", which has the customer"
	}
	return how + " " + strings.TrimSpace(phone.Name+" "+string(phone.Number)) + about + "."
}
