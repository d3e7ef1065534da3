package conversations

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Standing says where a customer's conversation is.
type Standing struct {
	// Status is open, claimed, answered or done; absent if the customer never waited, or the route keeps no claims.
	Status conversation.Status `json:"status,omitempty"`
	// Waiting is set while the customer waits, Claimer is the phone that has him.
	Waiting *Waiting `json:"waiting,omitempty"`
	Claimer *Claimer `json:"claimer,omitempty"`
	// Held is set while texts of the customer are held because no phone may get them.
	Held *Held `json:"held,omitempty"`
}

// Held are texts of a customer that are held until the number opens, or a phone is verified.
type Held struct {
	// Since is when the first of them came, Texts how many there are, Until when they go out, as the route says now.
	Since time.Time `json:"since"`
	Texts int       `json:"texts"`
	Until time.Time `json:"until"`
}

// Waiting is a customer who waits.
type Waiting struct {
	// Since is when Twilio took the first text that nobody has answered, Texts how many there are.
	Since time.Time `json:"since"`
	Texts int       `json:"texts"`
	// Stage is whom the newest text last went out to again: next, all or owner. NextAt is when it goes out again, absent if it does not.
	Stage  conversation.Stage `json:"stage,omitempty"`
	NextAt time.Time          `json:"next_at,omitzero"`
	// Unanswered: all phones of the route have had their time.
	Unanswered bool `json:"unanswered"`
}

// Claimer is the phone that has a customer.
type Claimer struct {
	Phone sms.PhoneNumber `json:"phone"`
	Name  string          `json:"name,omitempty"`
	Since time.Time       `json:"since"`
}

// StandingOf says where c is. way is the route of its number.
func StandingOf(c conversation.Conversation, way route.Route, now time.Time) Standing {
	by := plan.ClaimingOf(way, now)
	shown := Standing{Status: c.Status(by, now)}
	if c.IsOpen() {
		shown.Waiting = &Waiting{c.Spell.BeganAt.UTC(), c.Spell.Texts, c.Spell.Stage, c.Spell.DueAt, c.IsUnanswered()}
	}
	if n := len(c.Closed.Texts); n > 0 {
		shown.Held = &Held{c.Closed.Since.UTC(), n, c.Closed.Until.UTC()}
	}
	if claimer := c.Claimer(by, now); claimer != "" {
		shown.Claimer = &Claimer{claimer, way.NameOf(claimer), c.Claim.Since.UTC()}
	}
	return shown
}
