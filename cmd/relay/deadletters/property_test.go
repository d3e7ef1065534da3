package deadletters_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/cmd/relay/deadletters"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// The command is ended between putting the letter on the queue and deleting it; it is run again at once, after the queue has
// forgotten the first, or after the sender has been at it.
func TestEndedBetweenSendAndDelete(t *testing.T) {
	for name, between := range map[string]func(r *relay){
		"again at once":                func(*relay) {},
		"again after the queue forgot": func(r *relay) { r.clock.Advance(6 * time.Minute) },
		"again after it was sent":      func(r *relay) { r.drain(); r.clock.Advance(6 * time.Minute) },
		"again after it died again": func(r *relay) {
			r.down(true)
			r.drain()
			r.down(false)
			r.clock.Advance(6 * time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelay(t)
			r.deaths(1)
			r.dead.Fault = after(1, "before Delete", func() error { return &fault.Error{Kind: fault.Transient, Err: errors.New("away")} })
			tally, err := r.move().Run(t.Context())
			if err == nil || tally.Copies != 1 || tally.Moved != 1 {
				t.Fatalf("tally %+v, error %v", tally, err)
			}
			r.dead.Fault = nil
			between(r)
			if _, err := r.move().Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.drain()
			r.checkState(1, ledger.Sent)
			if times := r.times(1); times != 1 {
				t.Errorf("sent %d times", times)
			}
		})
	}
}

// Whatever operators, the sender, Twilio, the network and time do in any order: no text reaches Twilio twice, and none is
// lost. The operators' commands run at once, one in the middle of another, end at any of their calls, and are run again.
func TestNothingIsSentTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRelay(t)
		texts := 0
		t.Repeat(map[string]func(*rapid.T){
			"text": func(t *rapid.T) {
				if texts == 12 {
					t.Skip("enough texts")
				}
				texts++
				r.text(texts, customer(rapid.IntRange(1, 3).Draw(t, "customer")))
			},
			"Twilio is down": func(*rapid.T) { r.down(true) },
			"Twilio is up":   func(*rapid.T) { r.down(false) },
			"work":           func(*rapid.T) { r.work() },
			"drain":          func(*rapid.T) { r.drain() },
			"time": func(t *rapid.T) {
				r.clock.Advance(time.Duration(rapid.IntRange(1, 400).Draw(t, "seconds")) * time.Second)
			},
			"redrive":       func(t *rapid.T) { r.redrive(t, 2) },
			"SQS's redrive": func(*rapid.T) { r.moveAll() },
			"list":          func(*rapid.T) { r.read() },
			"": func(t *rapid.T) {
				for n := 1; n <= texts; n++ {
					if times := r.times(n); times > 1 {
						t.Fatalf("text %d was sent %d times", n, times)
					}
				}
			},
		})
		r.down(false)
		r.drain()
		// What was hidden by a command that ended shows again.
		r.clock.Advance(time.Hour)
		for range 3 {
			if _, err := r.move().Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			r.drain()
		}
		for n := 1; n <= texts; n++ {
			if times := r.times(n); times != 1 {
				t.Errorf("text %d, %s, was sent %d times in the end", n, r.record(n).State, times)
			}
		}
	})
}

// redrive runs the command once. At each of its calls something may happen: it fails, before or after its effect; the
// process ends; another redrive runs from beginning to end; the sender works; time passes.
func (r *relay) redrive(t *rapid.T, depth int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := false
	hook := func(string) error {
		if ended {
			// A process that has ended calls nothing.
			return &fault.Error{Kind: fault.Transient, Err: errors.New("ended")}
		}
		switch rapid.SampledFrom([]string{"go on", "go on", "go on", "go on", "fails", "ends", "interrupt", "another", "sender", "time"}).Draw(t,
			"at a call") {
		case "fails":
			return &fault.Error{Kind: fault.Unknown, Err: errors.New("lost")}
		case "ends":
			ended = true
			return &fault.Error{Kind: fault.Transient, Err: errors.New("ended")}
		case "interrupt":
			cancel()
		case "another":
			if depth > 0 {
				r.redrive(t, depth-1)
			}
		case "sender":
			r.work()
		case "time":
			r.clock.Advance(time.Duration(rapid.IntRange(1, 200).Draw(t, "seconds")) * time.Second)
		}
		return nil
	}
	move := r.move()
	move.From, move.To = hookedReceiver{r.dead, hook}, hookedSender{r.queue, hook}
	_, _ = move.Run(ctx) // whatever it says: what counts is what Twilio got.
}

