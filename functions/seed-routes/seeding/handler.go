// Package seeding writes the routes of a maintenance.json into the routing table when CloudFormation asks for it, as a custom
// resource of the stack. It removes no route and never overwrites a later change, so operators' changes survive every
// deployment. It always answers CloudFormation, because a stack waits for its answer.
package seeding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"quickdumpnow.com/smsrelay/shared/route"
)

// answerTime is the part of the function's time that is kept for the answer, its repeats included.
const answerTime = 10 * time.Second

// logTime is the part of it that is kept for the log.
const logTime = 500 * time.Millisecond

// lastWords is how long work that ran out of time has to say how far it got.
const lastWords = time.Second

// Config is what a Handler is made of. Every field but Broken is needed.
type Config struct {
	// Broken is what kept the function from being set up; then it does nothing but say so.
	Broken error
	// Read returns an object of at most limit bytes. Errors are *fault.Error.
	Read func(ctx context.Context, o Object, limit int64) ([]byte, error)
	// Routes is the routing table.
	Routes route.Table
	// Answer brings an answer to the address that a request names, and repeats it as often as that helps. The address is
	// a credential; the error does not show it.
	Answer func(ctx context.Context, address string, answer cfn.Response) error
	// Now is the clock.
	Now func() time.Time
	// Logger gets one line for each request.
	Logger *slog.Logger
}

// Handler serves one request of CloudFormation at a time or many; it keeps no state.
type Handler struct{ config Config }

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config: config} }

// errNowhere is a request that cannot be answered.
var errNowhere = errors.New("the request names no ResponseURL")

// Handle serves one request and answers it. It reads the payload itself, because a payload that is not a request has to be
// answered, too. It fails only if no answer arrived; then Lambda calls again, and the same request can be served again.
func (h *Handler) Handle(ctx context.Context, payload json.RawMessage) (struct{}, error) {
	var request cfn.Event
	// What does fit is read, whatever does not.
	malformed := json.Unmarshal(payload, &request)
	if request.ResponseURL == "" {
		h.config.Logger.LogAttrs(ctx, slog.LevelError, "seeding", slog.String("error", errNowhere.Error()))
		return struct{}{}, errNowhere
	}
	done := h.inTime(ctx, request, malformed)
	err := h.answer(ctx, request, done)
	h.log(ctx, request, done, err)
	return struct{}{}, err
}

// answer answers the request, and leaves a moment for the log.
func (h *Handler) answer(ctx context.Context, request cfn.Event, done outcome) error {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-logTime))
		defer cancel()
	}
	return h.config.Answer(ctx, request.ResponseURL, done.answer(request))
}

// outcome is the result of a request.
type outcome struct {
	seeded route.Seeded
	// failure is nil if all is as it should be.
	failure error
}

// inTime serves the request, and gives it up while there is time to say so.
func (h *Handler) inTime(ctx context.Context, request cfn.Event, malformed error) outcome {
	work, cancel := ctx, context.CancelFunc(func() {})
	if deadline, ok := ctx.Deadline(); ok {
		work, cancel = context.WithDeadline(ctx, deadline.Add(-answerTime))
	}
	defer cancel()
	served := make(chan outcome, 1)
	go func() { served <- h.guarded(work, request, malformed) }()
	select {
	case done := <-served:
		return done
	case <-work.Done():
	}
	timer := time.NewTimer(lastWords)
	defer timer.Stop()
	select {
	case done := <-served:
		return done
	case <-timer.C:
		return outcome{failure: fmt.Errorf("seed routes: %w", context.Cause(work))}
	}
}

// errPanic is the error after a panic; the log has more.
var errPanic = errors.New("the function failed unexpectedly, see its log")

// guarded turns a panic into a failure.
func (h *Handler) guarded(ctx context.Context, request cfn.Event, malformed error) (done outcome) {
	defer func() {
		if recover() != nil {
			// The value is left out: it may hold anything.
			h.config.Logger.LogAttrs(ctx, slog.LevelError, "panic", slog.String("stack", string(debug.Stack())))
			done = outcome{failure: errPanic}
		}
	}()
	return h.serve(ctx, request, malformed)
}

func (h *Handler) serve(ctx context.Context, request cfn.Event, malformed error) outcome {
	switch {
	case request.RequestType == cfn.RequestDelete:
		// The table and its routes outlive the stack. Whatever else is wrong, the stack can be deleted.
		return outcome{}
	case malformed != nil:
		return outcome{failure: fmt.Errorf("read the request: %w", malformed)}
	case request.RequestType != cfn.RequestCreate && request.RequestType != cfn.RequestUpdate:
		return outcome{failure: fmt.Errorf("requests of type %.40q are not known", request.RequestType)}
	case h.config.Broken != nil:
		return outcome{failure: fmt.Errorf("set up the function: %w", h.config.Broken)}
	default:
		seeded, err := h.seed(ctx, request.ResourceProperties)
		return outcome{seeded: seeded, failure: err}
	}
}

// answer is what CloudFormation is told.
func (o outcome) answer(request cfn.Event) cfn.Response {
	answer := *cfn.NewResponse(&request)
	answer.Status = cfn.StatusSuccess
	answer.PhysicalResourceID = identity(request)
	// CloudFormation wants attributes as strings.
	answer.Data = map[string]any{"Put": strconv.Itoa(len(o.seeded.Put)), "Kept": strconv.Itoa(len(o.seeded.Kept))}
	if o.failure != nil {
		answer.Status, answer.Reason = cfn.StatusFailed, reason(o.failure)
	}
	return answer
}

// identity names the resource. It never changes: for CloudFormation a new name would be a new resource, and it would ask to
// delete the old one.
func identity(request cfn.Event) string {
	if request.PhysicalResourceID != "" {
		return request.PhysicalResourceID
	}
	return request.StackID + "/" + request.LogicalResourceID
}

func (h *Handler) log(ctx context.Context, request cfn.Event, done outcome, unanswered error) {
	attrs := []slog.Attr{
		slog.String("request_type", string(request.RequestType)), slog.String("request_id", request.RequestID),
		slog.Int("put", len(done.seeded.Put)), slog.Int("kept", len(done.seeded.Kept)),
	}
	level := slog.LevelInfo
	if done.failure != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("reason", reason(done.failure)))
	}
	if unanswered != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", unanswered.Error()))
	}
	h.config.Logger.LogAttrs(ctx, level, "seeding", attrs...)
}
