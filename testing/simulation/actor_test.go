package simulation_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"
)

// process is what dies together: a sender, a front door's request, the audit.
type process struct {
	name string
	dead atomic.Bool
	// restart, if set, starts another in its place when it has died.
	restart func()
}

// actor is one line of work in a process. It runs between two calls of a door, and waits at each until the
// scheduler lets it go on.
type actor struct {
	*process

	name string
	wake chan struct{}
	// mu guards what the scheduler looks at while an actor may wake by itself, after a pause of its own.
	mu sync.Mutex
	// parked is set while it waits at a call; ready, if set, says whether the call can go on at all.
	parked bool
	ready  func() bool
	// until is when it goes on, if it was made to pause for a while.
	until time.Time
	ended bool

	// received is when it last took something off a queue.
	received time.Time
	// post is the last POST that it made, listed what it last saw of Twilio's list. They are for the invariants.
	post   *post
	listed map[string]bool
}

type actorKey struct{}

// actorOf returns whose call it is.
func actorOf(ctx context.Context) *actor {
	a, ok := ctx.Value(actorKey{}).(*actor)
	if !ok {
		panic("a call of no actor")
	}
	return a
}

// park waits until the scheduler lets the actor go on. An actor that died meanwhile does nothing more.
func (a *actor) park(ready func() bool) {
	a.exitIfDead()
	a.waitAt(ready)
	<-a.wake
	a.exitIfDead()
}

func (a *actor) waitAt(ready func() bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.parked {
		panic(a.name + " is at two calls at once")
	}
	a.ready, a.parked = ready, true
}

// rest pauses for a while.
func (a *actor) rest(until time.Time) {
	a.until = until
	a.park(nil)
}

func (a *actor) exitIfDead() {
	if a.dead.Load() {
		runtime.Goexit()
	}
}

// canGoOn reports whether the scheduler may let it go on.
func (a *actor) canGoOn(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.parked && (a.dead.Load() || (!now.Before(a.until) && (a.ready == nil || a.ready())))
}

func (a *actor) isParked() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.parked
}

// setOff says that the actor is about to be woken.
func (a *actor) setOff() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.parked = false
}

func (a *actor) hasEnded() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ended
}

// spawn starts an actor of the process, once nothing else runs, see settle. run gets a context that carries the actor.
func (s *schedule) spawn(p *process, name string, run func(ctx context.Context, a *actor)) {
	a := &actor{process: p, name: name, wake: make(chan struct{})}
	s.actors = append(s.actors, a)
	s.unstarted = append(s.unstarted, func() {
		defer func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.ended = true
		}()
		run(context.WithValue(s.ctx, actorKey{}, a), a)
	})
}

// settle waits until nothing runs. It starts the new actors one after the other: what each does before its first seam, what it draws among
// it, would otherwise be done at the same time as something else.
func (s *schedule) settle() {
	synctest.Wait()
	for len(s.unstarted) > 0 {
		start := s.unstarted[0]
		s.unstarted = s.unstarted[1:]
		go start()
		synctest.Wait()
	}
}

// kill ends the actor's process at this very moment.
func (s *schedule) kill(a *actor) {
	a.dead.Store(true)
	for _, other := range s.actors {
		if other.process == a.process {
			s.disturb(other)
		}
	}
	s.died = append(s.died, a.process)
	runtime.Goexit()
}
