package deadletters_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/deadletters"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func sids(all []deadletters.Letter) []string {
	ids := make([]string, len(all))
	for i, l := range all {
		ids[i] = l.ID()
	}
	return ids
}

func TestReadingTakesNothingAway(t *testing.T) {
	r := newRelay(t)
	r.deaths(23)
	for range 3 {
		// Nothing waits for a visibility timeout in between.
		if got := r.read(); len(got) != 23 {
			t.Fatalf("read %d letters, want 23", len(got))
		}
	}
	first := r.read()[0]
	if first.Reason != ledger.ReasonAttemptsExhausted || first.Attempts != maxAttempts || first.LastError != "transient: down" ||
		first.Hop != "0" || first.Record.State != ledger.Dead {
		t.Errorf("first letter %+v", first)
	}
}

// However reading ends, the letters are there for the next one.
func TestReadingThatEndsEarlyTakesNothingAway(t *testing.T) {
	broken := errors.New("the ledger is away")
	for name, spoil := range map[string]func(r *relay, cancel func()){
		"the ledger cannot be read": func(r *relay, _ func()) {
			r.ledger.Fault = after(15, "before Get", func() error { return broken })
		},
		"the queue cannot be read": func(r *relay, _ func()) {
			r.dead.Fault = after(2, "before Receive", func() error { return broken })
		},
		"interrupted": func(r *relay, cancel func()) {
			r.ledger.Fault = after(15, "before Get", func() error { cancel(); return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelay(t)
			r.deaths(23)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			spoil(r, cancel)
			if _, _, err := deadletters.Read(ctx, atOnce{r.dead}, r.ledger, deadletters.Filter{}); err == nil {
				t.Error("no error")
			}
			r.ledger.Fault, r.dead.Fault = nil, nil
			if got := r.read(); len(got) != 23 {
				t.Errorf("read %d letters afterwards, want 23", len(got))
			}
		})
	}
}

// after fails from the nth time on that the operation is asked about.
func after(n int, op string, then func() error) relaytest.Fault {
	asked := 0
	return func(what string) error {
		if what != op {
			return nil
		}
		if asked++; asked < n {
			return nil
		}
		return then()
	}
}

func TestLettersThatCannotBeGivenBackAreSaid(t *testing.T) {
	r := newRelay(t)
	r.deaths(2)
	r.dead.Fault = after(1, "before ChangeVisibility", func() error { return &fault.Error{Kind: fault.Transient, Err: errors.New("away")} })
	_, _, err := deadletters.Read(t.Context(), atOnce{r.dead}, r.ledger, deadletters.Filter{})
	if err == nil || err.Error() != "2 letters stay hidden for a while: transient: away" {
		t.Errorf("error %v", err)
	}
}

// A queue hands out ten letters of a conversation; the others lie behind them.
func TestLettersBehindOthersAreNotSeen(t *testing.T) {
	r := newRelay(t)
	r.down(true)
	for i := range 14 {
		r.text(i+1, customer(1))
	}
	r.drain()
	_, seen, err := deadletters.Read(t.Context(), atOnce{r.dead}, r.ledger, deadletters.Filter{})
	if err != nil || seen != 10 {
		t.Errorf("seen %d, error %v, want 10", seen, err)
	}
	r.down(false)
	tally, err := r.move().Run(t.Context())
	if err != nil || tally.Moved != 14 {
		t.Errorf("moved %+v, error %v, want all 14", tally, err)
	}
}

func TestMove(t *testing.T) {
	r := newRelay(t)
	r.deaths(12)
	var reported []string
	move := r.move()
	move.Report = func(l deadletters.Letter, moved bool) {
		if moved {
			reported = append(reported, l.ID())
		}
	}
	tally, err := move.Run(t.Context())
	if err != nil || tally != (deadletters.Tally{Moved: 12}) || len(reported) != 12 {
		t.Fatalf("tally %+v, %d reported, error %v", tally, len(reported), err)
	}
	if n := len(r.dead.Messages()); n != 0 {
		t.Errorf("%d letters are left", n)
	}
	r.drain()
	for n := 1; n <= 12; n++ {
		r.checkState(n, ledger.Sent)
		if times := r.times(n); times != 1 {
			t.Errorf("text %d was sent %d times", n, times)
		}
	}
}

// A letter keeps its body, its group and its attributes, by which the sender knows it.
func TestMovedLetterIsAsItWas(t *testing.T) {
	r := newRelay(t)
	r.deaths(1)
	before := r.dead.Messages()[0]
	if _, err := r.move().Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	moved := r.queue.Messages()[0]
	if moved.Body != before.Body || moved.Group != before.Group || !cmp.Equal(moved.Attributes, before.Attributes) ||
		moved.DeduplicationID == before.DeduplicationID {
		t.Errorf("moved\n%+v, was\n%+v", moved, before)
	}
}

func TestMoveKeepsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelay(t)
		r.deaths(23)
		began := time.Now()
		move := r.move()
		move.Pause = 200 * time.Millisecond
		if _, err := move.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 22*200*time.Millisecond {
			t.Errorf("23 letters took %v", took)
		}
	})
}

func TestInterruptedMoveLeavesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelay(t)
		r.deaths(23)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		move := r.move()
		move.Pause = time.Second
		tally, err := move.Run(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || tally.Moved < 3 || tally.Moved > 4 {
			t.Errorf("tally %+v, error %v", tally, err)
		}
		if got := len(r.read()); got != 23-tally.Moved {
			t.Errorf("%d letters can be had afterwards, want %d", got, 23-tally.Moved)
		}
	})
}

