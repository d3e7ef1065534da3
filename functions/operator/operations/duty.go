package operations

import (
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Rota says who is on duty for the numbers, and changes it. There is none on AWS: relay duty does the same there.
type Rota interface {
	// Show says who is on duty in the seven days from a moment on, which people write as for relay duty; empty is now. The error is an
	// [OrderError] if the number has no route, or if that is no moment.
	Show(ctx context.Context, number sms.PhoneNumber, from string) (Duty, error)
	// Do does what is ordered, in the operator's name. The error is an [OrderError] if that cannot be done so.
	Do(ctx context.Context, by string, order DutyOrder) (DutyChange, error)
	// Where says where a text would go. The error is an [OrderError] as Show's.
	Where(ctx context.Context, q WhereQuestion) (Where, error)
}

// Week is who is on duty for a number in seven days, as JSON.
type Week struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	TimeZone     string          `json:"time_zone"`
	// Scheduled: who is on duty depends on the time.
	Scheduled bool           `json:"scheduled"`
	Spans     []DutySpan     `json:"spans"`
	Overrides []DutyOverride `json:"overrides"`
	// Off are the phones that are off duty for a time.
	Off []DutyOff `json:"off"`
}

// DutySpan is a time in which the same phones get the texts.
type DutySpan struct {
	From time.Time `json:"from"`
	// To is absent if nothing changes any more.
	To time.Time `json:"to,omitzero"`
	// Open: somebody is on duty. Held: nobody is, and texts are held until somebody is. Now: the span that is asked about.
	Open   bool        `json:"open"`
	Held   bool        `json:"held,omitempty"`
	Now    bool        `json:"now"`
	Phones []DutyPhone `json:"phones"`
}

// DutyPhone is a phone of a route.
type DutyPhone struct {
	Name   string          `json:"name,omitempty"`
	Number sms.PhoneNumber `json:"number"`
}

