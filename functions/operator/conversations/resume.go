package conversations

import (
	"context"
	"errors"
	"fmt"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Resumed says between which phones and a customer texts go on, as JSON.
type Resumed struct {
	TwilioNumber sms.PhoneNumber   `json:"twilio_number"`
	Customer     sms.PhoneNumber   `json:"customer"`
	Phones       []sms.PhoneNumber `json:"phones"`
	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

// Paused returns the phones whose texts with the customer wait because so many went back and forth.
func (d Relay) Paused(ctx context.Context, number, customer sms.PhoneNumber) (waiting []conversation.Phone, shown Resumed, err error) {
	shown = Resumed{TwilioNumber: number, Customer: customer, Phones: []sms.PhoneNumber{}}
	phones, err := d.Conversations.ListPhones(ctx, number)
	for _, phone := range phones {
		if phone.Pause(customer, d.Now()) > 0 {
			waiting, shown.Phones = append(waiting, phone), append(shown.Phones, phone.Phone)
		}
	}
	return waiting, shown, err
}

// Resume lets the texts between those phones and the customer go on, in the operator's name.
func (d Relay) Resume(ctx context.Context, waiting []conversation.Phone, customer sms.PhoneNumber, by string) error {
	for _, phone := range waiting {
		action := conversation.NewAction(conversation.DeedResume, phone.PhoneKey, customer, by, d.Now())
		if _, _, err := ChangePhone(ctx, d.Conversations, phone, action, func(now conversation.Phone) (conversation.Phone, bool) {
			return now.Resume(customer, d.Now())
		}); err != nil {
			return fmt.Errorf("let the texts go on: %w", err)
		}
	}
	return nil
}

// phoneTries is how often what is kept of a phone is written while the relay writes it, too.
const phoneTries = 16

// ChangePhone applies edit to what is kept of a phone and stores the result; if others were quicker, again to what is stored by then.
// The action is stored first, so that the audit log has it: whoever cannot be recorded changes nothing. changed is what edit said last.
func ChangePhone(
	ctx context.Context, store Store, p conversation.Phone, action conversation.Action,
	edit func(conversation.Phone) (conversation.Phone, bool),
) (stored conversation.Phone, changed bool, err error) {
	for try := range phoneTries {
		edited, changed := edit(p)
		if !changed {
			return p, false, nil
		}
		if try == 0 {
			if err := store.PutAction(ctx, action); err != nil {
				return p, false, fmt.Errorf("record who does it: %w", err)
			}
		}
		stored, err := store.PutPhone(ctx, edited)
		switch {
		case err == nil:
			return stored, true, nil
		case errors.Is(err, conversation.ErrConflict), fault.Of(err).Kind == fault.Unknown:
		default:
			return p, false, err
		}
		if p, err = store.GetPhone(ctx, p.PhoneKey); err != nil {
			return p, false, err
		}
	}
	return p, false, conversation.ErrUnsettled
}
