package deadletters_test

import (
	"context"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/deadletters"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// put puts a letter on the dead-letter queue.
func (r *relay) put(message queue.Outgoing) {
	r.t.Helper()
	if err := r.dead.Send(context.Background(), message); err != nil {
		r.t.Fatal(err)
	}
}

// copyOf puts the letter there again, changed by edit.
func (r *relay) copyOf(d queue.Delivery, edit func(*queue.Outgoing)) {
	out := queue.Outgoing{Group: d.Group, DeduplicationID: "copy-" + d.MessageID, Body: d.Body, Attributes: d.Attributes}
	edit(&out)
	r.put(out)
}

// change edits the first text's record past the sender.
func (r *relay) change(edit func(ledger.Record) (ledger.Record, bool, error)) {
	r.t.Helper()
	if _, err := ledger.Change(context.Background(), r.ledger, r.record(1), edit); err != nil {
		r.t.Fatal(err)
	}
}

// What is foreseen is what the sender does: each letter is moved, whatever was foreseen, and Twilio gets the text or not.
func TestOutlookComesTrue(t *testing.T) {
	for name, tt := range map[string]struct {
		make func(r *relay)
		want deadletters.Outlook
		// sent is how many messages the move makes Twilio accept, left how many letters there are afterwards.
		sent, left int
	}{
		"dead": {func(r *relay) { r.deaths(1) }, deadletters.Again, 1, 0},
		"dead for a long time": {func(r *relay) {
			r.deaths(1)
			r.clock.Advance(30 * time.Hour)
		}, deadletters.Again, 1, 0},
		"accepted after all": {func(r *relay) {
			r.deaths(1)
			r.tell(1, sms.StatusSent)
		}, deadletters.Settles, 0, 0},
		"delivered after all": {func(r *relay) {
			r.deaths(1)
			r.tell(1, sms.StatusDelivered)
		}, deadletters.Settles, 0, 0},
		"redriven, and sent": {func(r *relay) {
			r.deaths(1)
			d := r.dead.Messages()[0]
			r.copyOf(d, func(*queue.Outgoing) {})
			move := r.move()
			move.Filter.IDs = []string{d.MessageID}
			if _, err := move.Run(context.Background()); err != nil {
				r.t.Fatal(err)
			}
			r.drain()
			r.twilio.Forget()
		}, deadletters.Taken, 0, 0},
		"in doubt": {func(r *relay) {
			r.deaths(1)
			r.change(func(record ledger.Record) (ledger.Record, bool, error) {
				record.Attempts[0].Outcome = fault.Unknown.String()
				return record, true, nil
			})
		}, deadletters.InDoubt, 0, 0},
		"uncertain": {func(r *relay) {
			r.deaths(1)
			r.change(func(record ledger.Record) (ledger.Record, bool, error) {
				record.Attempts[0].Outcome, record.State = fault.Unknown.String(), ledger.Uncertain
				return record, true, nil
			})
		}, deadletters.InDoubt, 0, 0},
		"of an earlier death": {func(r *relay) {
			r.deaths(1)
			d := r.dead.Messages()[0]
			r.take()
			r.copyOf(d, func(o *queue.Outgoing) {
				o.Attributes = map[string]string{"Reason": "attempts_exhausted", "Attempts": "1"}
			})
		}, deadletters.Stale, 0, 0},
		"made by the queue, of a dead text": {func(r *relay) {
			r.deaths(1)
			d := r.dead.Messages()[0]
			r.take()
			r.copyOf(d, func(o *queue.Outgoing) { o.Attributes = nil })
		}, deadletters.Stale, 0, 0},
		"made by the queue, of a text that is not on record": {func(r *relay) {
			r.text(1, customer(1))
			r.bury()
		}, deadletters.First, 1, 0},
		"made by the queue, of a text that waits": {func(r *relay) {
			r.text(1, customer(1))
			r.down(true)
			r.work()
			r.down(false)
			r.clock.Advance(5 * time.Minute)
			r.bury()
		}, deadletters.Onward, 1, 0},
		"not recorded as dead": {func(r *relay) {
			r.deaths(1)
			r.change(func(record ledger.Record) (ledger.Record, bool, error) {
				record.State, record.Reason = ledger.Queued, ""
				return record, true, nil
			})
		}, deadletters.InHand, 0, 1},
		"a receipt": {func(r *relay) {
			r.text(1, customer(1))
			r.drain()
			r.twilio.Forget()
			ref := sms.CallbackRef{RelayID: relaytest.MessageSid(1), Attempt: 1}
			r.send(queue.Envelope{
				Version: queue.Version, Kind: queue.KindReceipt, RelayID: ref.RelayID, ReceivedAt: started,
				Receipt: &sms.Receipt{Sid: relaytest.OutboundSid(1), Status: sms.StatusDelivered, CallbackRef: ref},
			})
			r.bury()
		}, deadletters.Noted, 0, 0},
		"failed for good": {func(r *relay) {
			r.deaths(1)
			r.change(func(record ledger.Record) (ledger.Record, bool, error) {
				record.State, record.Reason = ledger.Failed, ledger.ReasonRefused
				return record, true, nil
			})
		}, deadletters.Ended, 0, 0},
		"unreadable": {func(r *relay) {
			r.put(queue.Outgoing{Group: "g", DeduplicationID: "d", Body: "no envelope", Attributes: map[string]string{"Reason": "undecodable"}})
		}, deadletters.Unreadable, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelay(t)
			tt.make(r)
			all := r.read()
			if len(all) != 1 || all[0].Outlook != tt.want {
				t.Fatalf("letters %+v, want one with outlook %s", all, tt.want)
			}
			tally, err := r.move().Run(t.Context())
			if moved := tally.Moved == 1; err != nil || moved != tt.want.Moves() || tally.Left == 1 == moved {
				t.Fatalf("tally %+v, error %v", tally, err)
			}
			r.moveAll()
			r.drain()
			if got := len(r.accepted()); got != tt.sent {
				t.Errorf("Twilio accepted %d messages, want %d", got, tt.sent)
			}
			if tt.sent > 0 != tt.want.Sends() {
				t.Errorf("%s: sends %v, and %d were sent", tt.want, tt.want.Sends(), tt.sent)
			}
			if got := len(r.dead.Messages()); got != tt.left {
				t.Errorf("%d letters afterwards, want %d", got, tt.left)
			}
			if tt.want.Settled() && (tt.sent != 0 || tt.left != 0) {
				t.Errorf("%s counts as settled, and something came of it", tt.want)
			}
		})
	}
}

