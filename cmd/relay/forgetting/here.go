package forgetting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
)

// here erases what this host has of the customer, but for the texts that are still needed.
func (w Worker) here(ctx context.Context, o *Order) error {
	if o.IsHereDone {
		return nil
	}
	if err := w.names(ctx, o); err != nil {
		return err
	}
	isBusy, err := w.texts(ctx, o)
	if err != nil {
		return err
	}
	if err := w.people(ctx, o, isBusy || len(o.Waits) > 0); err != nil {
		return err
	}
	if len(o.Waits) > 0 {
		return o.keep(ctx, w.DB)
	}
	if !isBusy {
		if err := w.DB.Forgotten().Clear(ctx, o.wanted()); err != nil {
			return err
		}
		unaudited, err := w.DB.Forgotten().IsUnaudited(ctx, o.wanted())
		if err != nil {
			return err
		}
		if unaudited {
			o.Waits = []Wait{{Why: WaitsForAudit}}
			return o.keep(ctx, w.DB)
		}
	}
	o.IsHereDone, o.Names = true, nil
	return o.keep(ctx, w.DB)
}

// names takes the customer's names away, at once: no text needs them.
func (w Worker) names(ctx context.Context, o *Order) error {
	his, _, err := w.DB.Forgotten().People(ctx, o.wanted())
	if err != nil {
		return err
	}
	for _, c := range his {
		if c.Name == "" || c.UpdatedAt.After(o.At) && o.Erased.Names > 0 {
			// He was given a name since.
			continue
		}
		_, changed, err := auditlog.ChangeConversation(ctx, w.DB.Conversations(), c.TwilioNumber, c.Customer, w.Now,
			func(c conversation.Conversation) (conversation.Conversation, bool) {
				changed := c.Name != ""
				c.Name, c.NamedBy = "", o.By
				return c, changed
			})
		if err != nil {
			return fmt.Errorf("erase the name: %w", err)
		}
		if changed {
			o.Erased.Names++
		}
	}
	return nil
}

// texts erases the texts that came in before the order, once nobody needs them. isBusy says that the customer has written again since: what
// that needs stays.
func (w Worker) texts(ctx context.Context, o *Order) (isBusy bool, err error) {
	texts, tellings, err := w.DB.Forgotten().Texts(ctx, o.wanted())
	if err != nil {
		return false, err
	}
	o.Waits = nil
	var over []ledger.Record
	for _, r := range texts {
		switch why := ledger.WhetherKept(r, w.Now()); {
		case ledger.IsForgotten(r):
		case r.ReceivedAt.After(o.At) && !r.Notice:
			isBusy = true
		case why != "":
			o.Waits = append(o.Waits, Wait{MessageSid: r.MessageSid, Why: why})
		default:
			over = append(over, r)
		}
	}
	waiting, err := w.DB.Forgotten().Waiting(ctx, o.wanted())
	if err != nil {
		return false, err
	}
	for _, e := range waiting {
		if isBusy = isBusy || e.ReceivedAt.After(o.At); !e.ReceivedAt.After(o.At) && !o.waitsFor(e.RelayID) {
			o.Waits = append(o.Waits, Wait{MessageSid: e.RelayID, Why: ledger.KeptUnderWay})
		}
	}
	// What Twilio has to erase is noted first: the texts say it, and are erased.
	for _, r := range over {
		o.addMessages(messagesOf(r)...)
	}
	if err := o.keep(ctx, w.DB); err != nil {
		return false, err
	}
	for _, r := range over {
		if err := w.text(ctx, o, r); err != nil {
			return false, err
		}
	}
	for _, r := range tellings {
		if !r.State.Final() {
			continue
		}
		if _, err := auditlog.Change(ctx, w.DB.Ledger(), r, func(r ledger.Record) (ledger.Record, bool, error) {
			changed := r.Answer.Tells != ""
			r.Answer.Tells = ""
			return r, changed, nil
		}); err != nil {
			return false, fmt.Errorf("erase what a phone was told: %w", err)
		}
	}
	return isBusy, nil
}

func (o Order) waitsFor(messageSid string) bool {
	for _, wait := range o.Waits {
		if wait.MessageSid == messageSid {
			return true
		}
	}
	return false
}

// text erases one text with its attachments. One that is needed again by now waits for the next time.
func (w Worker) text(ctx context.Context, o *Order, r ledger.Record) error {
	for _, one := range r.Media {
		if one.Token == "" {
			continue
		}
		removed, err := w.RemoveFile(media.Token(one.Token))
		if err != nil {
			return fmt.Errorf("erase an attachment: %w", err)
		}
		if removed {
			o.Erased.Files++
		}
	}
	erased := false
	_, err := auditlog.Change(ctx, w.DB.Ledger(), r, func(r ledger.Record) (ledger.Record, bool, error) {
		if erased = ledger.WhetherKept(r, w.Now()) == ""; !erased {
			return r, false, nil
		}
		forgotten, changed := ledger.Forget(r, o.Customer, ledger.Decision{By: o.By}, w.Now())
		return forgotten, changed, nil
	})
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return nil // It was old enough to go.
	case err != nil:
		return fmt.Errorf("erase a text: %w", err)
	case !erased:
		o.Waits = append(o.Waits, Wait{MessageSid: r.MessageSid, Why: ledger.KeptUnderWay})
	default:
		o.Erased.Texts++
	}
	return nil
}

// people erases what is kept of the customer beside texts. While he is still written to, that is his names alone.
func (w Worker) people(ctx context.Context, o *Order, isBusy bool) error {
	his, phones, err := w.DB.Forgotten().People(ctx, o.wanted())
	if err != nil {
		return err
	}
	forget := conversation.Forget
	if isBusy {
		forget = conversation.ForgetName
	}
	for _, p := range phones {
		if err := w.phone(ctx, p, func(p conversation.Phone) (conversation.Phone, bool) { return forget(p, o.Customer) }); err != nil {
			return err
		}
	}
	if isBusy {
		return nil
	}
	key, err := w.DB.Forgotten().Key(ctx)
	if err != nil {
		return err
	}
	for _, c := range his {
		err := w.DB.Forgotten().Remove(ctx, key, c)
		if errors.Is(err, conversation.ErrConflict) {
			// Something comes in just now; the next time shows what.
			o.Waits = append(o.Waits, Wait{Why: ledger.KeptUnderWay})
			continue
		}
		if err != nil {
			return fmt.Errorf("erase what is kept of the customer: %w", err)
		}
	}
	return nil
}

// phoneTries is how often what is kept of a phone is written while the relay writes it, too.
const phoneTries = 16

// phone applies edit to what is kept of a phone.
func (w Worker) phone(ctx context.Context, p conversation.Phone, edit func(conversation.Phone) (conversation.Phone, bool)) error {
	for range phoneTries {
		edited, changed := edit(p)
		if !changed {
			return nil
		}
		_, err := w.DB.Conversations().PutPhone(ctx, edited)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, conversation.ErrConflict), fault.Of(err).Kind == fault.Unknown:
		default:
			return fmt.Errorf("erase the customer from what is kept of a phone: %w", err)
		}
		if p, err = w.DB.Conversations().GetPhone(ctx, p.PhoneKey); err != nil {
			return err
		}
	}
	return conversation.ErrUnsettled
}

// hereAgain is how soon it is looked again whether texts are still needed.
const hereAgain = time.Minute
