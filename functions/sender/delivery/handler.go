// Package delivery gets envelopes from the queues and sends each text to a phone through Twilio, once. It claims the text in
// the ledger before it sends, lets shared/retry decide what a failure means, finds out what happened to a POST that was not
// answered, tries the next hop, and applies receipts. It does not receive from the queues itself: Lambda's event source
// mappings do, or shared/onehost/eventsource.
package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// Messages is Twilio's Messages resource. Errors are *fault.Error; those of List and Fetch are never Unknown.
type Messages interface {
	// Create makes a message by one POST.
	Create(ctx context.Context, message sms.Outbound) (sms.Created, error)
	// List returns the messages that the filter lets through, the newest first.
	List(ctx context.Context, filter sms.ListFilter) ([]sms.Listed, error)
	// Fetch returns one message.
	Fetch(ctx context.Context, sid string) (sms.Listed, error)
}

// Routes looks routes up, and remembers them for a moment.
type Routes interface {
	Book
	// Forget makes the next Lookup of the numbers read the table again.
	Forget(numbers ...sms.PhoneNumber)
	// ForgetBefore is Forget of what the table was asked for before then.
	ForgetBefore(then time.Time, numbers ...sms.PhoneNumber)
	// WithFormerThread returns the route that had the number among its Threads not long before that time.
	WithFormerThread(ctx context.Context, number sms.PhoneNumber, at time.Time) (r route.Route, ok bool, err error)
	// MarkOptedOut marks a hop of the number's route as opted out, or removes the mark.
	MarkOptedOut(ctx context.Context, number, hop sms.PhoneNumber, optedOut bool) error
	// MarkOff puts a phone of the number's route off duty until then, or on again with a zero time, see [route.MarkOff].
	MarkOff(ctx context.Context, number, phone sms.PhoneNumber, at, until, now time.Time) (stored route.Route, alone time.Time, err error)
	// Verify tries a code that an unverified phone of the number's route texted, see [route.Verify].
	Verify(ctx context.Context, number, phone sms.PhoneNumber, code, messageSid string, at, now time.Time) (route.Verdict, error)
}

// Visibility changes how long messages of a queue stay hidden.
type Visibility interface {
	ChangeVisibility(ctx context.Context, changes []queue.Visibility) error
}

// Config is what a Handler is made of. Every field is needed unless it says otherwise.
type Config struct {
	Ledger ledger.Store
	// Records lists what else was sent in a conversation.
	Records ledger.Lister
	Routes  Routes
	// Conversations keep who has opted out, and what was sent to each phone on duty.
	Conversations conversation.Store
	// Customers lists the conversations, for phones that ask who waits.
	Customers conversation.Lister
	// Answers takes what goes to a customer or a phone apart from the text that was the cause: the queue that the texts come from.
	Answers  queue.Sender
	Messages Messages
	// Attachments copies what comes with a text, and MediaBaseURL is the base URL of the relay under which Twilio fetches the copies.
	// With nil, texts only mention their attachments.
	Attachments  Attachments
	MediaBaseURL string
	Pace         pace.Book
	// Queue and TimerQueue change the visibility of the messages handed in; Timers sets timers.
	Queue      Visibility
	TimerQueue Visibility
	Timers     queue.Sender
	// Done deletes the messages of Queue that are done while a slow group of their batch is still at work. With nil, the caller
	// deletes them at the end of the batch.
	Done Deleter
	// DeadLetters is where texts go whose attempts are used up.
	DeadLetters queue.Sender
	// Policy decides about failures.
	Policy retry.Policy
	// ReceiptFault classifies a receipt that says undelivered, failed or canceled.
	ReceiptFault func(status sms.Status, code int) *fault.Error
	// PacePair limits the messages of a Twilio number to one phone, PaceNumber the segments of a Twilio number whose
	// route does not say otherwise. The zero value is no limit.
	PacePair   pace.Limit
	PaceNumber pace.Limit
	// ReconcileLooks is how often, after a first look, Twilio is asked again for a message whose POST was not answered,
	// and ReconcileInterval how far apart.
	ReconcileLooks    int
	ReconcileInterval time.Duration
	// AskBefore is when this relay's data was first found to be a copy, or restored. Before an attempt at a text that came in
	// earlier, Twilio is asked whether the other relay has sent it. With zero, Twilio is never asked.
	AskBefore time.Time
	// CaughtUp reports whether it is known here what the other relay got and sent. Before, it is not decided whom a phone's text is for.
	// With nil, all is known.
	CaughtUp func() bool
	// PublicBaseURL is what Twilio was given for this relay; receipts go below it. Empty asks Twilio for none.
	PublicBaseURL string
	// SendTimeout bounds one POST to Twilio. A claim's lease outlasts it.
	SendTimeout time.Duration
	// Retention is how long the ledger keeps a record.
	Retention time.Duration
	// Concurrency is how many groups of a batch are worked on side by side, at least 1.
	Concurrency int
	// Now is the clock, Spread a random number from 0 up to 1, NewClaimID a random mark of a claim.
	Now        func() time.Time
	Spread     func() float64
	NewClaimID func() string
	// Logger gets one line for each message, Emit its measurements.
	Logger *slog.Logger
	Emit   telemetry.Emit
}

