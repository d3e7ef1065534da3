//go:build linux

// Package lambda starts a program as Lambda does, with the Runtime API on loopback, and measures it: the time from its start to its first
// answer, and the CPU and memory that it took. Unlike testing/lambdahost/runtime it neither freezes a process nor starts a second one.
package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Program is how a function is started.
type Program struct {
	Command []string
	// Folder is where it starts, Environment all that it sees of the environment, as "NAME=value", besides the Runtime API's address.
	Folder      string
	Environment []string
}

// Usage is what a process took from its start to one of its answers.
type Usage struct {
	Time, CPU time.Duration
	// Peak is the most memory that was resident, in bytes.
	Peak int64
}

// Process is a program that answers events, one after the other.
type Process struct {
	command *exec.Cmd
	server  *http.Server
	begun   time.Time
	events  chan []byte
	answers chan answer
	gone    chan struct{}
	printed printed
}

type answer struct {
	payload []byte
	failed  bool
	usage   Usage
	err     error
}

// patience is how long an answer may take.
const patience = 30 * time.Second

// Start starts the program. Its first event is the first that Invoke is given.
func Start(ctx context.Context, p Program) (*Process, error) {
	var network net.ListenConfig
	listener, err := network.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the Runtime API: %w", err)
	}
	started := &Process{events: make(chan []byte, 1), answers: make(chan answer, 1), gone: make(chan struct{})}
	started.server = &http.Server{Handler: started.api(), ReadHeaderTimeout: time.Minute}
	go func() { _ = started.server.Serve(listener) }()
	started.command = exec.CommandContext(ctx, p.Command[0], p.Command[1:]...) //nolint:gosec // it runs what it has built.
	started.command.Dir = p.Folder
	started.command.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String()}, p.Environment...)
	started.command.Stdout, started.command.Stderr = &started.printed, &started.printed
	started.begun = time.Now()
	if err := started.command.Start(); err != nil {
		_ = started.server.Close()
		return nil, fmt.Errorf("start %s: %w", p.Command[0], err)
	}
	go func() {
		_ = started.command.Wait()
		close(started.gone)
	}()
	return started, nil
}

// Close ends the process.
func (p *Process) Close() {
	_ = p.command.Process.Kill()
	<-p.gone
	_ = p.server.Close()
}

// Printed returns what the process has printed so far.
func (p *Process) Printed() string { return p.printed.String() }

var errSilent = errors.New("there was no answer in time")

// Invoke hands the process an event and returns its answer, and what the process has taken since its start.
func (p *Process) Invoke(event []byte) ([]byte, Usage, error) {
	p.events <- event
	select {
	case a := <-p.answers:
		if a.failed {
			a.err = fmt.Errorf("it answered with an error: %s", a.payload)
		}
		return a.payload, a.usage, p.explain(a.err)
	case <-p.gone:
		return nil, Usage{}, p.explain(errors.New("the process ended"))
	case <-time.After(patience):
		return nil, Usage{}, p.explain(errSilent)
	}
}

// explain adds to an error what the process printed.
func (p *Process) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; it printed:\n%s", err, p.Printed())
}

// api is the Runtime API, version 2018-06-01.
func (p *Process) api() http.Handler {
	mux := http.NewServeMux()
	const root = "/2018-06-01/runtime"
	mux.HandleFunc("GET "+root+"/invocation/next", p.next)
	mux.HandleFunc("POST "+root+"/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { p.take(w, r, false) })
	mux.HandleFunc("POST "+root+"/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { p.take(w, r, true) })
	mux.HandleFunc("POST "+root+"/init/error", func(w http.ResponseWriter, r *http.Request) { p.take(w, r, true) })
	return mux
}

func (p *Process) next(w http.ResponseWriter, r *http.Request) {
	select {
	case event := <-p.events:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000000")
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(patience).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:peer")
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0")
		_, _ = w.Write(event)
	case <-p.gone:
	case <-r.Context().Done():
	}
}

// take takes an answer. The process waits for the acknowledgement meanwhile, and so does nothing while it is measured.
func (p *Process) take(w http.ResponseWriter, r *http.Request, failed bool) {
	payload, err := io.ReadAll(r.Body)
	at := time.Now()
	usage, problem := p.usage(at)
	p.answers <- answer{payload: payload, failed: failed, usage: usage, err: errors.Join(err, problem)}
	w.WriteHeader(http.StatusAccepted)
}

// usage asks the system what the process has taken.
func (p *Process) usage(at time.Time) (Usage, error) {
	pid := p.command.Process.Pid
	// The number of a process's CPU clock, as clock_getcpuclockid makes it.
	const scheduled = 2
	var cpu unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &cpu); err != nil { //nolint:gosec // a process id has 22 bits.
		return Usage{}, fmt.Errorf("read the process's CPU clock: %w", err)
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return Usage{}, err
	}
	peak, err := highWater(status)
	return Usage{Time: at.Sub(p.begun), CPU: time.Duration(cpu.Nano()), Peak: peak}, err
}

// highWater reads the most memory that was resident out of a process's status.
func highWater(status []byte) (int64, error) {
	_, after, found := bytes.Cut(status, []byte("\nVmHWM:"))
	if !found {
		return 0, errors.New("the system does not say how much memory a process had at most")
	}
	fields := bytes.Fields(after)
	kilobytes, err := strconv.ParseInt(string(fields[0]), 10, 64)
	return kilobytes << 10, err
}

// printed keeps the end of what a process prints.
type printed struct {
	mu   sync.Mutex
	text []byte
}

const maxPrinted = 16 << 10

// Write takes a part. It never fails.
func (p *printed) Write(part []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = append(p.text, part...)
	p.text = p.text[max(0, len(p.text)-maxPrinted):]
	return len(part), nil
}

// String returns what is kept.
func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.text)
}
