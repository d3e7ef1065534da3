package conversation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// author is who wrote a text.
type author string

const (
	byCustomer author = "customer"
	byPhone    author = "phone"
	byOperator author = "operator"
	// automatic is the relay itself.
	automatic author = "automatic"
)

// shownText is a text of the conversation as JSON.
type shownText struct {
	MessageSid string    `json:"message_sid"`
	ReceivedAt time.Time `json:"received_at"`
	By         author    `json:"by"`
	// Phone is the phone on duty that wrote it.
	Phone       sms.PhoneNumber `json:"phone,omitempty"`
	State       ledger.State    `json:"state"`
	Reason      ledger.Reason   `json:"reason,omitempty"`
	Attachments int             `json:"attachments,omitempty"`
	// Text is what it says: of an answer what the customer got. It is absent if nobody asked for it.
	Text *string `json:"text,omitempty"`
}

// from names who wrote the text.
func (t shownText) from() string {
	if t.Phone != "" {
		return string(t.Phone)
	}
	return string(t.By)
}

func textOf(r ledger.Record, withWords bool) shownText {
	t := shownText{
		MessageSid: r.MessageSid, ReceivedAt: r.ReceivedAt.UTC(), By: byCustomer, State: r.State, Reason: r.Reason, Attachments: len(r.Media),
	}
	words := r.Body
	switch {
	case r.IsAnswer():
		t.By, t.Phone, words = byPhone, r.Answer.Phone, r.Answer.Words
	case r.IsAutoAnswer():
		t.By = automatic
	case r.Manual:
		t.By = byOperator
	}
	if withWords {
		t.Text = &words
	}
	return t
}

// readBy puts on record who reads the text.
func readBy(ctx context.Context, texts target.Ledger, r ledger.Record, operator string) (ledger.Record, error) {
	return auditlog.Change(ctx, texts, r, func(r ledger.Record) (ledger.Record, bool, error) {
		return r.Read(operator, time.Now()), true, nil
	})
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