// DutyOverride is an override of the schedule.
type DutyOverride struct {
	// Index is its number when it is to be taken out.
	Index int       `json:"index"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	// Phones are empty while the number is closed.
	Phones []string `json:"phones"`
}

// DutyOff is a phone that is off duty for a time.
type DutyOff struct {
	Name   string          `json:"name,omitempty"`
	Number sms.PhoneNumber `json:"number"`
	// Until is absent once the phone is on again.
	Until time.Time `json:"until,omitzero"`
}

// Duty is who is on duty for a number, and the route that says so, as JSON.
type Duty struct {
	Week

	Active bool `json:"active"`
	// Version is that of the route. An order with another one is refused.
	Version     int64     `json:"version"`
	LastUpdated time.Time `json:"last_updated"`
	UpdatedBy   string    `json:"updated_by,omitempty"`
	// Order are the phones that get texts without a schedule, in the order in which they are tried; Phones are all that the route has.
	Order       []DutyPhone `json:"order"`
	Phones      []DutyPhone `json:"phones"`
	Schedule    []Shift     `json:"schedule"`
	Closed      string      `json:"closed,omitempty"`
	NightPhones []string    `json:"night_phones,omitempty"`
	// Findings are what relay route check says of the route.
	Findings []Finding `json:"findings"`
}

// Shift is a weekly entry of a schedule, see [route.Shift].
type Shift struct {
	Days   string   `json:"days"`
	From   string   `json:"from"`
	To     string   `json:"to"`
	Phones []string `json:"phones"`
}

// Finding is something about a route that someone should look at.
type Finding struct {
	// Severity is "problem", which stops texts, or "warning".
	Severity string `json:"severity"`
	What     string `json:"what"`
	// Hint says what to do about it.
	Hint string `json:"hint"`
}

// RouteChange is what all orders about a route have.
type RouteChange struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	// Version is the one that the route must have, as whoever orders has seen it; nil takes any.
	Version *int64 `json:"version,omitempty"`
	// DryRun asks what would be changed, and changes nothing.
	DryRun bool `json:"dry_run"`
}

// OverrideRequest puts phones on duty for a time, as relay duty set.
type OverrideRequest struct {
	RouteChange

	// Phones are names or numbers, in order; none if Closed.
	Phones []string `json:"phones,omitempty"`
	Closed bool     `json:"closed"`
	// From and Until are moments as people write them for relay duty; without From, it is now.
	From  string `json:"from,omitempty"`
	Until string `json:"until"`
}

// OffRequest takes a phone off duty for a time, as relay duty off, or puts it on again, as relay duty on.
type OffRequest struct {
	RouteChange

	Phone string `json:"phone"`
	// Until is a moment as people write it for relay duty. Without one, the phone is on again.
	Until string `json:"until"`
}

// HoursRequest changes a route's phones and hours, as relay route set and relay route import. What is nil stays as it is.
type HoursRequest struct {
	RouteChange

	// Order are the phones that are tried one after the other, by their names or numbers.
	Order    *[]string `json:"order,omitempty"`
	Schedule *[]Shift  `json:"schedule,omitempty"`
	TimeZone *string   `json:"time_zone,omitempty"`
	// Closed is what happens to texts while nobody is on duty: relay, night or hold, or nothing for the relay's own way.
	Closed      *string   `json:"closed,omitempty"`
	NightPhones *[]string `json:"night_phones,omitempty"`
}

// DutyOrder is one of the orders; the others are nil.
type DutyOrder struct {
	RouteChange

	Override *OverrideRequest
	// Remove is the number of the override to take out, 0 for none.
	Remove int
	Off    *OffRequest
	Hours  *HoursRequest
}

// DutyChange is what was changed, as JSON.
type DutyChange struct {
	// Action is "changed", or "unchanged" if it was so already.
	Action      string       `json:"action"`
	Differences []Difference `json:"differences"`
	// Duty is how it is then.
	Duty Duty `json:"duty"`
	// Unverified are the phones that came in with the change, and have yet to answer a code before they get customers' texts.
	Unverified []DutyPhone `json:"unverified,omitempty"`
	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

// Difference is one field of a route that differs, as text; empty where it is not set.
type Difference struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// WhereQuestion asks where a text would go that a customer sent to a number.
type WhereQuestion struct {
	TwilioNumber sms.PhoneNumber
	Customer     sms.PhoneNumber
	Body         string
	// At is when it comes in, as people write it for relay explain route; empty is now.
	At string
}

// Where is where a text of a customer would go, as JSON.
type Where struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer"`
	At           time.Time       `json:"at"`
	TimeZone     string          `json:"time_zone"`
	// Answer: the text would be an answer of a phone of the number.
	Answer bool `json:"answer"`
	// Drop is the reason for which nobody would get the text, empty if somebody would.
	Drop ledger.Reason `json:"drop,omitempty"`
	// Scheduled: who is on duty depends on the time. Open: somebody is on duty. Until is when that changes next.
	Scheduled bool      `json:"scheduled"`
	Open      bool      `json:"open"`
	Until     time.Time `json:"until,omitzero"`
	// Phones are tried in this order. SameTime: as many of them, from the first on, get the text at the same time; 0 if none do.
	SameTime int          `json:"at_the_same_time,omitempty"`
	Phones   []WherePhone `json:"phones"`
	// Off are the phones that are off duty then, and would not get it.
	Off []DutyOff `json:"off,omitempty"`
	// Unverified are the phones that have yet to be verified, and would not get it.
	Unverified []DutyPhone `json:"unverified,omitempty"`
	ExpiresAt  time.Time   `json:"expires_at,omitzero"`
	// HeldUntil is until when the text would be held because no phone may get it; absent if it would not be. HeldFor says why: nobody is on
	// duty ("closed"), or each phone that would get it has yet to be verified ("unverified").
	HeldUntil time.Time     `json:"held_until,omitzero"`
	HeldFor   ledger.Reason `json:"held_for,omitempty"`
	// AutoAnswer is what the relay itself would answer the customer because nobody is on duty; absent if it would not answer.
	AutoAnswer string `json:"auto_answer,omitempty"`
	// HasAutoAnswer: the route has such an answer, and is closed.
	HasAutoAnswer bool `json:"-"`
}

// WherePhone is a phone that a text may go to.
type WherePhone struct {
	Name     string          `json:"name,omitempty"`
	Number   sms.PhoneNumber `json:"number"`
	OptedOut bool            `json:"opted_out"`
	// HasCustomer: it has the conversation, so it comes first.
	HasCustomer bool `json:"has_customer"`
}

// ShiftsOf returns a schedule as JSON has it.
func ShiftsOf(schedule []route.Shift) []Shift {
	shifts := []Shift{}
	for _, s := range schedule {
		shifts = append(shifts, Shift(s))
	}
	return shifts
}
