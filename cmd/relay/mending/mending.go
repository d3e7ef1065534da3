// Package mending does what the console and the HTTP API say about texts that need somebody, on a relay on one host: it sends texts again
// that reached nobody, writes down decisions about uncertain ones, and moves dead letters back to the queue. The commands of these names
// call the same functions. Who may order it is decided elsewhere.
package mending

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/deadletters"
	"quickdumpnow.com/smsrelay/cmd/relay/doubts"
	"quickdumpnow.com/smsrelay/cmd/relay/resend"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
)

// Config is what a Desk is made of.
type Config struct {
	Ledger doubts.Ledger
	Routes route.Lookup
	Queue  queue.Sender
	Dead   deadletters.Queue
	// Actions keeps who had letters moved, for the audit log.
	Actions conversation.Actions
	// Twilio is asked whether a message that an operator names belongs to the text. With nil, nobody can name one here.
	Twilio doubts.Twilio
	// Pause is the time between two dead letters that are moved.
	Pause time.Duration
	Now   func() time.Time
}

// Pause is the time between two dead letters, as relay dlq redrive leaves by default.
const Pause = 200 * time.Millisecond

// Desk is an [operations.Mending].
type Desk struct {
	Config

	// reading is held by whoever reads dead letters: the queue shows each to one reader at a time.
	reading sync.Mutex
	// wanted are the letters to move, for Run.
	wanted chan redrive
	mu     sync.Mutex
	run    *operations.RedriveRun
}

// redrive is an order to move letters.
type redrive struct {
	by     string
	filter deadletters.Filter
}

// New returns a Desk. Letters are moved while its Run runs.
func New(config Config) *Desk { return &Desk{Config: config, wanted: make(chan redrive, 1)} }

// Run moves the letters that are ordered to be moved, until ctx ends. It returns nil.
func (d *Desk) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case order := <-d.wanted:
			d.move(ctx, order)
		}
	}
}

func (d *Desk) move(ctx context.Context, order redrive) {
	d.reading.Lock()
	defer d.reading.Unlock()
	_, err := deadletters.Move{
		From: d.Dead, To: d.Queue, Records: d.Ledger, Filter: order.filter, Pause: d.Pause,
		Note: deadletters.Recorded(d.Actions, order.by, d.Now),
		Report: func(_ deadletters.Letter, moved bool) {
			d.change(func(run *operations.RedriveRun) {
				if moved {
					run.Moved++
				} else {
					run.Left++
				}
			})
		},
	}.Run(ctx)
	d.change(func(run *operations.RedriveRun) {
		run.EndedAt = d.Now().UTC()
		switch {
		case ctx.Err() != nil:
			run.Problem = "the relay was stopped; the other letters are where they were"
		case err != nil:
			run.Problem = "a letter could not be moved; the others are where they were"
		}
	})
}

// change changes the run that is under way.
func (d *Desk) change(edit func(run *operations.RedriveRun)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	changed := *d.run
	edit(&changed)
	d.run = &changed
}

// last returns the last run, nil if there was none.
func (d *Desk) last() *operations.RedriveRun {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.run
}

// begin begins a run, unless one is under way.
func (d *Desk) begin(by string, moving int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.run != nil && d.run.EndedAt.IsZero() {
		return false
	}
	d.run = &operations.RedriveRun{By: by, StartedAt: d.Now().UTC(), Moving: moving}
	return true
}

// Resend sends texts that reached nobody again, or says what would happen to each.
func (d *Desk) Resend(ctx context.Context, by string, order operations.ResendOrder) (operations.Resending, error) {
	var records []ledger.Record
	for _, sid := range slices.Compact(slices.Sorted(slices.Values(order.MessageSids))) {
		r, err := d.Ledger.Get(ctx, sid)
		if errors.Is(err, ledger.ErrNotFound) {
			return operations.Resending{}, operations.OrderError{Status: http.StatusNotFound, Detail: "the ledger has no text " + sid}
		}
		if err != nil {
			return operations.Resending{}, fmt.Errorf("read %s: %w", sid, err)
		}
		records = append(records, r)
	}
	texts, err := resend.Foresee(ctx, d.Routes, records, d.Now())
	done := resend.Show(texts)
	if done.DryRun = order.DryRun; err != nil || order.DryRun {
		return done, err
	}
	done.Ordered, err = resend.Order(ctx, d.Queue, texts, ledger.Decision{By: by, Note: order.Because})
	return done, err
}

