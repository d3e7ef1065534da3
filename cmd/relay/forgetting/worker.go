package forgetting

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Messages erases at Twilio. Errors are *fault.Error; HTTPStatus is 404 if there is no such message.
type Messages interface {
	// Redact takes a message's words away, DeleteMedia its attachments.
	Redact(ctx context.Context, messageSid string) error
	DeleteMedia(ctx context.Context, messageSid string) (deleted int, err error)
	// List returns messages, the newest first.
	List(ctx context.Context, filter sms.ListFilter) ([]sms.Listed, error)
}

// Worker carries out orders.
type Worker struct {
	DB *sqlite.DB
	// Messages may be nil: then nothing is erased at Twilio this time.
	Messages Messages
	// RemoveFile removes a copy of an attachment; removed is false if there was none.
	RemoveFile func(token media.Token) (removed bool, err error)
	// Share puts the list of forgotten customers where the backups are. It does nothing if there are none.
	Share func(ctx context.Context, list List) error
	Now   func() time.Time
}

// The times after which an order that is not done goes on.
const (
	// twilioAgain is the pause after Twilio could not be asked, or was asked too much.
	twilioAgain = time.Minute
	// unfinishedAgain is the pause after Twilio said that a message is still under way.
	unfinishedAgain = 10 * time.Minute
	// doneAtOnce is how many messages are erased before the order is kept again: what is lost in a crash is done again.
	doneAtOnce = 20
	// maxListed is how many messages from the customer, and to him, Twilio is asked for at once.
	maxListed = 20_000
)

// Work takes an order as far as it goes now, and returns it as it then is. The error says that it could not be kept: the database failed,
// or another process works on it, too. What Twilio refuses is the order's Problem.
func (w Worker) Work(ctx context.Context, o Order) (Order, error) {
	if o.IsDone() {
		return o, nil
	}
	o.Problem, o.NextAt = "", time.Time{}
	for _, step := range []func(context.Context, *Order) error{w.share, w.here, w.share, w.atTwilio, w.end} {
		if err := step(ctx, &o); err != nil {
			return o, err
		}
	}
	return o, nil
}

// end keeps the order, as one that is done if it is.
func (w Worker) end(ctx context.Context, o *Order) error {
	now := w.Now().UTC()
	switch {
	case o.IsHereDone && o.IsListed && len(o.Messages) == 0:
		if err := record(ctx, w.DB, *o, conversation.DeedForgotten, now); err != nil {
			return err
		}
		o.DoneAt = now.Truncate(time.Millisecond)
	case o.Problem != "":
		o.NextAt = now.Add(twilioAgain)
	case len(o.Waits) > 0:
		o.NextAt = now.Add(hereAgain)
	case o.Unfinished > 0:
		o.NextAt = now.Add(unfinishedAgain)
	}
	if o.IsHereDone && o.IsListed {
		o.Customer = ""
	}
	return o.keep(ctx, w.DB)
}

// share has the list of forgotten customers kept where the backups are: before anything is erased, and again before Twilio erases what a
// restored relay would ask it about.
func (w Worker) share(ctx context.Context, o *Order) error {
	wanted := SharedOrder
	if o.IsHereDone {
		wanted = SharedOver
	}
	if o.Shared == wanted {
		return nil
	}
	list, err := ListOf(ctx, w.DB)
	if err != nil {
		return err
	}
	if err := w.Share(ctx, list); err != nil {
		o.Problem = fmt.Sprintf("the list of forgotten customers cannot be put where the backups are: %v", err)
		return nil
	}
	o.Shared = wanted
	return o.keep(ctx, w.DB)
}

// atTwilio erases what Twilio has, as far as it lets itself be erased now. It does so once nothing is left here: the relay looks for texts
// that are under way by their words.
func (w Worker) atTwilio(ctx context.Context, o *Order) error {
	if w.Messages == nil || !o.IsHereDone || o.Shared != SharedOver {
		return nil
	}
	if err := w.list(ctx, o); err != nil || o.Problem != "" {
		return err
	}
	o.Unfinished = 0
	for done, sid := range slices.Clone(o.Messages) {
		if isOver(ctx) {
			break
		}
		if done%doneAtOnce == doneAtOnce-1 {
			if err := o.keep(ctx, w.DB); err != nil {
				return err
			}
		}
		switch erased, err := w.message(ctx, o, sid); {
		case err != nil:
			o.Problem = "Twilio cannot erase messages now: " + fault.Of(err).Error()
			return nil
		case erased:
			o.Messages = slices.DeleteFunc(o.Messages, func(other string) bool { return other == sid })
		default:
			o.Unfinished++
		}
	}
	return nil
}

// isOver reports whether the work is to end; what is left is done another time.
func isOver(ctx context.Context) bool { return ctx.Err() != nil }

// list looks for messages from the customer, and to him, that the ledger does not know, or not any more.
func (w Worker) list(ctx context.Context, o *Order) error {
	if o.IsListed || o.Customer == "" {
		return nil
	}
	for _, filter := range []sms.ListFilter{{From: o.Customer}, {To: o.Customer}} {
		filter.Limit, filter.SentBefore = maxListed, o.At
		found, err := w.Messages.List(ctx, filter)
		if err != nil {
			o.Problem = "Twilio's list of messages cannot be read: " + fault.Of(err).Error()
			return nil
		}
		for _, m := range found {
			if m.Body != "" || m.NumMedia > 0 {
				o.addMessages(m.Sid)
			}
		}
	}
	// A text that is under way now is erased once it is over; the ledger has it.
	o.IsListed = true
	return o.keep(ctx, w.DB)
}

// message erases one message. erased is false if Twilio says that it is still under way. An error means that Twilio would say the same of
// others.
func (w Worker) message(ctx context.Context, o *Order, sid string) (erased bool, err error) {
	if sid[:2] == "MM" {
		var deleted int
		deleted, err = w.Messages.DeleteMedia(ctx, sid)
		o.Erased.Attachments += deleted
	}
	if err == nil {
		err = w.Messages.Redact(ctx, sid)
	}
	switch f := fault.Of(err); {
	case err == nil:
		o.Erased.Messages++
		return true, nil
	case f.HTTPStatus == http.StatusNotFound:
		o.Erased.Gone++
		return true, nil
	case f.HTTPStatus/100 != 4, f.HTTPStatus == http.StatusTooManyRequests, f.HTTPStatus == http.StatusUnauthorized,
		f.HTTPStatus == http.StatusForbidden:
		return false, err
	default:
		return false, nil
	}
}

// All works on each order that is due, and returns how many are not done. An order that another process works on is left to it.
func (w Worker) All(ctx context.Context) (left int, err error) {
	orders, err := pending(ctx, w.DB)
	if err != nil {
		return 0, err
	}
	for _, o := range orders {
		if !w.Now().Before(o.NextAt) && ctx.Err() == nil {
			o, err = w.Work(ctx, o)
			if err != nil && !errors.Is(err, conversation.ErrConflict) {
				return 0, err
			}
		}
		if !o.IsDone() {
			left++
		}
	}
	return left, nil
}
