package simulation_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// watchedQueue knows whether a receive may find something, so that nobody has to ask without end.
type watchedQueue struct {
	queue.Sender
	queue.Receiver

	name string
	// held counts what the queue holds, gone what it gave up on by itself.
	held, gone func() int
	dirty      bool
	// shows are the moments at which a hidden message shows.
	shows []time.Time
}

func (w *watchedQueue) ready() bool {
	now := time.Now()
	return w.dirty || slices.ContainsFunc(w.shows, func(at time.Time) bool { return !now.Before(at) })
}

// later notes that something shows after a while: in a file, with the next whole millisecond.
func (w *watchedQueue) later(d time.Duration) {
	if at := time.Now().Add(d + time.Millisecond - 1).Truncate(time.Millisecond); !slices.Contains(w.shows, at) {
		w.shows = append(w.shows, at)
	}
}

// asked notes that a receive has found nothing.
func (w *watchedQueue) asked() {
	now := time.Now()
	w.dirty = false
	w.shows = slices.DeleteFunc(w.shows, func(at time.Time) bool { return !now.Before(at) })
}

// queueDoor is a queue as processes see it.
type queueDoor struct {
	*schedule

	q *watchedQueue
}

func (d queueDoor) Send(ctx context.Context, message queue.Outgoing) error {
	c := call{op: d.q.name + ".Send", what: func() string { return contentOf(message.Body, message.Delay) }}
	_, err := through(ctx, d.schedule, c, func(*actor) (none, error) {
		d.sent(d.q, message)
		d.q.dirty = true
		if message.Delay > 0 {
			d.q.later(message.Delay)
		}
		before := d.q.held()
		err := d.q.Send(ctx, message)
		if l, ok := letterOf(message.Body, message.Attributes); ok && d.q == d.dead && d.q.held() > before {
			d.letters = append(d.letters, l)
		}
		return none{}, err
	})
	return err
}

func (d queueDoor) Receive(ctx context.Context, limit int, _, hidden time.Duration) ([]queue.Delivery, error) {
	var got []queue.Delivery
	c := call{op: d.q.name + ".Receive", read: true, ready: d.q.ready, what: func() string { return contentsOf(got) }}
	a := actorOf(ctx)
	return through(ctx, d.schedule, c, func(*actor) ([]queue.Delivery, error) {
		a.post, a.listed, a.received = nil, nil, time.Now()
		var err error
		if got, err = d.q.Receive(ctx, min(limit, one(d.chance, 10, 1, 2)), 0, hidden); len(got) > 0 {
			d.q.later(hidden)
		} else {
			d.q.asked()
		}
		return got, err
	})
}

func (d queueDoor) ChangeVisibility(ctx context.Context, changes []queue.Visibility) error {
	what := func() string {
		text := ""
		for _, c := range changes {
			text += fmt.Sprintf("%v ", c.Timeout)
		}
		return text
	}
	_, err := through(ctx, d.schedule, call{op: d.q.name + ".ChangeVisibility", what: what}, func(*actor) (none, error) {
		d.q.dirty = true
		for _, c := range changes {
			d.q.later(c.Timeout)
		}
		return none{}, d.q.ChangeVisibility(ctx, changes)
	})
	return err
}

func (d queueDoor) Delete(ctx context.Context, handles []string) error {
	c := call{op: d.q.name + ".Delete", what: func() string { return fmt.Sprint(len(handles)) }}
	_, err := through(ctx, d.schedule, c, func(*actor) (none, error) {
		d.q.dirty = true
		return none{}, d.q.Delete(ctx, handles)
	})
	return err
}

// sent notes in which order texts were queued.
func (s *schedule) sent(q *watchedQueue, message queue.Outgoing) {
	e, err := queue.Decode(message.Body)
	switch {
	case err != nil:
		s.violated("%s got what is no envelope", q.name)
	case q == s.fifo && e.Kind == queue.KindInbound && !strings.Contains(e.RelayID, "/") && !slices.Contains(s.order, e.RelayID):
		s.order = append(s.order, e.RelayID)
		s.noteLate(e.RelayID)
	}
}

func contentsOf(all []queue.Delivery) string {
	text := ""
	for _, d := range all {
		text += contentOf(d.Body, 0) + "; "
	}
	return text
}

// contentOf tells in a trace what a message of a queue is about.
func contentOf(body string, delay time.Duration) string {
	e, err := queue.Decode(body)
	if err != nil {
		return err.Error()
	}
	text := string(e.Kind) + " " + nameOf(e.RelayID)
	if e.Receipt != nil {
		text += fmt.Sprintf(" %s %s attempt %d", nameOf(e.Receipt.Sid), e.Receipt.Status, e.Receipt.Attempt)
	}
	if e.Timer != nil {
		text += fmt.Sprintf(" attempt %d", e.Timer.Attempt)
	}
	if delay > 0 {
		text += fmt.Sprintf(" in %v", delay)
	}
	return text
}