// Decide writes down what the operator decided about an uncertain text.
func (d *Desk) Decide(ctx context.Context, by string, order operations.DecideOrder) (operations.Decided, error) {
	done, err := d.decide(ctx, by, order)
	if refused, ok := errors.AsType[doubts.RefusedError](err); ok {
		status := http.StatusConflict
		if refused.IsMissing {
			status = http.StatusNotFound
		}
		err = operations.OrderError{Status: status, Detail: refused.What}
	}
	return done, err
}

func (d *Desk) decide(ctx context.Context, by string, order operations.DecideOrder) (done operations.Decided, err error) {
	desk := doubts.Desk{Ledger: d.Ledger, Queue: d.Queue, Twilio: d.Twilio, Now: d.Now}
	what := doubts.Order{What: order.Decision, Sent: order.SentSid}
	decision := ledger.Decision{By: by, Note: order.Because}
	if d.Twilio == nil && order.Decision == ledger.VerdictSent {
		return done, operations.OrderError{
			Status: http.StatusConflict, Detail: "Twilio cannot be asked here about the message: use relay uncertain resolve --sent",
		}
	}
	r, err := desk.Find(ctx, order.MessageSid)
	switch {
	case err != nil:
		return done, err
	case order.Decision == ledger.VerdictResend:
		if !order.DryRun {
			err = desk.Resend(ctx, r, decision)
		}
	default:
		var edit doubts.Edit
		if edit, err = desk.Edit(ctx, r, what, decision); err != nil {
			return done, err
		}
		if order.DryRun {
			r, err = edit.Of(r)
		} else {
			r, err = desk.Write(ctx, r, edit)
		}
	}
	return operations.Decided{MessageSid: r.MessageSid, State: r.State, Reason: r.Reason, Means: what.Means(), DryRun: order.DryRun}, err
}

// DeadLetters lists the dead letters. While some are moved, it only says how far that is.
func (d *Desk) DeadLetters(ctx context.Context) (operations.DeadLetters, error) {
	return d.list(ctx, deadletters.Filter{})
}

func (d *Desk) list(ctx context.Context, filter deadletters.Filter) (operations.DeadLetters, error) {
	shown := operations.DeadLetters{Letters: []operations.DeadLetter{}, Run: d.last()}
	if shown.Run != nil && shown.Run.EndedAt.IsZero() {
		return shown, nil
	}
	d.reading.Lock()
	defer d.reading.Unlock()
	found, err := deadletters.List(ctx, d.Dead, d.Ledger, filter)
	if err != nil {
		return shown, err
	}
	planned := deadletters.PlanOf(found.Letters)
	shown.NotShown, shown.Moving, shown.Segments = found.NotShown, planned.Moving, planned.Segments
	for _, l := range found.Letters {
		shown.Letters = append(shown.Letters, l.Show())
	}
	return shown, nil
}

// Redrive begins to move dead letters back to the queue, or says what would happen to each.
func (d *Desk) Redrive(ctx context.Context, by string, order operations.RedriveOrder) (operations.DeadLetters, error) {
	filter := deadletters.Filter{IDs: order.MessageSids}
	shown, err := d.list(ctx, filter)
	if shown.DryRun = order.DryRun; err != nil || order.DryRun {
		return shown, err
	}
	if shown.Moving == 0 && (shown.Run == nil || !shown.Run.EndedAt.IsZero()) {
		return shown, operations.OrderError{Status: http.StatusConflict, Detail: "no letter would be moved: moving them would change nothing"}
	}
	if !d.begin(by, shown.Moving) {
		return shown, operations.OrderError{Status: http.StatusConflict, Detail: "dead letters are being moved: wait until that is done"}
	}
	d.wanted <- redrive{by, filter}
	shown.Run = d.last()
	return shown, nil
}
