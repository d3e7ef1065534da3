package delivery_test

import (
	"context"
	"strings"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// What may happen to one call of the ledger, the routes, a queue or Twilio.
const (
	fine = "fine"
	// The call fails before it has an effect.
	downTransient = "down, transient"
	downThrottled = "down, throttled"
	downUnknown   = "down, unknown"
	// The call has its effect, and the answer is lost.
	lost = "lost"
	// The call takes long, but not longer than a lease.
	slow = "slow"
	// The sender dies before the call, or after it.
	crash      = "crash"
	crashAfter = "crash after"
	// The sender pauses after the call, while another receives the messages that show meanwhile.
	pause = "pause"
)

// calls and posts are what may happen, the usual several times over.
func calls() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{
		fine, fine, fine, fine, fine, fine, downTransient, downThrottled, downUnknown, lost, lost, slow,
		crash, crashAfter, pause,
	})
}

func posts() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{
		"taken", "taken", "taken", "transient", "transient", "throttled", "permanent", "fatal", "unknown", "unknown, taken",
		"unreachable", "opted out", "taken, then crash", "taken, then pause", "taken, receipt first", "taken, failure first",
		"transient, then pause", "crash",
	})
}

// world is a sender to which anything may happen.
type world struct {
	*sender

	// way is the route, the same for all texts.
	way route.Route
	// customers say whose each text is, words which of a few bodies it has: texts of the same words are told apart by
	// counting alone.
	customers, words []int
	// told are the receipts that said of a POST's message, by its Sid, that it was not delivered.
	told map[string]bool
	// calls and posts are what happens next; when they are used up, nothing does.
	calls, posts []string
	// atWork is set while a sender is: the harness's own calls do not fail.
	atWork bool
	// crashed: the sender at work has died, and none of its calls has an effect any more.
	crashed bool
	// after is what happens to the call that is under way once it has had its effect.
	after string
	depth int
}

func newWorld(t *rapid.T) *world {
	w := &world{sender: newSender(t), told: map[string]bool{}}
	w.way = route.Route{
		TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: relaytest.Destination, FallbackCarriers: []sms.PhoneNumber{relaytest.Fallback},
		Active:          true,
		OnUncertain:     rapid.SampledFrom([]route.OnUncertain{route.Park, route.Resend}).Draw(t, "on uncertain"),
		DeliveryTimeout: route.Duration(rapid.SampledFrom([]time.Duration{0, 20 * time.Second, time.Hour}).Draw(t, "delivery timeout")),
	}
	w.routes = relaytest.NewMemoryRoutes(w.way)
	w.routes.Fault = w.faults.of("routes")
	w.Routes = remembersNothing{w.routes}
	w.twilio.listLag = rapid.SampledFrom([]time.Duration{0, 50 * time.Second, time.Hour}).Draw(t, "list lag")
	w.PacePair = rapid.SampledFrom([]pace.Limit{{}, {N: 2, Per: 15 * time.Second}}).Draw(t, "pace")
	w.Concurrency = 1
	w.faults.hook = w.call
	w.twilio.answer = w.post
	w.Messages = messages{w}
	return w
}

// messages is Twilio as a sender that may have died sees it.
type messages struct{ w *world }

func (m messages) Create(ctx context.Context, message sms.Outbound) (sms.Created, error) {
	if m.w.crashed {
		return sms.Created{}, &fault.Error{Kind: fault.Unknown, Err: errLost}
	}
	return m.w.twilio.Create(ctx, message)
}

// List and Fetch are never Unknown: they change nothing.
func (m messages) List(ctx context.Context, filter sms.ListFilter) ([]sms.Listed, error) {
	found, err := m.w.twilio.List(ctx, filter)
	return found, transient(err)
}

func (m messages) Fetch(ctx context.Context, sid string) (sms.Listed, error) {
	found, err := m.w.twilio.Fetch(ctx, sid)
	return found, transient(err)
}

func transient(err error) error {
	if err != nil && fault.Of(err).Kind == fault.Unknown {
		return broken(fault.Transient, 1)[0]
	}
	return err
}

func pop(list *[]string) string {
	if len(*list) == 0 {
		return fine
	}
	first := (*list)[0]
	*list = (*list)[1:]
	return first
}

