//go:build unix

// Package runtime runs a compiled bootstrap as Lambda does: it starts the process with nothing but the function's
// environment, speaks the Runtime API with it, gives each process one event at a time, freezes it in between, ends it
// when its time is over, and starts as many side by side as the function may have. It does not know where events come
// from (testing/lambdahost/mapping and testing/lambdahost hand them over), and it limits neither memory nor CPU.
package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a function is made of.
type Config struct {
	// Name is the function's name, ARN its whole name.
	Name string
	ARN  string
	// Command starts the bootstrap: its path, or an emulator of its processor and then its path.
	Command []string
	// Environment is all that the process sees of the environment, besides the address of the Runtime API.
	Environment map[string]string
	// Timeout is how long one invocation may take, the start of the process not counted; MaxInstances how many processes
	// may run side by side.
	Timeout      time.Duration
	MaxInstances int
	// Log takes what the processes print, a line at a time without its newline, from several goroutines at once.
	Log func(line []byte)
	// Invoked, if set, is told how long each invocation took and what it failed with. It also hears of throttled ones.
	Invoked func(took time.Duration, err error)
	// Now is the clock of the deadlines that the function is told.
	Now func() time.Time
}

// What an invocation may fail with, besides a *FunctionError.
var (
	// ErrThrottled says that as many processes as the function may have are at work.
	ErrThrottled = errors.New("function is throttled: all its instances are at work")
	// errTimeout says that the function did not answer in time. Its process is gone.
	errTimeout = errors.New("function timed out")
	// errExited says that the function's process ended before it answered.
	errExited = errors.New("function's process ended")
	// errClosed says that the function was closed.
	errClosed = errors.New("function is closed")
)

// FunctionError is what a function answers in place of a response.
type FunctionError struct {
	// Payload is the error's JSON: errorType, errorMessage and stackTrace.
	Payload []byte
}

// Error names the kind of error and does not quote it: it may hold what the event held.
func (e *FunctionError) Error() string { return "function answered with an error" }

// Statistics count what a function did.
type Statistics struct {
	// Invocations were begun, Failures of them ended without a response. ColdStarts are the processes started, Throttles
	// the invocations refused for their number.
	Invocations, Failures, ColdStarts, Throttles int64
	// Billed is the time that processes were at work, their start included.
	Billed time.Duration
}

// Function is a function ready to be invoked. It is safe for concurrent use.
type Function struct {
	config Config

	mu        sync.Mutex
	idle      []*instance
	instances map[*instance]bool
	closed    bool

	invocations, failures, coldStarts, throttles, billed atomic.Int64
}

// New returns a function. No process is started before its first invocation.
func New(config Config) *Function {
	return &Function{config: config, instances: map[*instance]bool{}}
}

// Invoke hands an event to the function and returns its response. The event goes to a process that waits for one, or else
// to a new one. An end of ctx ends the process, and so the invocation.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	i, err := f.acquire() //nolint:contextcheck // a process outlives the invocation that started it.
	if err != nil {
		f.tell(0, err)
		return nil, fmt.Errorf("invoke %s: %w", f.config.Name, err)
	}
	f.invocations.Add(1)
	begun := f.config.Now()
	response, err := i.invoke(ctx, event)
	took := f.config.Now().Sub(begun)
	f.billed.Add(int64(took))
	f.tell(took, err)
	f.release(i)
	if err != nil {
		f.failures.Add(1)
		return nil, fmt.Errorf("invoke %s: %w", f.config.Name, err)
	}
	return response, nil
}

func (f *Function) tell(took time.Duration, err error) {
	if f.config.Invoked != nil {
		f.config.Invoked(took, err)
	}
}

// acquire returns a process that waits for an event, or starts one.
func (f *Function) acquire() (*instance, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, errClosed
	}
	for len(f.idle) > 0 {
		i := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if i.alive() {
			return i, nil
		}
		delete(f.instances, i)
	}
	if len(f.instances) >= f.config.MaxInstances {
		f.throttles.Add(1)
		return nil, ErrThrottled
	}
	i, err := start(f.config)
	if err != nil {
		return nil, err
	}
	f.coldStarts.Add(1)
	f.instances[i] = true
	return i, nil
}

// release takes a process back, if it still lives.
func (f *Function) release(i *instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || !i.alive() {
		delete(f.instances, i)
		i.kill()
		return
	}
	f.idle = append(f.idle, i)
}

// Kill ends all processes that are at work, as kill -9 does, and returns how many those were. Their invocations fail.
func (f *Function) Kill() int {
	killed := 0
	for _, i := range f.all() {
		if i.busy.Load() {
			i.kill()
			killed++
		}
	}
	return killed
}

// Recycle ends the processes that wait for an event, so that the next invocations are cold starts, as after a deploy.
func (f *Function) Recycle() {
	f.mu.Lock()
	idle := f.idle
	f.idle = nil
	for _, i := range idle {
		delete(f.instances, i)
	}
	f.mu.Unlock()
	for _, i := range idle {
		i.kill()
	}
}

// Statistics returns what was counted so far.
func (f *Function) Statistics() Statistics {
	return Statistics{
		Invocations: f.invocations.Load(), Failures: f.failures.Load(), ColdStarts: f.coldStarts.Load(),
		Throttles: f.throttles.Load(), Billed: time.Duration(f.billed.Load()),
	}
}

// Close ends all processes and returns when they are gone.
func (f *Function) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	for _, i := range f.all() {
		i.kill()
	}
}

func (f *Function) all() []*instance {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]*instance, 0, len(f.instances))
	for i := range f.instances {
		all = append(all, i)
	}
	return all
}

// lines hands what is written to it on, line by line.
type lines struct {
	mu   sync.Mutex
	rest []byte
	take func(line []byte)
}

var _ io.Writer = (*lines)(nil)

// Write takes a part of the output. It never fails.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := cutLine(l.rest)
		if !found {
			return len(p), nil
		}
		l.take(line)
		l.rest = rest
	}
}
