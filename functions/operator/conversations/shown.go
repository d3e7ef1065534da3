// Package conversations is what is kept of the customers of a number, as commands, the operators' HTTP API and the console show it: who
// waits, who has whom, and what went back and forth. It prints nothing.
package conversations

import (
	"cmp"
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Store keeps conversations and phones, lists them, and keeps what operators did.
type Store interface {
	auditlog.ConversationWriter
	conversation.Lister
	conversation.Actions
	Get(ctx context.Context, number, customer sms.PhoneNumber) (conversation.Conversation, error)
	GetPhone(ctx context.Context, key conversation.PhoneKey) (conversation.Phone, error)
	PutPhone(ctx context.Context, p conversation.Phone) (conversation.Phone, error)
	TagUses(ctx context.Context) ([]conversation.TagUse, error)
}

// Texts has the texts. Nothing is written to it but who was shown what a text says.
type Texts interface {
	ledger.Lister
	ledger.Updater
}

// Relay is where all this is kept.
type Relay struct {
	Routes        route.Lookup
	Ledger        Texts
	Conversations Store
	Now           func() time.Time
}

// Shown is a conversation as JSON.
type Shown struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer"`
	// Tag is the customer's, absent if the relay has given it to somebody else since, or if there is none yet.
	Tag  conversation.Tag `json:"tag,omitempty"`
	Name string           `json:"name,omitempty"`
	// TextedAt is when a text of the customer last went to a phone, AnsweredAt when a phone last answered.
	TextedAt   time.Time `json:"texted_at,omitzero"`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	OptOut     *OptOut   `json:"opt_out,omitempty"`
	// Blocked is present while no text of the customer goes to a phone.
	Blocked *Blocked `json:"blocked,omitempty"`
	// NewestSid is the newest text that the customer waits with.
	NewestSid string `json:"-"`

	Standing
}

// Blocked says who keeps the customer's texts from the phones, an operator or a phone on duty, and since when.
type Blocked struct {
	By    string    `json:"by"`
	Since time.Time `json:"since"`
}

// OptOut is a customer's decision about texts as JSON.
type OptOut struct {
	OptedOut   bool      `json:"opted_out"`
	Word       string    `json:"word"`
	Since      time.Time `json:"since"`
	MessageSid string    `json:"message_sid"`
}

// List is a list as JSON.
type List struct {
	Conversations []Shown `json:"conversations"`
	NextCursor    string  `json:"next_cursor,omitempty"`
}

// IsUnanswered reports whether all phones of the route have had their time.
func (c Shown) IsUnanswered() bool { return c.Waiting != nil && c.Waiting.Unanswered }

// Since is from when on a customer waits who does; it is zero for others.
func (c Shown) Since() time.Time {
	switch {
	case c.Waiting != nil:
		return c.Waiting.Since
	case c.Held != nil:
		return c.Held.Since
	}
	return time.Time{}
}

// Texts is how many texts the customer waits with.
func (c Shown) Texts() int {
	n := 0
	if c.Waiting != nil {
		n += c.Waiting.Texts
	}
	if c.Held != nil {
		n += c.Held.Texts
	}
	return n
}

// ClaimedBy names the phone that has the customer; it is empty if none has.
func (c Shown) ClaimedBy() string {
	if c.Claimer == nil {
		return ""
	}
	return cmp.Or(c.Claimer.Name, string(c.Claimer.Phone))
}

// Next says what happens if nobody answers, and when if that is known; it is empty for a customer who does not wait.
func (c Shown) Next() (what string, at time.Time) {
	switch {
	case c.Held != nil:
		return "held until", c.Held.Until
	case c.Waiting == nil:
		return "", time.Time{}
	case c.Waiting.Unanswered:
		return "unanswered", time.Time{}
	case c.Waiting.NextAt.IsZero():
		return "nothing", time.Time{}
	}
	return "goes out again", c.Waiting.NextAt
}

// Around is what else decides how conversations of a number are shown.
type Around struct {
	phones []conversation.Phone
	uses   map[conversation.Tag]conversation.TagUse
	way    route.Route
	now    time.Time
}

// Look reads what is kept of a number's phones, and whose the tags are: all of them, or if some conversations are named, those that
// they have.
func (d Relay) Look(ctx context.Context, number sms.PhoneNumber, some ...conversation.Conversation) (Around, error) {
	phones, err := d.Conversations.ListPhones(ctx, number)
	if err != nil {
		return Around{}, err
	}
	routes, err := d.Routes.Lookup(ctx, number.Spellings()...)
	if err != nil {
		return Around{}, err
	}
	uses, err := d.tagUses(ctx, some)
	a := Around{phones: phones, uses: make(map[conversation.Tag]conversation.TagUse, len(uses)), now: d.Now()}
	a.way, _ = route.Find(routes, number)
	for _, use := range uses {
		a.uses[use.Tag] = use
	}
	return a, err
}

// tagFinder is a [Store] that finds the uses of some tags without reading those of all.
type tagFinder interface {
	TagUsesOf(ctx context.Context, tags []conversation.Tag) ([]conversation.TagUse, error)
}

func (d Relay) tagUses(ctx context.Context, some []conversation.Conversation) ([]conversation.TagUse, error) {
	finder, isQuick := d.Conversations.(tagFinder)
	if !isQuick || len(some) == 0 {
		return d.Conversations.TagUses(ctx)
	}
	var tags []conversation.Tag
	for _, c := range some {
		if c.Tag != "" {
			tags = append(tags, c.Tag)
		}
	}
	return finder.TagUsesOf(ctx, tags)
}

// Show returns a conversation as it is shown.
func (a Around) Show(c conversation.Conversation) Shown {
	s := Shown{TwilioNumber: c.TwilioNumber, Customer: c.Customer, Name: c.Name, NewestSid: c.Spell.NewestSid}
	if a.uses[c.Tag].Version == c.TagVersion {
		s.Tag = c.Tag
	}
	if c.Blocked.On {
		s.Blocked = &Blocked{cmp.Or(c.Blocked.By, string(c.Blocked.Phone)), c.Blocked.Since.UTC()}
	}
	if !c.OptOut.Since.IsZero() {
		s.OptOut = &OptOut{c.OptOut.OptedOut, c.OptOut.Word, c.OptOut.Since.UTC(), c.OptOut.MessageSid}
	}
	s.Standing = StandingOf(c, a.way, a.now)
	for _, p := range a.phones {
		if e, ok := exchangeWith(p, c.Customer); ok {
			s.TextedAt, s.AnsweredAt = later(s.TextedAt, e.SentAt), later(s.AnsweredAt, e.AnsweredAt)
		}
	}
	return s
}

func exchangeWith(p conversation.Phone, customer sms.PhoneNumber) (conversation.Exchange, bool) {
	for _, e := range p.Exchanges {
		if sms.Same(e.Customer, customer) {
			return e, true
		}
	}
	return conversation.Exchange{}, false
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b.UTC()
	}
	return a
}
