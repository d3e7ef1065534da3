package onehost

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/sweep"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

const (
	// catchUpMargin is how much earlier than the last sign of life of the lost relay the search begins: the sign is given each minute, and
	// clocks differ.
	catchUpMargin = 10 * time.Minute
	// catchUpPause is the pause after Twilio could not be asked.
	catchUpPause = 15 * time.Second
	// catchUpPatience is for how long nothing is sent while Twilio cannot be asked the first time: what came in since the copy was made
	// belongs before what comes in now. If Twilio does not answer at all, nothing could be sent anyway.
	catchUpPatience = 15 * time.Minute
	// catchUpNoted is how long after Twilio was asked the last time it takes until what was found is noted.
	catchUpNoted = 10 * time.Second
)

// catchUp asks Twilio, on a folder that was copied or restored, what came in since the copy was made, and puts on the queue what the folder
// does not have. The sender then asks Twilio about each of these texts whether the lost relay sent it.
type catchUp struct {
	messages sweep.Messages
	records  sweep.Records
	routes   interface {
		List(ctx context.Context) ([]route.Route, error)
	}
	inbox interface {
		SendBefore(ctx context.Context, outgoing queue.Outgoing, younger time.Time) error
	}
	accountSid string
	data       string
	// span is how long Twilio's list may lag.
	span   time.Duration
	now    func() time.Time
	logger *slog.Logger
	tell   func(problem string)
	pause  func(ctx context.Context, d time.Duration)

	// asked is closed when Twilio was asked for the first time, or when nothing has to be asked.
	asked chan struct{}
	state backups.CatchUp
	// queued are the texts that were found since the start, by MessageSid.
	queued map[string]bool
	// isNoted is set once all that the lost relay got and sent is known here.
	isNoted atomic.Bool
}

// Send puts a text that was found before those that came in since the relay started.
func (c *catchUp) Send(ctx context.Context, outgoing queue.Outgoing) error {
	return c.inbox.SendBefore(ctx, outgoing, c.state.MovedAt)
}

// begin finds out whether there is something to ask: nothing if the folder is no copy, or if all was asked at an earlier start. seen is the
// last sign of life of the relay that the copy was made of.
func (c *catchUp) begin(moved, seen time.Time) error {
	c.asked, c.queued = make(chan struct{}), map[string]bool{}
	state, found, err := backups.ReadCatchUp(c.data)
	if err != nil {
		c.logger.LogAttrs(context.Background(), slog.LevelWarn, "the state of catching up cannot be read: it begins again",
			slog.String("error", err.Error()))
	}
	switch {
	case moved.IsZero():
		close(c.asked)
		c.isNoted.Store(true)
		return nil
	case found && state.MovedAt.Equal(moved):
		if c.state = state; !state.DoneAt.IsZero() {
			close(c.asked)
			c.isNoted.Store(true)
		}
		return nil
	}
	since := seen.Add(-catchUpMargin)
	if oldest := moved.Add(-route.MaxMaxAge); since.Before(oldest) {
		// No route lets a text wait for longer.
		since = oldest
	}
	c.state = backups.CatchUp{MovedAt: moved, Since: since.UTC()}
	return c.state.Write(c.data, durable.Disk{})
}

// isDone reports whether there is nothing to ask.
func (c *catchUp) isDone() bool { return c.state.MovedAt.IsZero() || !c.state.DoneAt.IsZero() }

