// Package forgetting erases what a relay on one host has of a customer, here and at Twilio. relay forget gives the order; it and relay
// serve carry it out, in steps that may be broken off and repeated. It decides nothing about texts, and talks to nobody but Twilio.
package forgetting

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Order is an order to forget a customer: what is left to do, and what was done. It is kept in the database for good, because it says which
// customer is not to come back with an older backup. Times are UTC.
type Order struct {
	// Hash is the keyed hash of the customer's number, Ends what the audit log has of it.
	Hash string `json:"hash"`
	Ends string `json:"customer"`
	// By is the operator who gave the order, At when: what came in later is not erased.
	By string    `json:"by"`
	At time.Time `json:"at"`
	// Customer and Names are there until nothing has to be looked for any more.
	Customer sms.PhoneNumber `json:"number,omitempty"`
	Names    []string        `json:"names,omitempty"`
	// Waits are the texts that are still needed, and why.
	Waits []Wait `json:"waits,omitempty"`
	// IsHereDone is set once nothing is left here. IsListed is set once Twilio's own list was searched.
	IsHereDone bool `json:"here_done,omitempty"`
	IsListed   bool `json:"listed,omitempty"`
	// Messages are those whose words and attachments are still to be erased at Twilio. Unfinished counts those that Twilio itself says are
	// still under way.
	Messages   []string `json:"messages,omitempty"`
	Unfinished int      `json:"unfinished,omitempty"`
	// Shared is what the list of forgotten customers says of this one that is where the backups are.
	Shared Shared `json:"shared,omitempty"`
	// Problem is why the last try did not get further, empty if nothing is wrong. NextAt is when the next is due.
	Problem string    `json:"problem,omitempty"`
	NextAt  time.Time `json:"next_at,omitzero"`
	// DoneAt is when all was done; zero until then.
	DoneAt time.Time `json:"done_at,omitzero"`
	// Erased is how much was.
	Erased Erased `json:"erased"`

	version int64
}

// Erased counts what was erased.
type Erased struct {
	// Texts are those of the ledger, Names the customer's at each number, Files the copies of attachments.
	Texts int `json:"texts"`
	Names int `json:"names"`
	Files int `json:"files"`
	// Messages and Attachments are those at Twilio; Gone are messages that Twilio does not have.
	Messages    int `json:"messages_at_twilio"`
	Attachments int `json:"attachments_at_twilio"`
	Gone        int `json:"gone_at_twilio"`
}

// Wait is a text that is still needed.
type Wait struct {
	MessageSid string `json:"message_sid"`
	// Why is that of ledger.WhetherKept, or WaitsForAudit.
	Why ledger.WhyKept `json:"why"`
}

// WaitsForAudit is why a change is still kept: the audit log does not have it yet. It gets it while relay serve runs.
const WaitsForAudit ledger.WhyKept = "audit"

// Shared is what the list where the backups are says of a customer.
type Shared string

// What the list may say.
const (
	// SharedOrder is that the customer is to be forgotten.
	SharedOrder Shared = "order"
	// SharedOver is that none of his texts was needed any more.
	SharedOver Shared = "over"
)

// IsDone reports whether nothing is left to do.
func (o Order) IsDone() bool { return !o.DoneAt.IsZero() }

// wanted is what to look for here.
func (o Order) wanted() sqlite.Wanted { return sqlite.Wanted{Customer: o.Customer, Names: o.Names} }

// addMessages notes messages to be erased at Twilio, each once.
func (o *Order) addMessages(sids ...string) {
	for _, sid := range sids {
		if isMessage(sid) && !slices.Contains(o.Messages, sid) {
			o.Messages = append(o.Messages, sid)
		}
	}
}

// isMessage reports whether a name is that of a message at Twilio. Texts that operators sent, and those that are sent for another text,
// have other names.
func isMessage(sid string) bool {
	return len(sid) == len("SM")+32 && (sid[:2] == "SM" || sid[:2] == "MM")
}

// messagesOf are the messages that Twilio has of a text: the text itself, and what was sent of it.
func messagesOf(r ledger.Record) []string {
	sids := []string{r.MessageSid}
	for _, a := range r.Attempts {
		sids = append(sids, a.OutboundSid)
	}
	return sids
}

// Orders returns all orders, the oldest first.
func Orders(ctx context.Context, db *sqlite.DB) (orders []Order, err error) {
	return read(ctx, db.Forgotten().EachOrder)
}

// pending returns those that are not done, the oldest first: a relay looks for them each minute, and the others stay for good.
func pending(ctx context.Context, db *sqlite.DB) (orders []Order, err error) {
	return read(ctx, db.Forgotten().EachPending)
}

func read(
	ctx context.Context, each func(ctx context.Context, visit func(version int64, order json.RawMessage) error) error,
) (orders []Order, err error) {
	err = each(ctx, func(version int64, text json.RawMessage) error {
		o := Order{version: version}
		err := json.Unmarshal(text, &o)
		orders = append(orders, o)
		return err
	})
	slices.SortStableFunc(orders, func(a, b Order) int { return a.At.Compare(b.At) })
	return orders, err
}

// find returns the order of that hash; found is false if there is none.
func find(ctx context.Context, db *sqlite.DB, hash string) (o Order, found bool, err error) {
	orders, err := Orders(ctx, db)
	at := slices.IndexFunc(orders, func(o Order) bool { return o.Hash == hash })
	if err != nil || at < 0 {
		return Order{}, false, err
	}
	return orders[at], true, nil
}

// keep stores the order. The error is conversation.ErrConflict if another process works on it, too.
func (o *Order) keep(ctx context.Context, db *sqlite.DB) error {
	if err := db.Forgotten().PutOrder(ctx, o.Hash, o.version, o); err != nil {
		return err
	}
	o.version++
	return nil
}
