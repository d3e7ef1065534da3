package forgetting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Plan is what an order would erase.
type Plan struct {
	Customer sms.PhoneNumber `json:"customer"`
	// Names and Numbers are the customer's names, and the Twilio numbers that have something of him.
	Names   []string          `json:"names"`
	Numbers []sms.PhoneNumber `json:"numbers"`
	// Texts are those in the ledger, Files their attachments that are kept here.
	Texts int `json:"texts"`
	Files int `json:"files"`
	// Messages are the messages at Twilio that the ledger knows.
	Messages int `json:"messages_at_twilio"`
	// OptedOut: the customer wants no texts. That stays, as a hash. Blocked stays as well.
	OptedOut bool `json:"opted_out"`
	Blocked  bool `json:"blocked"`
	// Waits are the texts that are still needed.
	Waits []Wait `json:"waits"`
}

// Look returns what an order would erase now.
func Look(ctx context.Context, db *sqlite.DB, customer sms.PhoneNumber, now time.Time) (Plan, error) {
	p := Plan{Customer: customer, Names: []string{}, Numbers: []sms.PhoneNumber{}, Waits: []Wait{}}
	his, _, err := db.Forgotten().People(ctx, sqlite.Wanted{Customer: customer})
	if err != nil {
		return p, err
	}
	for _, c := range his {
		p.Numbers = append(p.Numbers, c.TwilioNumber)
		if c.Name != "" && !slices.Contains(p.Names, c.Name) {
			p.Names = append(p.Names, c.Name)
		}
		p.OptedOut, p.Blocked = p.OptedOut || c.OptOut.OptedOut, p.Blocked || c.Blocked.On
	}
	texts, _, err := db.Forgotten().Texts(ctx, sqlite.Wanted{Customer: customer, Names: p.Names})
	if err != nil {
		return p, err
	}
	var o Order
	for _, r := range texts {
		if ledger.IsForgotten(r) {
			continue
		}
		p.Texts++
		o.addMessages(messagesOf(r)...)
		for _, one := range r.Media {
			if one.Token != "" {
				p.Files++
			}
		}
		if why := ledger.WhetherKept(r, now); why != "" {
			p.Waits = append(p.Waits, Wait{MessageSid: r.MessageSid, Why: why})
		}
		if number := r.TwilioNumber; number != "" && !slices.Contains(p.Numbers, number) {
			p.Numbers = append(p.Numbers, number)
		}
	}
	p.Messages = len(o.Messages)
	return p, nil
}

// Give keeps the order to forget a customer, and records who gave it; the audit log has it before anything is erased. An order that is not
// done goes on as it was given.
func Give(ctx context.Context, db *sqlite.DB, customer sms.PhoneNumber, by string, now time.Time) (Order, error) {
	key, err := db.Forgotten().MakeKey(ctx, nil)
	if err != nil {
		return Order{}, err
	}
	o, found, err := find(ctx, db, sqlite.HashOf(key, customer))
	if err != nil || found && !o.IsDone() {
		return o, err
	}
	plan, err := Look(ctx, db, customer, now)
	if err != nil {
		return Order{}, err
	}
	o = Order{
		Hash: sqlite.HashOf(key, customer), Ends: customer.Mask(), By: by, At: now.UTC().Truncate(time.Millisecond), Customer: customer,
		Names: plan.Names, version: o.version,
	}
	if err := record(ctx, db, o, conversation.DeedForget, now); err != nil {
		return Order{}, fmt.Errorf("record who does it: %w", err)
	}
	return o, o.keep(ctx, db)
}

// record has the audit log say what is done about a customer who is forgotten.
func record(ctx context.Context, db *sqlite.DB, o Order, deed conversation.Deed, now time.Time) error {
	// The customer is forgotten at all numbers; the partition of none of them is the one of the tags.
	action := conversation.NewAction(deed, conversation.PhoneKey{TwilioNumber: conversation.TagsPartition}, sms.PhoneNumber(o.Ends), o.By, now)
	return db.Conversations().PutAction(ctx, action)
}
