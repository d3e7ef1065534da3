package conversations

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Author is who wrote a text.
type Author string

// The authors.
const (
	ByCustomer Author = "customer"
	ByPhone    Author = "phone"
	ByOperator Author = "operator"
	// Automatic is the relay itself.
	Automatic Author = "automatic"
)

// Details is one conversation with all about it, as JSON.
type Details struct {
	Shown

	Phones []Phone `json:"phones"`
	Texts  []Text  `json:"texts"`
}

// Phone is a phone that was sent texts of the customer.
type Phone struct {
	Phone      sms.PhoneNumber `json:"phone"`
	SentAt     time.Time       `json:"sent_at"`
	AnsweredAt time.Time       `json:"answered_at,omitzero"`
	// PausedUntil is set if so many texts went back and forth that the next one waits until then.
	PausedUntil time.Time `json:"paused_until,omitzero"`
}

// Text is a text of the conversation as JSON.
type Text struct {
	MessageSid string    `json:"message_sid"`
	ReceivedAt time.Time `json:"received_at"`
	By         Author    `json:"by"`
	// Phone is the phone on duty that wrote it.
	Phone       sms.PhoneNumber `json:"phone,omitempty"`
	State       ledger.State    `json:"state"`
	Reason      ledger.Reason   `json:"reason,omitempty"`
	Attachments int             `json:"attachments,omitempty"`
	// Text is what it says: of an answer what the customer got. It is absent if nobody asked for it.
	Text *string `json:"text,omitempty"`
}

// From names who wrote the text.
func (t Text) From() string {
	if t.Phone != "" {
		return string(t.Phone)
	}
	return string(t.By)
}

// Wanted is what somebody wants to see of a conversation.
type Wanted struct {
	// Texts is how many texts at most.
	Texts int
	// Reader is who reads what the texts say, which goes on record with each. Empty shows no words.
	Reader string
}

// Detail returns all about a conversation: the last texts in both directions, oldest first. No words are returned whose reading is not
// on record.
func (d Relay) Detail(ctx context.Context, c conversation.Conversation, w Wanted) (all Details, err error) {
	a, err := d.Look(ctx, c.TwilioNumber, c)
	if err != nil {
		return all, err
	}
	records, err := textsWith(ctx, d.Ledger, c, w.Texts)
	if err != nil {
		return all, err
	}
	all = Details{Shown: a.Show(c), Phones: phonesOf(a.phones, c.Customer, a.now), Texts: []Text{}}
	if w.Reader != "" {
		if records, err = d.readBy(ctx, records, w.Reader); err != nil {
			return Details{}, err
		}
	}
	for _, r := range records {
		all.Texts = append(all.Texts, textOf(r, w.Reader != ""))
	}
	return all, nil
}

func phonesOf(phones []conversation.Phone, customer sms.PhoneNumber, now time.Time) []Phone {
	found := []Phone{}
	for _, p := range phones {
		e, ok := exchangeWith(p, customer)
		if !ok || e.SentAt.IsZero() {
			continue
		}
		one := Phone{Phone: p.Phone, SentAt: e.SentAt.UTC(), AnsweredAt: e.AnsweredAt.UTC()}
		if e.AnsweredAt.IsZero() {
			one.AnsweredAt = time.Time{}
		}
		if wait := p.Pause(customer, now); wait > 0 {
			one.PausedUntil = now.Add(wait).UTC().Truncate(time.Second)
		}
		found = append(found, one)
	}
	return found
}

func textOf(r ledger.Record, withWords bool) Text {
	t := Text{
		MessageSid: r.MessageSid, ReceivedAt: r.ReceivedAt.UTC(), By: ByCustomer, State: r.State, Reason: r.Reason, Attachments: len(r.Media),
	}
	words := r.Body
	switch {
	case r.IsAnswer():
		t.By, t.Phone, words = ByPhone, r.Answer.Phone, r.Answer.Words
	case r.IsAutoAnswer():
		t.By = Automatic
	case r.Manual:
		t.By = ByOperator
	}
	if withWords {
		t.Text = &words
	}
	return t
}

// readBy puts on record who reads the texts, all at the same time: on one host they share a transaction. After an error, none may be shown.
func (d Relay) readBy(ctx context.Context, records []ledger.Record, operator string) ([]ledger.Record, error) {
	read, problems := make([]ledger.Record, len(records)), make([]error, len(records))
	var readings sync.WaitGroup
	for i, r := range records {
		readings.Go(func() {
			read[i], problems[i] = auditlog.Change(ctx, d.Ledger, r, func(r ledger.Record) (ledger.Record, bool, error) {
				return r.Read(operator, d.Now()), true, nil
			})
		})
	}
	readings.Wait()
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("no text is shown whose reading is not on record: %w", err)
	}
	return read, nil
}

// maxSearched bounds how many of a number's newest texts are searched for operators' replies: those are listed under the number only.
const maxSearched = 500

// textsWith returns the last texts in both directions, the oldest first.
func textsWith(ctx context.Context, texts ledger.Lister, c conversation.Conversation, limit int) ([]ledger.Record, error) {
	ours, err := search(ctx, texts, c.Customer, limit, 0, func(r ledger.Record) bool {
		return !r.SecondPart && (!r.Notice || r.IsAutoAnswer()) && sms.Same(r.TwilioNumber, c.TwilioNumber) && sms.Same(r.Customer, c.Customer)
	})
	if err != nil {
		return nil, err
	}
	replies, err := search(ctx, texts, c.TwilioNumber, limit, maxSearched, func(r ledger.Record) bool {
		return r.Manual && r.Customer != c.Customer && sms.Same(r.Destination, c.Customer)
	})
	if err != nil {
		return nil, err
	}
	all := append(ours, replies...)
	slices.SortStableFunc(all, func(a, b ledger.Record) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	return all[max(0, len(all)-limit):], nil
}

// search returns the newest texts of a number that are wanted, at most limit, from the newest most; 0 is from all.
func search(
	ctx context.Context, texts ledger.Lister, number sms.PhoneNumber, limit, most int, wanted func(ledger.Record) bool,
) (found []ledger.Record, err error) {
	q := ledger.Query{Number: number, Limit: ledger.MaxLimit}
	for seen := 0; most == 0 || seen < most; {
		page, err := texts.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("list texts: %w", err)
		}
		for _, r := range page.Records {
			if seen++; wanted(r) {
				found = append(found, r)
			}
			if len(found) == limit {
				return found, nil
			}
		}
		if q.Cursor = page.Next; q.Cursor.IsZero() {
			break
		}
	}
	return found, nil
}
