package delivery_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func (w *world) text(n int) queue.Envelope {
	return textOf(n, func(e *queue.Envelope) {
		by(w.customers[n-1])(e)
		e.Message.Body = secretText + string(rune('0'+w.words[n-1]))
	})
}

func TestAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"text": func(t *rapid.T) {
				w.customers = append(w.customers, rapid.IntRange(0, 2).Draw(t, "customer"))
				w.words = append(w.words, rapid.IntRange(0, 2).Draw(t, "words"))
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
	var taken []int
	for i, p := range w.twilio.Posts() {
		if p.Message.Sid != "" {
			taken = append(taken, i+1)
		}
	}
	if len(taken) == 0 {
		t.Skip("Twilio has no message")
	}
	n := rapid.SampledFrom(taken).Draw(t, "message")
	p := w.twilio.Posts()[n-1]
	status := rapid.SampledFrom([]sms.Status{
		sms.StatusSending, sms.StatusSent, sms.StatusDelivered, sms.StatusUndelivered, sms.StatusFailed, sms.StatusRead,
	}).Draw(t, "status")
	code := 0
	if status.Lost() {
		code = rapid.SampledFrom([]int{0, 30001, 30002, 30003, 21610, 30034, 63038}).Draw(t, "code")
	}
	if !p.Message.Status.Final() {
		w.twilio.Become(n, status, code)
	}
	w.queueUp(w.receipt(p.Ref, p.Message.Sid, status, code))
}

func (w *world) strangeReceipt(t *rapid.T) {
	ref := sms.CallbackRef{RelayID: relaytest.MessageSid(rapid.SampledFrom([]int{1, 999}).Draw(t, "text")), Attempt: 99}
	w.queueUp(receipt(ref, relaytest.OutboundSid(999), sms.StatusDelivered))
}

// check holds what must be so at any time: no text is posted again after a POST that Twilio took, may have taken, or
// refused for good, unless Twilio said since that it was not delivered, its time was up, or the route wants it sent again.
func (w *world) check(t *rapid.T) {
	t.Helper()
	w.checkSealed()
	earlier := map[string][]relaytest.TwilioPost{}
	for i, p := range w.twilio.Posts() {
		for _, before := range earlier[p.Ref.RelayID] {
			if why := w.against(before, p); why != "" {
				t.Fatalf("POST %d sends %s to hop %d again: an earlier POST %s", i+1, p.Ref.RelayID, p.Ref.Hop, why)
			}
		}
		earlier[p.Ref.RelayID] = append(earlier[p.Ref.RelayID], p)
		if spent := w.spent(earlier[p.Ref.RelayID], p.To); spent > maxAttempts {
			t.Fatalf("POST %d is attempt %d of %s at its phone", i+1, spent, p.Ref.RelayID)
		}
	}
	changes := w.ledger.Changes()
	checkChanges(t, changes)
	for _, r := range changes {
		if len(r.Attempts) > 2*maxAttempts+1 {
			t.Fatalf("%s has %d attempts on record", r.MessageSid, len(r.Attempts))
		}
	}
}

func (w *world) spent(posts []relaytest.TwilioPost, to sms.PhoneNumber) (spent int) {
	for _, p := range posts {
		if p.To == to && kindOf(p.Err) != fault.Fatal {
			spent++
		}
	}
	return spent
}

// against says what of an earlier POST speaks against a later one of the same text, if anything does.
func (w *world) against(before, p relaytest.TwilioPost) string {
	sameHop := before.To == p.To
	// The time counts from the claim, which may be ten seconds older than the POST.
	timedOut := !sameHop && w.way.DeliveryTimeout > 0 && p.At.Sub(before.At) >= time.Duration(w.way.DeliveryTimeout)-10*time.Second
	resent := w.way.OnUncertain == route.Resend && (before.Message.Sid == "" || w.twilio.listLag > looks*interval)
	switch {
	case kindOf(before.Err) == fault.Permanent:
		return "was refused for good"
	case sameHop && (kindOf(before.Err) == fault.Unreachable || kindOf(before.Err) == fault.OptedOut):
		return "was refused by the hop"
	case before.Message.Sid == "" && kindOf(before.Err) != fault.Unknown, resent:
		return ""
	case before.Message.Sid == "":
		return "may have been taken"
	case !w.told[before.Message.Sid] && !timedOut:
		return "was taken"
	}
	return ""
}

// checkEnd holds what must be so when the queue is empty: every text is in a named state, and in a true one.
func (w *world) checkEnd(t *rapid.T) {
	t.Helper()
	taken, reached, letters := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, p := range w.twilio.Posts() {
		taken[p.Ref.RelayID] = taken[p.Ref.RelayID] || p.Message.Sid != ""
		reached[p.Ref.RelayID] = reached[p.Ref.RelayID] || (p.Message.Sid != "" && !w.told[p.Message.Sid])
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
		if problem := lie(r, taken[r.MessageSid], reached[r.MessageSid]); problem != "" {
			t.Errorf("text %d is %q (%s), %s", n, r.State, r.Reason, problem)
		}
		if letters[r.MessageSid] != (r.State == ledger.Dead) && !taken[r.MessageSid] {
			t.Errorf("text %d is %q, a dead letter: %v", n, r.State, letters[r.MessageSid])
		}
	}
	w.checkFirstPosts(t)
}

// lie says what is wrong with the state in which a text ended, if anything is. taken: Twilio has taken it; reached: and has
// not said that it was not delivered.
func lie(r ledger.Record, taken, reached bool) string {
	switch {
	case r.State == ledger.Uncertain:
	case r.State == ledger.Failed && r.Reason == ledger.ReasonRefused, r.State == ledger.Dead:
		if reached {
			return "but Twilio has it"
		}
	case r.State == ledger.Dropped && r.Reason == ledger.ReasonExpired:
		if taken {
			return "but Twilio has it"
		}
	case slices.Contains([]ledger.State{ledger.Sent, ledger.Delivered, ledger.Undelivered, ledger.Failed}, r.State):
		if !taken {
			return "but Twilio does not have it"
		}
	default:
		return "which is no end"
	}
	return ""
}

// checkFirstPosts holds the texts of each customer against the order in which they came: a text that goes on to another hop
// later may be overtaken, but none is sent before an earlier one was tried.
func (w *world) checkFirstPosts(t *rapid.T) {
	t.Helper()
	last, seen := map[string]string{}, map[string]bool{}
	for _, p := range w.twilio.Posts() {
		if seen[p.Ref.RelayID] {
			continue
		}
		seen[p.Ref.RelayID] = true
		customer := p.Body[:len("From +18585550160")]
		if p.Ref.RelayID <= last[customer] {
			t.Errorf("%s: %s came after %s", customer, p.Ref.RelayID, last[customer])
		}
		last[customer] = p.Ref.RelayID
	}
}