// hookedReceiver and hookedSender are the queues as one command sees them: each of its calls may fail on either way.
type (
	hookedReceiver struct {
		queue.Receiver
		hook func(op string) error
	}
	hookedSender struct {
		queue.Sender
		hook func(op string) error
	}
)

// Receive may fail on either way; it does not wait.
func (h hookedReceiver) Receive(ctx context.Context, limit int, _, visibility time.Duration) ([]queue.Delivery, error) {
	if err := h.hook("before Receive"); err != nil {
		return nil, err
	}
	got, err := h.Receiver.Receive(ctx, limit, 0, visibility)
	if lost := h.hook("after Receive"); lost != nil {
		return nil, lost
	}
	return got, err
}

func (h hookedReceiver) ChangeVisibility(ctx context.Context, changes []queue.Visibility) error {
	if err := h.hook("before ChangeVisibility"); err != nil {
		return err
	}
	return errors.Join(h.Receiver.ChangeVisibility(ctx, changes), h.hook("after ChangeVisibility"))
}

func (h hookedReceiver) Delete(ctx context.Context, handles []string) error {
	if err := h.hook("before Delete"); err != nil {
		return err
	}
	return errors.Join(h.Receiver.Delete(ctx, handles), h.hook("after Delete"))
}

func (h hookedSender) Send(ctx context.Context, message queue.Outgoing) error {
	if err := h.hook("before Send"); err != nil {
		return err
	}
	return errors.Join(h.Sender.Send(ctx, message), h.hook("after Send"))
}

// Twilio lists a message although its answer said that it was not accepted. If Twilio is asked, the letter stays where it is.
func TestAskingTwilio(t *testing.T) {
	for name, tt := range map[string]struct {
		taken func(r *relay)
		want  deadletters.Tally
	}{
		"not listed":        {func(*relay) {}, deadletters.Tally{Moved: 1}},
		"listed":            {func(r *relay) { r.listAs(1, 0) }, deadletters.Tally{Left: 1}},
		"listed long after": {func(r *relay) { r.listAs(1, 3*time.Hour) }, deadletters.Tally{Moved: 1}},
		"another text of the same words, which the ledger knows": {func(r *relay) { r.listAsTwins(0) }, deadletters.Tally{Moved: 1}},
		// It was held back for two days, and sent in the same minute: a queue holds texts for up to three.
		"another text of the same words, 48 h older": {func(r *relay) { r.listAsTwins(48 * time.Hour) }, deadletters.Tally{Moved: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelay(t)
			r.deaths(1)
			tt.taken(r)
			move := r.move()
			move.Asked = deadletters.Asking(r.twilio, r.ledger, r.clock.Now)
			if tally, err := move.Run(t.Context()); err != nil || tally != tt.want {
				t.Errorf("tally %+v, error %v, want %+v", tally, err, tt.want)
			}
		})
	}
}

// listAsTwins makes Twilio list a message of another text of the same words, which came in so much earlier, and which the ledger knows.
func (r *relay) listAsTwins(older time.Duration) {
	r.t.Helper()
	r.listAs(1, 0)
	record := r.record(1)
	record.MessageSid, record.Version = relaytest.MessageSid(2), 0
	record.ReceivedAt = record.ReceivedAt.Add(-older)
	record.Attempts[0].OutboundSid = listedSid
	record.Attempts[0].ClaimID = "claim-of-the-twin"
	if _, err := r.ledger.Create(context.Background(), record); err != nil {
		r.t.Fatal(err)
	}
}

// listedSid is the message that listAs makes Twilio list.
const listedSid = "SM0000000000000000000000000000cccc"

// listAs makes Twilio list a message as the nth text's first attempt would have made it, so much later.
func (r *relay) listAs(n int, later time.Duration) {
	record := r.record(n)
	a := record.Attempts[0]
	r.twilio.Add(sms.Listed{
		Sid: listedSid, Status: sms.StatusDelivered, Direction: sms.DirectionAPI, From: record.TwilioNumber, To: a.To,
		Body: plan.TextOf(record, a.Header), DateCreated: a.StartedAt.Add(later),
	})
}
