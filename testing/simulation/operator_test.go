package simulation_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// letter is the dead letter of a text that had so many attempts. Letters of the same text and number are copies.
type letter struct {
	relayID  string
	attempts int
}

// letterOf reads a message's letter; ok is false if it is not a letter.
func letterOf(body string, attributes map[string]string) (l letter, ok bool) {
	e, err := queue.Decode(body)
	if err != nil {
		return letter{}, false
	}
	attempts, err := strconv.Atoi(attributes[delivery.AttributeAttempts])
	return letter{e.RelayID, attempts}, err == nil
}

// redrive lets an operator move dead letters back to the queue: one of them, or all.
func (s *schedule) redrive() {
	s.redrives++
	most := one(s.chance, 0, 1)
	name := fmt.Sprintf("operator-%d", s.redrives)
	s.spawn(&process{name: name}, name, func(ctx context.Context, _ *actor) { s.moveLetters(ctx, most) })
}

// moveLetters is SQS's move task: it takes each letter off the dead-letter queue once the queue has it. What stops it in between
// leaves a copy in both. 0 is all letters.
func (s *schedule) moveLetters(ctx context.Context, most int) {
	for moved := 0; most == 0 || moved < most; {
		got, err := s.receiveLetters(ctx, most)
		if err != nil || len(got) == 0 {
			return
		}
		for _, d := range got {
			moved++
			if !s.moveLetter(ctx, d) {
				return
			}
		}
	}
}

func (s *schedule) receiveLetters(ctx context.Context, most int) ([]queue.Delivery, error) {
	limit := most
	if limit == 0 {
		limit = batchSize
	}
	var got []queue.Delivery
	c := call{op: "dead.Receive", read: true, what: func() string { return contentsOf(got) }}
	return through(ctx, s, c, func(*actor) ([]queue.Delivery, error) {
		var err error
		got, err = s.dead.Receive(ctx, limit, 0, visibility)
		return got, err
	})
}

// moveLetter moves one letter. Nobody says whether SQS keeps a letter's deduplication id when it moves it: here it may, or not.
func (s *schedule) moveLetter(ctx context.Context, d queue.Delivery) bool {
	s.moves++
	id := one(s.chance, d.DeduplicationID, fmt.Sprintf("moved-%d", s.moves))
	l, ok := letterOf(d.Body, d.Attributes)
	if !ok {
		s.violated("a dead letter of %s does not say how many attempts there were", l.relayID)
	}
	s.moved = append(s.moved, l)
	message := queue.Outgoing{Group: d.Group, DeduplicationID: id, Body: d.Body, Attributes: d.Attributes}
	if err := (queueDoor{s, s.fifo}).Send(ctx, message); err != nil {
		return false
	}
	return queueDoor{s, s.dead}.deleteLetter(ctx, d, l) == nil
}

// deleteLetter takes a letter off the dead-letter queue, unless someone else has received it since.
func (d queueDoor) deleteLetter(ctx context.Context, received queue.Delivery, l letter) error {
	c := call{op: d.q.name + ".Delete", what: func() string { return nameOf(l.relayID) }}
	_, err := through(ctx, d.schedule, c, func(*actor) (none, error) {
		before := d.q.held()
		err := d.q.Delete(ctx, []string{received.ReceiptHandle})
		if i := slices.Index(d.letters, l); d.q.held() < before && i >= 0 {
			d.letters = slices.Delete(d.letters, i, i+1)
		}
		return none{}, err
	})
	return err
}

// revival is the write by which a text left dead: after so many attempts. The last had that number.
type revival struct {
	attempts, last int
	at             time.Time
	// ordered: it was not dead, and an operator ordered it to be sent again; doubtful: it was uncertain then.
	ordered, doubtful bool
}

// checkRevival holds the write by which a text leaves dead against the letters that were moved: each death ends at most once, and
// only by its own letter.
func (s *schedule) checkRevival(before, after ledger.Record) {
	name, sid := nameOf(after.MessageSid), after.MessageSid
	attempts := len(before.Attempts)
	if !slices.Contains(s.moved, letter{sid, attempts}) {
		s.violated("%s left dead after %d attempts, and no letter with that number was moved", name, attempts)
	}
	for _, earlier := range s.revivals[sid] {
		if earlier.attempts == attempts {
			s.violated("%s left dead twice after %d attempts", name, attempts)
		}
	}
	last, _ := before.Current()
	if len(after.Attempts) != attempts || after.State == ledger.Queued && after.RedrivenAfter != last.Number {
		s.violated("%s left dead with %d attempts of %d, redriven after %d", name, len(after.Attempts), attempts, after.RedrivenAfter)
	}
	s.revivals[sid] = append(s.revivals[sid], revival{attempts: attempts, last: last.Number, at: time.Now()})
}