// Handler serves one batch at a time or many. All it remembers is whether the account was found unusable, and what the texts that are
// under way at the same time write about one phone.
type Handler struct {
	config Config
	halt   halt
	turns  turns
}

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config: config} }

// verdict is what happens to a message of the queue. The zero value means that nothing is decided: go on.
type verdict struct {
	fate fate
	// delay is how long until a message comes back.
	delay time.Duration
}

// fate is the kind of a verdict.
type fate int

const (
	// goOn means that there is no objection: the text goes on with what comes next.
	goOn fate = iota
	// reconsider means that the record has changed, so the next step is decided again from the new record.
	reconsider
	// deleted means that the message is done; comeBack means that it comes back after the delay.
	deleted
	comeBack
)

// maxHidden is the longest a message is hidden at a time; SQS hides it for twelve hours at most.
const maxHidden = 6 * time.Hour

func decideAgain() verdict              { return verdict{fate: reconsider} }
func done() verdict                     { return verdict{fate: deleted} }
func again(delay time.Duration) verdict { return verdict{comeBack, min(max(0, delay), maxHidden)} }

// stops reports whether the text may not go on with what comes next here.
func (v verdict) stops() bool { return v.fate != goOn }

// isFinal reports whether the message goes back to the queue, one way or the other.
func (v verdict) isFinal() bool { return v.fate == deleted || v.fate == comeBack }

// isDone reports whether the message is deleted.
func (v verdict) isDone() bool { return v.fate == deleted }

func (v verdict) of(id string) itemResult { return itemResult{messageID: id, verdict: v} }

type itemResult struct {
	messageID string
	verdict
}

// Handle works through one batch and names the messages that have to come back. Groups run in parallel. Within a group the order
// is kept: if a message has to come back, all messages behind it come back too. The error is always nil, because an error would
// bring the whole batch back.
func (h *Handler) Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	groups := byGroup(batch.Records)
	results := make([][]itemResult, len(groups))
	settling := h.newSettling(ctx, batch.Records, len(groups))
	var next atomic.Int64
	work := func() {
		for i := next.Add(1) - 1; i < int64(len(groups)); i = next.Add(1) - 1 {
			results[i] = h.workThrough(ctx, groups[i])
			settling.add(ctx, results[i])
		}
	}
	var others sync.WaitGroup
	for range min(h.config.Concurrency, len(groups)) - 1 {
		others.Go(work)
	}
	// The caller's goroutine takes part: its stack has the size that a text needs after the first batch, and a new one would grow again.
	work()
	others.Wait()
	settling.end(ctx)
	return answerOf(slices.Concat(results...)), nil
}

// byGroup splits a batch by FIFO group, keeping the order inside each. A message of a queue without order is a group of
// its own.
func byGroup(records []events.SQSMessage) [][]events.SQSMessage {
	var groups [][]events.SQSMessage
	index := map[string]int{}
	for _, record := range records {
		name := record.Attributes[attributeGroup]
		if name == "" {
			name = record.MessageId
		}
		i, ok := index[name]
		if !ok {
			i = len(groups)
			index[name] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], record)
	}
	return groups
}

// workThrough works on the messages of one group in order. If one has to come back, those behind it are returned to the queue at
// once: the queue holds them behind that message, but only while they are not in flight themselves.
func (h *Handler) workThrough(ctx context.Context, group []events.SQSMessage) []itemResult {
	results := make([]itemResult, 0, len(group))
	for i, record := range group {
		v := h.workSafely(ctx, record)
		results = append(results, v.of(record.MessageId))
		if v.isDone() {
			continue
		}
		for _, behind := range group[i+1:] {
			results = append(results, again(0).of(behind.MessageId))
		}
		break
	}
	return results
}

// workSafely catches a panic, so that a defect found by one message does not stop the others. The log does not show the panic's
// value, because it may quote the text.
func (h *Handler) workSafely(ctx context.Context, record events.SQSMessage) (v verdict) {
	defer func() {
		if cause := recover(); cause != nil {
			h.config.Logger.LogAttrs(ctx, slog.LevelError, "sender panicked",
				slog.String("queue_message_id", record.MessageId), slog.String("kind", fmt.Sprintf("%T", cause)))
			v = h.later(sentAt(record), nil)
		}
	}()
	return h.work(ctx, record)
}

// answerOf names the messages that have to come back.
func answerOf(results []itemResult) events.SQSEventResponse {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, r := range results {
		if !r.isDone() {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.messageID})
		}
	}
	return response
}

// queueOf returns the queue that a batch came from. A batch comes from one queue, and only the FIFO queue has groups.
func (h *Handler) queueOf(batch []events.SQSMessage) Visibility { //nolint:ireturn // either of two.
	if batch[0].Attributes[attributeGroup] == "" {
		return h.config.TimerQueue
	}
	return h.config.Queue
}