// call says what happens to one call of a sender at work.
func (w *world) call(op string) error {
	switch {
	case !w.atWork:
		return nil
	case w.crashed:
		return broken(fault.Transient, 1)[0]
	case strings.Contains(op, " after "):
		return w.afterCall()
	}
	w.after = ""
	switch what := pop(&w.calls); what {
	case downTransient:
		return broken(fault.Transient, 1)[0]
	case downThrottled:
		return broken(fault.Throttled, 1)[0]
	case downUnknown:
		return broken(fault.Unknown, 1)[0]
	case crash:
		w.crashed = true
		return broken(fault.Unknown, 1)[0]
	case slow:
		w.clock.Advance(7 * time.Second)
	default:
		w.after = what
	}
	return nil
}

func (w *world) afterCall() error {
	switch after := w.after; after {
	case lost:
		return broken(fault.Unknown, 1)[0]
	case crashAfter:
		w.crashed = true
		return broken(fault.Unknown, 1)[0]
	case pause:
		w.standStill()
	}
	return nil
}

// standStill lets time go by until the messages at work show again, and another sender take them.
func (w *world) standStill() {
	w.clock.Advance(visibility + time.Second)
	w.other()
}

// other lets another sender take one batch, while the one at work waits. It is a process of its own: it does not wait for what the one at
// work has begun.
func (w *world) other() {
	if w.depth > 1 {
		return
	}
	crashed, after, waiting := w.crashed, w.after, w.Handler
	w.Handler = delivery.New(*w.Config)
	w.work()
	w.atWork, w.crashed, w.after, w.Handler = true, crashed, after, waiting
}

// post says what Twilio answers.
func (w *world) post(n int, _ sms.Outbound) error {
	what := pop(&w.posts)
	answer, then, _ := strings.Cut(what, ", ")
	var err error
	switch answer {
	case "transient":
		err = refusal(fault.Transient, 0)
	case "throttled":
		err = &fault.Error{Kind: fault.Throttled, RetryAfter: 40 * time.Second}
	case "permanent":
		err = refusal(fault.Permanent, 21617)
	case "unreachable":
		err = refusal(fault.Unreachable, 21614)
	case "opted out":
		err = refusal(fault.OptedOut, 21610)
	case "fatal":
		err = refusal(fault.Fatal, 20003)
	case "unknown":
		err = &fault.Error{Kind: fault.Unknown, Err: errLost}
		if then == "taken" {
			err = refusal(fault.Unknown, 20500)
		}
	case "crash":
		w.crashed = true
		err = &fault.Error{Kind: fault.Unknown, Err: errLost}
	}
	switch then {
	case "then crash":
		w.crashed = true
	case "then pause":
		w.standStill()
	case "receipt first":
		w.overtake(n, sms.StatusSent)
	case "failure first":
		w.overtake(n, sms.StatusFailed)
	}
	return err
}

// overtake lets a receipt of the nth POST's message come before Twilio's answer to the POST.
func (w *world) overtake(n int, status sms.Status) {
	p := w.twilio.Posts()[n-1]
	w.atWork = false
	w.queueUp(w.receipt(p.Ref, relaytest.OutboundSid(n), status, 0))
	w.other()
}

// receipt is Twilio's word on a message. The world notes it.
func (w *world) receipt(ref sms.CallbackRef, sid string, status sms.Status, code int) queue.Envelope {
	w.told[sid] = w.told[sid] || status.Lost()
	e := receipt(ref, sid, status)
	e.Receipt.ErrorCode = code
	return e
}

func receipt(ref sms.CallbackRef, sid string, status sms.Status) queue.Envelope {
	return queue.Envelope{
		Version: queue.Version, Kind: queue.KindReceipt, RelayID: ref.RelayID, ReceivedAt: started,
		Receipt: &sms.Receipt{Sid: sid, Status: status, CallbackRef: ref},
	}
}

// work lets a sender take one batch of each queue. After a sender dies, only its messages come back, later.
func (w *world) work() {
	w.depth++
	defer func() { w.depth-- }()
	for _, q := range []*relaytest.MemoryQueue{w.queue, w.timers} {
		w.workOn(q)
	}
}

func (w *world) workOn(q *relaytest.MemoryQueue) {
	w.atWork = false
	deliveries := w.receiveFrom(q)
	if len(deliveries) == 0 {
		return
	}
	w.atWork, w.crashed, w.after = true, false, ""
	response, err := w.Handle(context.Background(), batchOf(deliveries))
	w.atWork = false
	if err != nil {
		w.t.Errorf("Handle: %v", err)
	}
	if !w.crashed {
		w.remove(q, deliveries, response)
	}
}