// checkKept holds how long a record is kept against how long a queue may hand out what was put there just now.
func (s *schedule) checkKept(r ledger.Record) {
	if until := time.Unix(r.ExpiresAt, 0); until.Before(time.Now().Add(longestOnQueue)) {
		s.violated("%s is %s, and its record is kept for %v more, less than a queue keeps its message", nameOf(r.MessageSid),
			r.State, time.Until(until))
	}
}

// lifeOf counts how often the text was redriven before its attempt of that number.
func (s *schedule) lifeOf(sid string, attempt int) int {
	life := 0
	for _, r := range s.revivals[sid] {
		if attempt > r.last {
			life++
		}
	}
	return life
}

// dueSince is when a text's age counts from: when it came, or when it was last redriven.
func (s *schedule) dueSince(r ledger.Record) time.Time {
	since := r.ReceivedAt
	if released := r.Answer.ReleasedAt; released.After(since) {
		// The phone has just named the customer.
		since = released
	}
	for _, sid := range []string{firstOf(r.MessageSid), r.MessageSid} {
		if all := s.revivals[sid]; len(all) > 0 && all[len(all)-1].at.After(since) {
			since = all[len(all)-1].at
		}
	}
	return s.agesFromOpening(r, since)
}

// checkLetters holds the letters on the dead-letter queue against a text's state, when nothing is under way: a dead text has one of
// its death, or nobody can bring it back. A text that is not dead may have those of its earlier deaths. So may one that a receipt
// moved on while it was being buried, because the letter is sent first, and one whose phone opted out meanwhile, so that the
// next phone's turn came.
func (s *schedule) checkLetters(r ledger.Record) {
	name, died := nameOf(r.MessageSid), s.deathsOf(r.MessageSid)
	if own := (letter{r.MessageSid, r.Made()}); r.State == ledger.Dead && !slices.Contains(s.letters, own) {
		s.violated("%s is dead after %d attempts and has no letter of that: it is lost", name, r.Made())
	}
	last, _ := r.Current()
	if r.AcceptedByTwilio() || slices.Contains(s.optedOut, last.To) {
		return
	}
	for _, l := range s.letters {
		if l.relayID == r.MessageSid && !slices.Contains(died, l.attempts) {
			s.violated("%s is %s, and has a dead letter of %d attempts, after which it was never dead", name, r.State, l.attempts)
		}
	}
}

// deathsOf returns after how many attempts the text was dead, each time that it was.
func (s *schedule) deathsOf(sid string) []int {
	var deaths []int
	for _, c := range s.changes {
		if c.record.MessageSid == sid && c.record.State == ledger.Dead {
			deaths = append(deaths, len(c.record.Attempts))
		}
	}
	return deaths
}

// bringBack has the operator move every letter when nothing goes wrong any more: no text may stay dead.
func (s *schedule) bringBack() {
	s.tellf("all letters are moved back")
	dead := map[string]bool{}
	for sid, r := range s.current {
		dead[sid] = r.State == ledger.Dead
	}
	// Those that an operator had in hand come back first.
	time.Sleep(visibility)
	s.redrive()
	if !s.drain() {
		return
	}
	s.checkEnd()
	now := s.ways[len(s.ways)-1]
	// An account that was unusable holds texts for longer than some may wait, and so do phones that nobody verifies any more.
	mayExpire := s.Twilio.Broken > 0 || now.isWaiting()
	for sid, r := range s.current {
		switch {
		case r.State == ledger.Dead:
			s.violated("%s is dead, though its letter was moved back and nothing went wrong since", nameOf(sid))
		case dead[sid] && r.State == ledger.Dropped && r.Reason != ledger.ReasonAnswered && !mayExpire && now.Active:
			s.violated("%s was dropped (%s), though it was just moved back", nameOf(sid), r.Reason)
		}
	}
}