func TestFilter(t *testing.T) {
	at := func(hours int) time.Time { return started.Add(time.Duration(hours) * time.Hour) }
	letter := deadletters.Letter{
		Delivery: queue.Delivery{MessageID: "letter-1", SentAt: at(2)},
		Envelope: queue.Envelope{
			Version: 1, RelayID: "SM1", ReceivedAt: at(1),
			Message: &sms.Message{From: customer(1), To: relaytest.TwilioNumber},
		},
		Reason: ledger.ReasonAttemptsExhausted, Outlook: deadletters.Again,
	}
	spelled := letter
	spelled.Envelope.Message = &sms.Message{From: "+4407700900123", To: relaytest.TwilioNumber}
	unreadable := deadletters.Letter{
		Delivery: queue.Delivery{MessageID: "letter-2", SentAt: at(2)}, Reason: ledger.ReasonUndecodable,
		Outlook: deadletters.Unreadable,
	}
	for name, tt := range map[string]struct {
		filter deadletters.Filter
		letter deadletters.Letter
		want   bool
	}{
		"everything":           {deadletters.Filter{}, letter, true},
		"its reason":           {deadletters.Filter{Reason: ledger.ReasonAttemptsExhausted}, letter, true},
		"another reason":       {deadletters.Filter{Reason: ledger.ReasonUndecodable}, letter, false},
		"its customer":         {deadletters.Filter{Number: customer(1)}, letter, true},
		"its Twilio number":    {deadletters.Filter{Number: relaytest.TwilioNumber}, letter, true},
		"in another spelling":  {deadletters.Filter{Number: "+447700900123"}, spelled, true},
		"another number":       {deadletters.Filter{Number: customer(2)}, letter, false},
		"since then":           {deadletters.Filter{Since: at(1)}, letter, true},
		"since later":          {deadletters.Filter{Since: at(1).Add(1)}, letter, false},
		"until then":           {deadletters.Filter{Until: at(1)}, letter, false},
		"until later":          {deadletters.Filter{Until: at(1).Add(1)}, letter, true},
		"its text":             {deadletters.Filter{IDs: []string{"SM2", "SM1"}}, letter, true},
		"its own id":           {deadletters.Filter{IDs: []string{"letter-1"}}, letter, true},
		"another text":         {deadletters.Filter{IDs: []string{"SM2"}}, letter, false},
		"its outlook":          {deadletters.Filter{Outlooks: []deadletters.Outlook{deadletters.Again}}, letter, true},
		"another outlook":      {deadletters.Filter{Outlooks: []deadletters.Outlook{deadletters.Taken}}, letter, false},
		"both have to hold":    {deadletters.Filter{Number: customer(1), IDs: []string{"SM2"}}, letter, false},
		"unreadable, its id":   {deadletters.Filter{IDs: []string{"letter-2"}}, unreadable, true},
		"unreadable, a number": {deadletters.Filter{Number: customer(1)}, unreadable, false},
		"unreadable, its age":  {deadletters.Filter{Since: at(2), Until: at(3)}, unreadable, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.filter.Passes(tt.letter); got != tt.want {
				t.Errorf("Passes = %v, want %v", got, tt.want)
			}
			if tt.filter.IsZero() != (name == "everything") {
				t.Errorf("IsZero = %v", tt.filter.IsZero())
			}
		})
	}
}

func TestMoveKeepsToItsFilter(t *testing.T) {
	r := newRelay(t)
	r.deaths(5)
	move := r.move()
	move.Filter = deadletters.Filter{Number: customer(3)}
	if tally, err := move.Run(t.Context()); err != nil || tally.Moved != 1 {
		t.Fatalf("tally %+v, error %v", tally, err)
	}
	want := []string{relaytest.MessageSid(1), relaytest.MessageSid(2), relaytest.MessageSid(4), relaytest.MessageSid(5)}
	if diff := cmp.Diff(want, sids(r.read())); diff != "" {
		t.Errorf("letters (-want +left):\n%s", diff)
	}
}

func TestPlan(t *testing.T) {
	r := newRelay(t)
	r.deaths(3)
	r.tell(2, sms.StatusDelivered)
	if err := r.dead.Send(t.Context(), queue.Outgoing{
		Group: "g", DeduplicationID: "d", Body: "no envelope",
		Attributes: map[string]string{"Reason": "undecodable"},
	}); err != nil {
		t.Fatal(err)
	}
	p := deadletters.PlanOf(r.read())
	if p.Moving != 3 || p.Segments != 2 || !p.Oldest.Equal(started) || len(p.Letters) != 4 {
		t.Errorf("plan %+v", p)
	}
	if diff := cmp.Diff(map[string]int{"attempts_exhausted": 3, "undecodable": 1}, p.ByReason); diff != "" {
		t.Errorf("by reason (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[deadletters.Outlook]int{deadletters.Again: 2, deadletters.Settles: 1, deadletters.Unreadable: 1},
		p.ByOutlook); diff != "" {
		t.Errorf("by outlook (-want +got):\n%s", diff)
	}
}

// tell brings a receipt of the nth text's last attempt, which Twilio has accepted after all.
func (r *relay) tell(n int, status sms.Status) {
	r.t.Helper()
	record := r.record(n)
	last, _ := record.Current()
	r.send(queue.Envelope{
		Version: queue.Version, Kind: queue.KindReceipt, RelayID: record.MessageSid, ReceivedAt: r.clock.Now(),
		Receipt: &sms.Receipt{
			Sid: "SM000000000000000000000000000bbbbb", Status: status,
			CallbackRef: sms.CallbackRef{RelayID: record.MessageSid, Attempt: last.Number},
		},
	})
	r.drain()
}
