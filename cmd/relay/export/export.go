// Package export is `relay export`: the way of a relay on one host to AWS, with all that it knows and all that is under way. What is on
// AWS already is never written over, unless an earlier run brought it there and it has changed here since; so a run that was interrupted is
// simply repeated.
package export

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
)

// Table is a conversations' table that can be written to.
type Table interface {
	conversation.Store
	conversation.Actions
}

// Destination is the relay that gets everything.
type Destination struct {
	Routes        route.Table
	Ledger        ledger.Store
	Conversations Table
	// Queues are its queues, by the names that they have on one host, see package datafolder.
	Queues map[string]queue.Sender
}

// The names of what is copied, in the order in which it is.
const (
	Routes    = "routes"
	Customers = "conversations"
	Phones    = "phones"
	Actions   = "actions"
	Texts     = "texts"
	Messages  = "messages"
)

// Kinds returns them.
func Kinds() []string { return []string{Routes, Customers, Phones, Actions, Texts, Messages} }

// Outcome says what became of one thing.
type Outcome int

// The outcomes.
const (
	// Copied is on AWS now.
	Copied Outcome = iota
	// There was on AWS already.
	There
	// Kept is what AWS has in another form, which stays; Left is what nobody needs any more.
	Kept
	Left
	outcomes
)

// Counts are how many things of one kind had each outcome.
type Counts [outcomes]int

// Export copies one relay to another.
type Export struct {
	From *sqlite.DB
	To   Destination
	// Stopped says that no relay runs on the folder. While one runs, only routes, conversations and texts are copied, ahead of the move:
	// what is kept of phones, and the messages on the queues, change with every text.
	Stopped bool
	Now     func() time.Time
	// Writers is how many texts are written at once.
	Writers int
	// Progress, if not nil, is called with the number of things done of a kind.
	Progress func(kind string, done int)

	counts map[string]Counts
	known  *customers
}

// ErrTags means that the relay on AWS has given out tags itself.
var ErrTags = errors.New("the relay on AWS has given customers other tags")

// ErrUnlogged means that changes are missing from the audit log.
var ErrUnlogged = errors.New("the last changes are not in the audit log yet")

// Counts returns how many things of each kind had each outcome so far.
func (e *Export) Counts() map[string]Counts { return e.counts }

func (e *Export) count(kind string, o Outcome) {
	if e.counts == nil {
		e.counts = map[string]Counts{}
	}
	c := e.counts[kind]
	c[o]++
	e.counts[kind] = c
	if e.Progress != nil {
		done := 0
		for _, n := range c {
			done += n
		}
		e.Progress(kind, done)
	}
}

// Check returns an error if a move cannot begin: ErrUnlogged, ErrTags, or a *fault.Error.
func (e *Export) Check(ctx context.Context) error {
	if e.Stopped {
		changes, err := e.From.Changes().Read(ctx, 1, 0)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			return ErrUnlogged
		}
	}
	_, err := e.customers(ctx)
	return err
}

// Items copies the routes, what is kept of customers and, if no relay runs, of phones, and the texts.
func (e *Export) Items(ctx context.Context) error {
	for _, step := range []func(context.Context) error{e.routes, e.conversations, e.texts} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pageSize is how many items are read at a time.
const pageSize = 500

func (e *Export) conversations(ctx context.Context) error {
	c, err := e.customers(ctx)
	if err != nil {
		return err
	}
	for after := (sqlite.Item{}); ; {
		page, err := e.From.Conversations().Items(ctx, after, pageSize)
		if err != nil {
			return err
		}
		for _, item := range page {
			kind, copyItem := c.copierOf(item)
			if copyItem == nil || kind == Phones && !e.Stopped {
				continue
			}
			o, err := copyItem(ctx, item)
			if err != nil {
				return fmt.Errorf("copy %s of %s: %w", kind, item.TwilioNumber.Mask(), err)
			}
			e.count(kind, o)
		}
		if len(page) < pageSize {
			return nil
		}
		after = page[len(page)-1]
	}
}

func (e *Export) texts(ctx context.Context) error {
	type done struct {
		o   Outcome
		err error
	}
	from := e.From.Ledger()
	for q := (ledger.Query{Limit: ledger.MaxLimit}); ; {
		page, err := from.List(ctx, q)
		if err != nil {
			return err
		}
		results := make([]done, len(page.Records))
		group, working := errgroup.WithContext(ctx)
		group.SetLimit(max(1, e.Writers))
		for i, r := range page.Records {
			group.Go(func() error {
				results[i].o, results[i].err = copyText(working, e.To.Ledger, r, e.Now())
				return results[i].err
			})
		}
		err = group.Wait()
		for _, r := range results {
			if r.err == nil && err == nil {
				e.count(Texts, r.o)
			}
		}
		if err != nil {
			return fmt.Errorf("copy texts: %w", err)
		}
		if q.Cursor = page.Next; q.Cursor.IsZero() {
			return nil
		}
	}
}

// Queued moves the messages: those of texts that are under way, the timers, and the dead letters. It is the last step: with it, the relay
// on AWS goes on where this one stopped.
func (e *Export) Queued(ctx context.Context) error {
	for _, name := range []string{datafolder.DeadLettersName, datafolder.DeadTimersName, datafolder.QueueName, datafolder.TimersName} {
		to := e.To.Queues[name]
		_, err := e.From.Queue(name, queueConfig(name)).Drain(ctx, func(d queue.Delivery) error {
			if err := to.Send(ctx, outgoing(d, e.Now())); err != nil {
				return err
			}
			e.count(Messages, Copied)
			return nil
		})
		if err != nil {
			return fmt.Errorf("move the messages of %s: %w", name, err)
		}
	}
	return nil
}

func queueConfig(name string) sqlite.QueueConfig {
	switch name {
	case datafolder.QueueName:
		return datafolder.InboxConfig()
	case datafolder.TimersName:
		return datafolder.TimersConfig()
	default:
		return sqlite.QueueConfig{Standard: name == datafolder.DeadTimersName}
	}
}

// outgoing returns a message as it is sent on. A timer that is not due yet is held back for as long as a queue can; one that comes early
// is set again.
func outgoing(d queue.Delivery, now time.Time) queue.Outgoing {
	m := queue.Outgoing{Group: d.Group, DeduplicationID: d.DeduplicationID, Body: d.Body, Attributes: d.Attributes}
	if envelope, err := queue.Decode(d.Body); err == nil && envelope.Timer != nil {
		m.Delay = min(max(0, envelope.Timer.Due.Sub(now)), queue.MaxDelay).Truncate(time.Second)
	}
	return m
}
