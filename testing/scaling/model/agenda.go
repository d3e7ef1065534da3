package model

import (
	"container/heap"
	"iter"
	"time"
)

// agenda is the virtual time of a run, and what happens when. Events of the same moment happen in the order in which they were planned,
// so that a run depends on nothing but its seed.
type agenda struct {
	now     time.Duration
	events  events
	planned int
	living  map[*process]struct{}
}

func newAgenda() *agenda { return &agenda{living: map[*process]struct{}{}} }

// event is what happens at a moment.
type event struct {
	at   time.Duration
	turn int
	do   func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, k int) bool {
	return e[i].at < e[k].at || e[i].at == e[k].at && e[i].turn < e[k].turn
}
func (e events) Swap(i, k int) { e[i], e[k] = e[k], e[i] }

// Push implements [heap.Interface].
func (e *events) Push(x any) { *e = append(*e, x.(event)) } //nolint:forcetypeassert,errcheck // it gets events only.

// Pop implements [heap.Interface].
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// after plans an event.
func (a *agenda) after(d time.Duration, do func()) {
	a.planned++
	heap.Push(&a.events, event{at: a.now + max(0, d), turn: a.planned, do: do})
}

// run lets everything happen up to a moment.
func (a *agenda) run(until time.Duration) {
	for len(a.events) > 0 && a.events[0].at <= until {
		next := heap.Pop(&a.events).(event) //nolint:forcetypeassert,errcheck // it has events only.
		a.now = next.at
		next.do()
	}
	a.now = until
}

// end ends every process where it stands.
func (a *agenda) end() {
	for len(a.living) > 0 {
		for p := range a.living {
			p.stop()
		}
	}
}

// process is something that takes its time, such as a text on its way: code that runs from the top to the bottom, and sleeps.
type process struct {
	agenda *agenda
	resume func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
}

// ended unwinds a process that is stopped.
type ended struct{}

// start runs a process until it first sleeps. The agenda wakes it.
func (a *agenda) start(run func(p *process)) {
	p := &process{agenda: a}
	resume, stop := iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			delete(a.living, p)
			if cause := recover(); cause != nil && cause != (ended{}) {
				panic(cause)
			}
		}()
		p.yield = yield
		run(p)
	})
	p.resume, p.stop = resume, stop
	a.living[p] = struct{}{}
	p.wake()
}

func (p *process) wake() { _, _ = p.resume() }

// wait lets others go on until somebody wakes the process.
func (p *process) wait() {
	if !p.yield(struct{}{}) {
		panic(ended{})
	}
}

// sleep lets time pass.
func (p *process) sleep(d time.Duration) {
	p.agenda.after(d, p.wake)
	p.wait()
}

// sideBySide runs n processes and waits for all of them.
func (p *process) sideBySide(n int, run func(p *process, i int)) {
	left, isWaiting := n, false
	for i := range n {
		p.agenda.start(func(each *process) {
			run(each, i)
			if left--; left == 0 && isWaiting {
				p.agenda.after(0, p.wake)
			}
		})
	}
	if isWaiting = left > 0; isWaiting {
		p.wait()
	}
}