// take takes all letters away.
func (r *relay) take() {
	r.t.Helper()
	got, err := r.dead.Receive(context.Background(), 10, 0, time.Minute)
	for _, d := range got {
		err = r.dead.Delete(context.Background(), []string{d.ReceiptHandle})
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// bury moves what is on the queue to the dead letters as the queue itself does, without attributes.
func (r *relay) bury() {
	r.t.Helper()
	got, err := r.queue.Receive(context.Background(), 10, 0, time.Minute)
	if err != nil || len(got) != 1 {
		r.t.Fatalf("received %v, error %v", got, err)
	}
	r.put(queue.Outgoing{Group: got[0].Group, DeduplicationID: got[0].MessageID, Body: got[0].Body})
	if err := r.queue.Delete(context.Background(), []string{got[0].ReceiptHandle}); err != nil {
		r.t.Fatal(err)
	}
}

// moveAll moves the letters that are left, as SQS's own redrive does, without a look.
func (r *relay) moveAll() {
	r.t.Helper()
	got, err := r.dead.Receive(context.Background(), 10, 0, time.Minute)
	for _, d := range got {
		if err == nil {
			err = r.queue.Send(context.Background(), queue.Outgoing{
				Group: d.Group, DeduplicationID: "all-" + d.MessageID, Body: d.Body,
				Attributes: d.Attributes,
			})
		}
		if err == nil {
			err = r.dead.Delete(context.Background(), []string{d.ReceiptHandle})
		}
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// Every outlook has words, and says one thing of the two.
func TestOutlooksAreExplained(t *testing.T) {
	for _, o := range deadletters.Outlooks() {
		if o.Meaning() == "" || o.Meaning() == string(o) {
			t.Errorf("%s has no words", o)
		}
		if o.Moves() && o.Settled() {
			t.Errorf("%s moves and is settled", o)
		}
	}
}
