// Package contact gives customers the names by which the phones on duty know them, and takes them away; and it blocks customers. relay
// contact, relay block and the operators' HTTP API do it here. It does not say how a name is written down, which sms.FoldName does, nor
// what people typed.
package contact

import (
	"context"
	"errors"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Wanted is a name that a customer is to have at a number; an empty name is none.
type Wanted struct {
	Number, Customer sms.PhoneNumber
	Name             string
}

// Fold returns a name as it is kept. It refuses one that nothing would be left of.
func Fold(name string) (string, error) {
	folded := sms.FoldName(name)
	if folded == "" {
		return "", fmt.Errorf("nothing is left of the name %q in the letters of a short text message", name)
	}
	return folded, nil
}

// Change is what becomes of a customer's name.
type Change string

// The changes of a name.
const (
	Added     Change = "added"
	Changed   Change = "changed"
	Removed   Change = "removed"
	Unchanged Change = "unchanged"
)

// Step is one customer's name before and after.
type Step struct {
	Change        Change
	Before, After conversation.Conversation
}

// StepTo returns what giving c the name means.
func StepTo(c conversation.Conversation, name string) Step {
	s := Step{Change: Changed, Before: c, After: c}
	s.After.Name = name
	switch {
	case c.Name == name:
		s.Change = Unchanged
	case c.Name == "":
		s.Change = Added
	case name == "":
		s.Change = Removed
	}
	return s
}

// What speaks against a step.
var (
	// ErrNoNumber means that the customer is no telephone number.
	ErrNoNumber = errors.New("has no telephone number, so that the phones on duty see no name")
	// ErrNoName means that there is no name to take away.
	ErrNoName = errors.New("has no name")
)

// Check returns what speaks against the step, with the customer: ErrNoNumber, ErrNoName, or nil.
func (s Step) Check() error {
	switch {
	case s.After.Name != "" && !s.After.CanHaveTag():
		return fmt.Errorf("%s %w", string(s.After.Customer), ErrNoNumber)
	case s.After.Name == "" && s.Change == Unchanged:
		return fmt.Errorf("%s %w", string(s.After.Customer), ErrNoName)
	default:
		return nil
	}
}

// Store is the part of a [conversation.Store] that names need.
type Store interface {
	Get(ctx context.Context, number, customer sms.PhoneNumber) (conversation.Conversation, error)
	auditlog.ConversationWriter
}

// Naming writes names in an operator's name.
type Naming struct {
	Store Store
	// By is the operator, whom the audit log names.
	By  string
	Now func() time.Time
}

// Plan returns what Apply would do now.
func (n Naming) Plan(ctx context.Context, w Wanted) (Step, error) {
	c, err := n.Store.Get(ctx, w.Number, w.Customer)
	return StepTo(c, w.Name), err
}

// Apply gives the customer the name. What others write about the customer meanwhile, such as a tag, stays. The error is
// conversation.ErrUnsettled if they never stop, or a *fault.Error.
func (n Naming) Apply(ctx context.Context, w Wanted) (Step, error) {
	return apply(ctx, n.Store, w.Number, w.Customer, n.Now, func(c conversation.Conversation) Step {
		s := StepTo(c, w.Name)
		if s.Change != Unchanged {
			s.After.NamedBy = n.By
		}
		return s
	})
}

// apply writes what a step means for a customer, and returns the step as it was made.
func apply(
	ctx context.Context, store Store, number, customer sms.PhoneNumber, now func() time.Time, stepTo func(conversation.Conversation) Step,
) (Step, error) {
	var first, last Step
	isFirst := true
	stored, _, err := auditlog.ChangeConversation(ctx, store, number, customer, now,
		func(c conversation.Conversation) (conversation.Conversation, bool) {
			last = stepTo(c)
			if isFirst {
				first, isFirst = last, false
			}
			return last.After, last.Change != Unchanged
		})
	if err != nil {
		return last, err
	}
	if last.Change == Unchanged {
		// After a first try that nobody confirmed, this is that try's.
		last = first
	}
	last.After = stored
	return last, nil
}

// List returns at most limit customers of the number who have a name, in the order of their numbers, after the customer; "" begins at
// the first. more reports whether others follow the last one.
func List(ctx context.Context, store conversation.Lister, number, after sms.PhoneNumber, limit int) (
	found []conversation.Conversation, more bool, err error,
) {
	return list(ctx, store, number, after, limit, func(c conversation.Conversation) bool { return c.Name != "" })
}

// list returns at most limit customers of the number that are wanted, in the order of their numbers, after the customer.
func list(
	ctx context.Context, store conversation.Lister, number, after sms.PhoneNumber, limit int, isWanted func(conversation.Conversation) bool,
) (found []conversation.Conversation, more bool, err error) {
	err = conversation.Each(ctx, store, number, after, func(c conversation.Conversation) bool {
		switch {
		case !isWanted(c):
			return true
		case len(found) == limit:
			more = true
			return false
		}
		found = append(found, c)
		return true
	})
	return found, more, err
}

// Shown is a customer's name as JSON.
type Shown struct {
	TwilioNumber sms.PhoneNumber  `json:"twilio_number"`
	Customer     sms.PhoneNumber  `json:"customer"`
	Name         string           `json:"name"`
	Tag          conversation.Tag `json:"tag,omitempty"`
}

// Show returns a customer's name as JSON shows it.
func Show(c conversation.Conversation) Shown {
	return Shown{TwilioNumber: c.TwilioNumber, Customer: c.Customer, Name: c.Name, Tag: c.Tag}
}

// ShownStep is a change of a name as JSON.
type ShownStep struct {
	// Action is "added", "changed", "removed" or "unchanged".
	Action  Change `json:"action"`
	Contact Shown  `json:"contact"`
	// Was is the name before.
	Was string `json:"was"`
	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

// Show returns the step as JSON shows it.
func (s Step) Show(isPlan bool) ShownStep {
	return ShownStep{Action: s.Change, Contact: Show(s.After), Was: s.Before.Name, DryRun: isPlan}
}
