//go:build unix

package runtime

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// initTimeout is how long a process may take to ask for its first event: Lambda's own ten seconds, and twice that for a
// machine that does other things, too.
const initTimeout = 30 * time.Second

// maxResponse is the largest response that Lambda takes, in bytes.
const maxResponse = 6 << 20

// instance is one process of a function.
type instance struct {
	config Config
	cmd    *exec.Cmd
	server *http.Server
	// asks gets a value when the process asks for an event, events carries the event to it, answers what it posts.
	asks    chan struct{}
	events  chan event
	answers chan answer
	// asked is whether the process has asked for an event that it was not given yet.
	asked bool
	// busy is whether an invocation is at work in it.
	busy atomic.Bool
	// gone is closed when the process has ended.
	gone chan struct{}
}

// event is one invocation as the process sees it.
type event struct {
	id       string
	payload  []byte
	deadline time.Time
}

// answer is what the process posts: to an invocation, or of a start that failed.
type answer struct {
	id      string
	payload []byte
	failed  bool
}

// start starts a process with a Runtime API of its own.
func start(config Config) (*instance, error) {
	var network net.ListenConfig
	listener, err := network.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the Runtime API: %w", err)
	}
	i := &instance{
		config: config, asks: make(chan struct{}, 1), events: make(chan event), answers: make(chan answer, 1), gone: make(chan struct{}),
	}
	i.server = &http.Server{Handler: i.api(), ReadHeaderTimeout: initTimeout}
	program, args := config.Command[0], config.Command[1:]
	i.cmd = exec.CommandContext(context.Background(), program, args...) //nolint:gosec // what is run is the caller's to say.
	i.cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String()}
	for name, value := range config.Environment {
		i.cmd.Env = append(i.cmd.Env, name+"="+value)
	}
	output := &lines{take: config.Log}
	i.cmd.Stdout, i.cmd.Stderr = output, output
	if err := i.cmd.Start(); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("start the bootstrap: %w", err)
	}
	go func() { _ = i.server.Serve(listener) }()
	go func() {
		_ = i.cmd.Wait()
		close(i.gone)
		_ = i.server.Close()
	}()
	return i, nil
}

// invoke gives the process one event and waits for its answer.
func (i *instance) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	i.busy.Store(true)
	defer i.busy.Store(false)
	if err := i.ready(ctx); err != nil {
		return nil, err
	}
	i.signal(syscall.SIGCONT)
	limit := time.NewTimer(i.config.Timeout)
	defer limit.Stop()
	id := newRequestID()
	select {
	case i.events <- event{id: id, payload: payload, deadline: i.config.Now().Add(i.config.Timeout)}:
		i.asked = false
	case <-i.gone:
		return nil, errExited
	}
	select {
	case a := <-i.answers:
		i.rest(ctx)
		if a.failed || a.id != id {
			return nil, &FunctionError{Payload: a.payload}
		}
		return a.payload, nil
	case <-limit.C:
		i.kill()
		return nil, errTimeout
	case <-i.gone:
		return nil, errExited
	case <-ctx.Done():
		i.kill()
		return nil, context.Cause(ctx)
	}
}

// ready waits until the process asks for an event.
func (i *instance) ready(ctx context.Context) error {
	if i.asked {
		return nil
	}
	limit := time.NewTimer(initTimeout)
	defer limit.Stop()
	select {
	case <-i.asks:
		i.asked = true
		return nil
	case a := <-i.answers: // It could not start, and says so before it ends.
		i.kill()
		return &FunctionError{Payload: a.payload}
	case <-i.gone:
		return errExited
	case <-limit.C:
		i.kill()
		return errTimeout
	case <-ctx.Done():
		i.kill()
		return context.Cause(ctx)
	}
}

// rest waits until the process asks for the next event, and then freezes it, as Lambda does: nothing of it runs between
// two events.
func (i *instance) rest(ctx context.Context) {
	if i.ready(ctx) == nil {
		i.signal(syscall.SIGSTOP)
	}
}

func (i *instance) signal(s syscall.Signal) { _ = i.cmd.Process.Signal(s) }

func (i *instance) alive() bool {
	select {
	case <-i.gone:
		return false
	default:
		return true
	}
}

// kill ends the process and returns when it is gone.
func (i *instance) kill() {
	_ = i.cmd.Process.Kill()
	<-i.gone
}

// api is the Runtime API, version 2018-06-01.
func (i *instance) api() http.Handler {
	mux := http.NewServeMux()
	const root = "/2018-06-01/runtime"
	mux.HandleFunc("GET "+root+"/invocation/next", i.next)
	mux.HandleFunc("POST "+root+"/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { i.take(w, r, false) })
	mux.HandleFunc("POST "+root+"/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { i.take(w, r, true) })
	mux.HandleFunc("POST "+root+"/init/error", func(w http.ResponseWriter, r *http.Request) { i.take(w, r, true) })
	return mux
}

// next answers the process's question for the next event when there is one.
func (i *instance) next(w http.ResponseWriter, r *http.Request) {
	select {
	case i.asks <- struct{}{}:
	case <-i.gone:
		return
	}
	select {
	case e := <-i.events:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", e.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(e.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", i.config.ARN)
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-"+strings.ReplaceAll(e.id, "-", "")[:24]+";Sampled=0")
		_, _ = w.Write(e.payload)
	case <-i.gone:
	case <-r.Context().Done():
	}
}

// take takes an answer of the process.
func (i *instance) take(w http.ResponseWriter, r *http.Request, failed bool) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	if err != nil || len(payload) > maxResponse {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	select {
	case i.answers <- answer{id: r.PathValue("id"), payload: payload, failed: failed}:
		w.WriteHeader(http.StatusAccepted)
	case <-i.gone:
	}
}

// newRequestID returns a random id in the form of a UUID.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // It never fails.
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// cutLine splits the first line off.
func cutLine(text []byte) (line, rest []byte, found bool) {
	end := bytes.IndexByte(text, '\n')
	if end < 0 {
		return nil, text, false
	}
	return text[:end], bytes.Clone(text[end+1:]), true
}
