package conversation

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Deed is what an operator does to what is kept of a phone.
type Deed string

// The deeds of operators.
const (
	// DeedRemove ends what a phone may answer, see [Phone.Remove].
	DeedRemove Deed = "remove_phone"
	// DeedResume lets the texts between a phone and a customer go on, see [Phone.Resume].
	DeedResume Deed = "resume"
	// DeedForget begins to erase what is kept of a customer, DeedForgotten says that nothing is left, here and at Twilio. They are about the
	// customer at all numbers: the action's TwilioNumber is TagsPartition, and its Customer has the end of the number alone.
	DeedForget    Deed = "forget"
	DeedForgotten Deed = "forgotten"
	// DeedGive gives a customer to a phone, DeedReply answers a customer: the action says who wanted that, and is there before it is done.
	DeedGive  Deed = "give"
	DeedReply Deed = "reply"
	// DeedRedrive moves the dead letter of a text back to the queue: the action says who wanted that, and is there before it is done.
	DeedRedrive Deed = "redrive"
	// The deeds about users, who sign in to the console: the action's TwilioNumber is TagsPartition.
	DeedAddUser     Deed = "add_user"
	DeedChangeUser  Deed = "change_user"
	DeedSetPassword Deed = "set_password"
	DeedRemoveUser  Deed = "remove_user"
	DeedSignOutUser Deed = "sign_out_user"
)

// Action says who did what by hand to what is kept of a phone, about a customer or about a user: the item "a#<ID>", whose creation is
// audited. Phones change with almost every text, so their own changes are not. The names are the table's attribute names.
type Action struct {
	TwilioNumber sms.PhoneNumber
	// ID is a random word, see [NewAction].
	ID string
	// At is when it was done, UTC, to the millisecond.
	At time.Time
	// By is the operator's name.
	By   string
	Deed Deed
	// Phone is the phone it was done to, Customer the other end of the texts that go on; empty if the deed is about all customers.
	Phone    sms.PhoneNumber
	Customer sms.PhoneNumber `json:",omitempty"`
	// MessageSid is the text with which it is done, if there is one.
	MessageSid string `json:",omitempty"`
	// User is the user it was done to, by name, and Note what became of that one, such as the role; only for deeds about users.
	User string `json:",omitempty"`
	Note string `json:",omitempty"`
}

// NewAction returns an action of the operator on the phone, with a new ID.
func NewAction(deed Deed, key PhoneKey, customer sms.PhoneNumber, by string, now time.Time) Action {
	return Action{
		TwilioNumber: key.TwilioNumber, ID: rand.Text(), At: now.UTC().Truncate(time.Millisecond), By: by, Deed: deed, Phone: key.Phone,
		Customer: customer,
	}
}

// With returns the action as the one with which a text is ordered. It has the text's name for its ID: who orders the same again, has it
// recorded once.
func (a Action) With(messageSid string) Action {
	a.ID, a.MessageSid = messageSid, messageSid
	return a
}

// Item returns the sort key of the action's item.
func (a Action) Item() string { return PrefixAction + a.ID }

// LogValue shows who did what, with masked numbers.
func (a Action) LogValue() slog.Value {
	return slog.GroupValue(slog.String("deed", string(a.Deed)), slog.String("by", a.By), slog.Any("twilio_number", a.TwilioNumber),
		slog.Any("phone", a.Phone))
}

// Actions keeps what operators did, for the audit log.
type Actions interface {
	// PutAction stores the action. It comes before what it is about: what cannot be recorded is not done. Errors are *fault.Error; the
	// same action may be stored again.
	PutAction(ctx context.Context, a Action) error
}
