package delivery_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/relaytest"
	"quickdumpnow.com/smsrelay/shared/sms"
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
	// The sender stands still after the call, while another takes the messages that show meanwhile.
	pause = "pause"
)

// calls and posts are what may happen, the usual several times over.
func calls() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{fine, fine, fine, fine, fine, fine, downTransient, downThrottled, downUnknown, lost, lost, slow, crash, crashAfter, pause})
}

func posts() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{
		"taken", "taken", "taken", "transient", "transient", "throttled", "permanent", "fatal", "unknown", "unknown, taken",
		"taken, then crash", "taken, then pause", "taken, receipt first", "transient, then pause", "crash",
	})
}

// world is a sender to which anything may happen.
type world struct {
	*sender

	// customers say whose each text is.
	customers []int
	// calls and posts are what happens next; when they are used up, nothing does.
	calls, posts []string
	// atWork is set while a sender is: the harness's own calls do not fail.
	atWork bool
	// crashed: the sender at work has died, and none of its calls has an effect any more.
	crashed bool
	// after is what happens to the call that is under way once it has had its effect.
	after string
	// overtaken: a sender stood still between claim and POST, so that a later text may have gone first.
	overtaken bool
	depth     int
}

func newWorld(t *rapid.T) *world {
	w := &world{sender: newSender(t)}
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
		w.overtaken = true
		w.standStill()
	}
	return nil
}

// standStill lets time go by until the messages at work show again, and another sender take them.
func (w *world) standStill() {
	w.clock.Advance(visibility + time.Second)
	w.other()
}

// other lets another sender take one batch, while the one at work waits.
func (w *world) other() {
	if w.depth > 1 {
		return
	}
	crashed, after := w.crashed, w.after
	w.work()
	w.atWork, w.crashed, w.after = true, crashed, after
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
		err = refusal(fault.Permanent, 21610)
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
		p := w.twilio.posted()[n-1]
		w.atWork = false
		w.queueUp(receipt(p.ref, outboundSid(n), sms.StatusSent))
		w.other()
	}
	return err
}

func receipt(ref sms.CallbackRef, sid string, status sms.Status) queue.Envelope {
	return queue.Envelope{
		Version: queue.Version, Kind: queue.KindReceipt, RelayID: ref.RelayID, ReceivedAt: started,
		Receipt: &sms.Receipt{Sid: sid, Status: status, CallbackRef: ref},
	}
}

// work lets a sender take one batch. Of a sender that died nothing comes back but its messages, later.
func (w *world) work() {
	w.depth++
	defer func() { w.depth-- }()
	w.atWork = false
	deliveries := w.receive()
	w.atWork, w.crashed, w.after = true, false, ""
	response, err := w.Handle(context.Background(), batchOf(deliveries))
	w.atWork = false
	if err != nil {
		w.t.Errorf("Handle: %v", err)
	}
	if !w.crashed {
		w.remove(deliveries, response)
	}
}

func (w *world) text(n int) queue.Envelope { return textOf(n, by(w.customers[n-1])) }

func TestAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"text": func(t *rapid.T) {
				w.customers = append(w.customers, rapid.IntRange(0, 2).Draw(t, "customer"))
				w.queueUp(w.text(len(w.customers)))
			},
			"repeat": func(t *rapid.T) {
				if len(w.customers) == 0 {
					t.Skip("no text")
				}
				w.queueUp(w.text(rapid.IntRange(1, len(w.customers)).Draw(t, "text")))
			},
			"work": func(t *rapid.T) {
				w.calls = rapid.SliceOfN(calls(), 0, 30).Draw(t, "calls")
				w.posts = rapid.SliceOfN(posts(), 0, 10).Draw(t, "posts")
				w.work()
			},
			"receipt":         w.someReceipt,
			"strange receipt": w.strangeReceipt,
			"time": func(t *rapid.T) {
				w.clock.Advance(time.Duration(rapid.IntRange(1, 40_000).Draw(t, "milliseconds")) * time.Millisecond)
			},
			"hours": func(*rapid.T) { w.clock.Advance(6 * time.Hour) },
			"":      func(t *rapid.T) { w.check(t) },
		})
		w.calls, w.posts = nil, nil
		w.drain()
		w.check(t)
		w.checkEnd(t)
	})
}

