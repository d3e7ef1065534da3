package contact

import (
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// The changes of a block.
const (
	WasBlocked   Change = "blocked"
	WasUnblocked Change = "unblocked"
)

// Blocking blocks customers, and lets their texts through again, in an operator's name.
type Blocking struct {
	Store Store
	// By is the operator, whom the audit log names.
	By  string
	Now func() time.Time
}

// StepTo returns what blocking c means, or with false, letting its texts through again.
func (b Blocking) StepTo(c conversation.Conversation, blocked bool) Step {
	s := Step{Change: Unchanged, Before: c}
	var changed bool
	s.After, changed = c.Block(conversation.Blocked{On: blocked, By: b.By, Since: b.Now()})
	switch {
	case changed && blocked:
		s.Change = WasBlocked
	case changed:
		s.Change = WasUnblocked
	}
	return s
}

// Apply blocks the customer, or with false lets his texts through again. What others write about him meanwhile stays. The error is
// conversation.ErrUnsettled if they never stop, or a *fault.Error.
func (b Blocking) Apply(ctx context.Context, number, customer sms.PhoneNumber, blocked bool) (Step, error) {
	return apply(ctx, b.Store, number, customer, b.Now, func(c conversation.Conversation) Step { return b.StepTo(c, blocked) })
}

// ListBlocked returns at most limit customers of the number who are blocked, as [List] does those who have a name.
func ListBlocked(ctx context.Context, store conversation.Lister, number, after sms.PhoneNumber, limit int) (
	found []conversation.Conversation, more bool, err error,
) {
	return list(ctx, store, number, after, limit, func(c conversation.Conversation) bool { return c.Blocked.On })
}

// ShownBlock is a blocked customer as JSON.
type ShownBlock struct {
	TwilioNumber sms.PhoneNumber  `json:"twilio_number"`
	Customer     sms.PhoneNumber  `json:"customer"`
	Name         string           `json:"name,omitempty"`
	Tag          conversation.Tag `json:"tag,omitempty"`
	Blocked      bool             `json:"blocked"`
	// By is the operator, or the phone on duty, who decided so, and Since is when; both are absent if nobody ever did.
	By    string    `json:"by,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// ShowBlock returns as JSON whether a customer is blocked.
func ShowBlock(c conversation.Conversation) ShownBlock {
	by := c.Blocked.By
	if by == "" {
		by = string(c.Blocked.Phone)
	}
	return ShownBlock{
		TwilioNumber: c.TwilioNumber, Customer: c.Customer, Name: c.Name, Tag: c.Tag,
		Blocked: c.Blocked.On, By: by, Since: c.Blocked.Since,
	}
}

// ShownBlockStep is the change of a block as JSON.
type ShownBlockStep struct {
	// Action is "blocked", "unblocked" or "unchanged".
	Action Change     `json:"action"`
	Block  ShownBlock `json:"block"`
	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

// ShowBlock returns the step as JSON shows it.
func (s Step) ShowBlock(isPlan bool) ShownBlockStep {
	return ShownBlockStep{Action: s.Change, Block: ShowBlock(s.After), DryRun: isPlan}
}
