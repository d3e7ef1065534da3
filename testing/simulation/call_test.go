package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

var (
	errDown = errors.New("no answer, and nothing happened")
	errLost = errors.New("the answer was lost")
)

// call is one call of a door: something may go wrong before it has its effect, and after.
type call struct {
	// op names it: "ledger.Update"; what says more, for the trace.
	op   string
	what func() string
	// read: nothing happens whether it works or not, so that no failure is Unknown.
	read bool
	// ready, if set, says whether the call can go on.
	ready func() bool
}

// through takes a call through: the actor pauses, something may happen to it or to its call, then the call has its
// effect, and again something may happen.
func through[T any](ctx context.Context, s *schedule, c call, effect func(a *actor) (T, error)) (T, error) {
	var none T
	a := actorOf(ctx)
	a.park(c.ready)
	if err := s.before(ctx, a, c); err != nil {
		return none, err
	}
	result, err := effect(a)
	if lost := s.after(ctx, a, c, err); lost != nil {
		return none, lost
	}
	return result, err
}

// before says what happens to a call before it has its effect.
func (s *schedule) before(ctx context.Context, a *actor, c call) error {
	t := s.Trouble
	switch {
	case s.chance.odds(t.Kill):
		s.disturb(a)
		s.trace(a, c, "dies before it")
		s.kill(a)
	case s.chance.odds(t.Pause):
		s.standStill(a, c, "before it")
	case s.chance.odds(t.Slow):
		s.slowDown(a, c, "before it")
	case s.chance.odds(t.Fail):
		s.disturb(a)
		f := s.failure(c)
		s.trace(a, c, "fails, "+f.Kind.String())
		return f
	}
	if ctx.Err() != nil {
		s.disturb(a)
		s.trace(a, c, "gave up before it")
		return &fault.Error{Kind: fault.Transient, Err: ctx.Err()}
	}
	return nil
}

// failure is that of a call that had no effect.
func (s *schedule) failure(c call) *fault.Error {
	kinds := []fault.Kind{fault.Transient, fault.Throttled, fault.Unknown}
	if c.read {
		kinds = kinds[:2]
	}
	return &fault.Error{Kind: one(s.chance, kinds...), Err: errDown}
}

// after says what happens to a call after it had its effect.
func (s *schedule) after(ctx context.Context, a *actor, c call, err error) error {
	t := s.Trouble
	lost := &fault.Error{Kind: fault.Unknown, Err: errLost}
	if c.read {
		lost.Kind = fault.Transient
	}
	switch {
	case s.chance.odds(t.Kill):
		s.disturb(a)
		s.trace(a, c, "dies after it")
		s.kill(a)
	case c.op == "dead.Send" && s.chance.odds(t.Bury):
		s.standStill(a, c, "after it")
	case s.chance.odds(t.Lost):
		s.disturb(a)
		s.trace(a, c, "answer lost")
		return lost
	case s.chance.odds(t.Pause):
		s.standStill(a, c, "after it")
	case s.chance.odds(t.Slow):
		s.slowDown(a, c, "after it")
	}
	if ctx.Err() != nil {
		s.disturb(a)
		s.trace(a, c, "gave up waiting for the answer")
		return lost
	}
	s.trace(a, c, resultOf(err))
	return nil
}

func resultOf(err error) string {
	if err != nil {
		return err.Error()
	}
	return "ok"
}

// standStill keeps the actor where it is for longer than a visibility timeout and a lease.
func (s *schedule) standStill(a *actor, c call, where string) {
	s.disturb(a)
	pause := one(s.chance, visibility+10*time.Second, 30*time.Second, 15*time.Minute)
	s.trace(a, c, fmt.Sprintf("pauses for %v %s", pause, where))
	a.rest(time.Now().Add(pause))
}

func (s *schedule) slowDown(a *actor, c call, where string) {
	delay := one(s.chance, 2*time.Second, 200*time.Millisecond, 7*time.Second)
	s.trace(a, c, fmt.Sprintf("takes %v %s", delay, where))
	a.rest(time.Now().Add(delay))
}

// disturb notes that what the actor learned of its last POST may not have been written down.
func (s *schedule) disturb(a *actor) {
	if a.post != nil {
		a.post.disturbed = true
	}
}

// none is the result of calls that have none.
type none = struct{}
