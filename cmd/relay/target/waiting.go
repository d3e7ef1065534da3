package target

import (
	"context"
	"errors"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Waiting is how many texts of a number were accepted and wait to be sent.
type Waiting struct {
	// Texts is how many the relay knows of: on one host all, on AWS those that the sender has already received once.
	Texts int
	// Unseen is about how many messages the queue on AWS holds, for all numbers and with receipts; some may be further texts of this
	// number. On one host it is 0.
	Unseen int
}

// bodies is a queue whose messages can be read where they are.
type bodies interface {
	Bodies(ctx context.Context, visit func(body string)) error
}

// Waiting counts the texts of a Twilio number that wait.
func (t *Target) Waiting(ctx context.Context, number sms.PhoneNumber) (Waiting, error) {
	var w Waiting
	seen := map[string]bool{}
	for _, state := range []ledger.State{ledger.Queued, ledger.Sending} {
		q := ledger.Query{Number: number, State: state, Limit: ledger.MaxLimit}
		for done := false; !done; {
			page, err := t.Ledger.List(ctx, q)
			if err != nil {
				return w, err
			}
			for _, r := range page.Records {
				if sms.Same(r.TwilioNumber, number) && !seen[r.MessageSid] {
					seen[r.MessageSid] = true
					w.Texts++
				}
			}
			q.Cursor, done = page.Next, page.Next.IsZero()
		}
	}
	here, ok := t.Queue.(bodies)
	if !ok {
		visible, inFlight, err := t.Queue.Depth(ctx)
		w.Unseen = visible + inFlight
		return w, err
	}
	return t.unseen(ctx, here, number, seen, w)
}

// unseen adds the texts on the queue that no sender has received yet: the ledger does not know them.
func (t *Target) unseen(ctx context.Context, here bodies, number sms.PhoneNumber, seen map[string]bool, w Waiting) (Waiting, error) {
	var ids []string
	err := here.Bodies(ctx, func(body string) {
		e, err := queue.Decode(body)
		if err == nil && e.Message != nil && e.Kind != queue.KindGive && sms.Same(e.Message.To, number) && !seen[e.RelayID] {
			seen[e.RelayID] = true
			ids = append(ids, e.RelayID)
		}
	})
	for _, id := range ids {
		if err != nil {
			break
		}
		if _, err = t.Ledger.Get(ctx, id); errors.Is(err, ledger.ErrNotFound) {
			err = nil
			w.Texts++
		}
	}
	return w, err
}