// hold waits until Twilio was asked for the first time, at most for catchUpPatience.
func (c *catchUp) hold(ctx context.Context) {
	timer := time.NewTimer(catchUpPatience)
	defer timer.Stop()
	select {
	case <-c.asked:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// run asks at once, and once more when Twilio's list must be complete.
func (c *catchUp) run(ctx context.Context) error {
	if c.isDone() {
		return nil
	}
	if c.ask(ctx) {
		close(c.asked)
		c.pause(ctx, c.state.MovedAt.Add(c.span).Sub(c.now()))
	}
	if ctx.Err() == nil && c.ask(ctx) {
		c.state.DoneAt = c.now().UTC()
		c.keep(ctx)
		c.tell("")
		c.logger.LogAttrs(ctx, slog.LevelInfo, "Twilio was asked what came in since this folder was copied",
			slog.Time("since", c.state.Since), slog.Int("queued", c.state.Queued))
		c.pause(ctx, catchUpNoted)
		c.isNoted.Store(true)
	}
	return nil
}

// ask asks until Twilio has answered; it returns false if ctx has ended before.
func (c *catchUp) ask(ctx context.Context) bool {
	for ctx.Err() == nil {
		err := c.askOnce(ctx)
		if ctx.Err() != nil {
			return false
		}
		if err == nil {
			if c.state.Failure != "" {
				c.state.Failure = ""
				c.keep(ctx)
			}
			return true
		}
		c.state.Failure = err.Error()
		c.keep(ctx)
		c.tell(fmt.Sprintf("this data folder was copied or restored, and Twilio cannot be asked which texts came in since %s: they wait at "+
			"Twilio, and older texts here; docs/runbook.md, folder-moved: %s", c.state.Since.Format(time.RFC3339), fault.Of(err).Error()))
		c.logger.LogAttrs(ctx, slog.LevelWarn, "Twilio cannot be asked what came in since this folder was copied",
			slog.Time("since", c.state.Since), slog.String("error", err.Error()))
		c.pause(ctx, catchUpPause)
	}
	return false
}

// askOnce looks for texts to each number.
func (c *catchUp) askOnce(ctx context.Context) error {
	routes, err := c.routes.List(ctx)
	routes, _, err = route.Readable(routes, err)
	if err != nil {
		return err
	}
	s := sweep.Sweep{
		Messages: c.messages, Records: c.records, Queue: c, AccountSid: c.accountSid, Since: c.state.Since, Until: c.state.MovedAt,
		AskBefore: c.state.MovedAt, Now: c.now,
	}
	for _, number := range numbersOf(routes) {
		missing, _, err := s.Missing(ctx, number)
		if err != nil {
			return err
		}
		for _, m := range missing {
			if err := s.Inject(ctx, m); err != nil {
				return err
			}
			if c.queued[m.Sid] {
				// It waits on the queue since the time before.
				continue
			}
			c.queued[m.Sid] = true
			c.state.Queued++
			c.logger.LogAttrs(ctx, slog.LevelWarn, "text found at Twilio that this copied folder did not have", slog.String("message_sid", m.Sid),
				slog.Time("received_at", m.DateCreated))
		}
	}
	return nil
}

// numbersOf are the numbers of the routes and their threads, each once.
func numbersOf(routes []route.Route) (numbers []sms.PhoneNumber) {
	for _, r := range routes {
		for _, number := range r.Numbers() {
			if !slices.Contains(numbers, number) {
				numbers = append(numbers, number)
			}
		}
	}
	return numbers
}

func (c *catchUp) keep(ctx context.Context) {
	if err := c.state.Write(c.data, durable.Disk{}); err != nil {
		c.logger.LogAttrs(ctx, slog.LevelError, "the state of catching up was not kept", slog.String("error", err.Error()))
	}
}

// isCaughtUp reports whether all that the lost relay got and sent is known here.
func (r *Relay) isCaughtUp() bool { return r.catchUp.isNoted.Load() }

// newCatchUp makes the relay's.
func (r *Relay) newCatchUp(ctx context.Context) error {
	messages, err := twilio.New(r.twilioConfig())
	if err != nil {
		return err
	}
	r.catchUp = &catchUp{
		messages: remembered{messages, r.forget}, records: r.db.Ledger(), routes: r.db.Routes(),
		inbox:      r.db.Queue(datafolder.QueueName, datafolder.InboxConfig()),
		accountSid: r.config.AccountSid, data: r.config.Data, now: time.Now, logger: r.config.Logger, tell: r.problems.setCatchUp,
		span: delivery.Span(r.config.ReconcileLooks, r.config.ReconcileInterval, r.config.SendTimeout), pause: clock.Pause,
	}
	seen, err := r.db.Seen(ctx)
	if err != nil {
		return err
	}
	return r.catchUp.begin(r.moved, seen)
}