func (w *world) someReceipt(t *rapid.T) {
	var taken []post
	for _, p := range w.twilio.posted() {
		if p.sid != "" {
			taken = append(taken, p)
		}
	}
	if len(taken) == 0 {
		t.Skip("Twilio has no message")
	}
	p := rapid.SampledFrom(taken).Draw(t, "message")
	status := rapid.SampledFrom([]sms.Status{
		sms.StatusSending, sms.StatusSent, sms.StatusDelivered, sms.StatusUndelivered, sms.StatusFailed, sms.StatusRead,
	}).Draw(t, "status")
	w.queueUp(receipt(p.ref, p.sid, status))
}

func (w *world) strangeReceipt(t *rapid.T) {
	ref := sms.CallbackRef{RelayID: relaytest.MessageSid(rapid.SampledFrom([]int{1, 999}).Draw(t, "text")), Attempt: 99}
	w.queueUp(receipt(ref, outboundSid(999), sms.StatusDelivered))
}

// check holds what must be so at any time: no text is posted again after a POST that Twilio took, may have taken, or
// refused for good.
func (w *world) check(t *rapid.T) {
	t.Helper()
	settled, counted := map[string]bool{}, map[string]int{}
	for i, p := range w.twilio.posted() {
		sid := p.ref.RelayID
		if settled[sid] {
			t.Fatalf("POST %d sends %s again, though an earlier one may have", i+1, sid)
		}
		settled[sid] = p.sid != "" || p.maybe || p.kind == fault.Permanent
		if p.kind != fault.Fatal {
			counted[sid]++
		}
		if counted[sid] > maxAttempts {
			t.Fatalf("POST %d is attempt %d of %s", i+1, counted[sid], sid)
		}
	}
	changes := w.ledger.Changes()
	checkChanges(t, changes)
	for _, r := range changes {
		if len(r.Attempts) > maxAttempts+1 {
			t.Fatalf("%s has %d attempts on record", r.MessageSid, len(r.Attempts))
		}
	}
}

// checkEnd holds what must be so when the queue is empty: every text is in a named state, and in a true one.
func (w *world) checkEnd(t *rapid.T) {
	t.Helper()
	taken, letters := map[string]bool{}, map[string]bool{}
	for _, p := range w.twilio.posted() {
		taken[p.ref.RelayID] = taken[p.ref.RelayID] || p.sid != ""
	}
	for _, m := range w.dead.Messages() {
		e, err := queue.Decode(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		letters[e.RelayID] = true
	}
	for n := 1; n <= len(w.customers); n++ {
		r := w.record(n)
		switch {
		case r.State == ledger.Uncertain:
		case r.State == ledger.Failed && r.Reason == ledger.ReasonRefused, r.State == ledger.Dead:
			if taken[r.MessageSid] {
				t.Errorf("text %d is %q (%s), but Twilio has it", n, r.State, r.Reason)
			}
		case r.State == ledger.Sent, r.State == ledger.Delivered, r.State == ledger.Undelivered, r.State == ledger.Failed:
			if !taken[r.MessageSid] {
				t.Errorf("text %d is %q, but Twilio does not have it", n, r.State)
			}
		default:
			t.Errorf("text %d is %q (%s) at the end", n, r.State, r.Reason)
		}
		if letters[r.MessageSid] != (r.State == ledger.Dead) {
			t.Errorf("text %d is %q, a dead letter: %v", n, r.State, letters[r.MessageSid])
		}
	}
	if !w.overtaken {
		checkOrder(t, w.twilio.posted(), -1)
	}
}
