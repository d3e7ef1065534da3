package states_test

import (
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
)

// holding are the stories of texts that wait until the number opens.
func holding() []story {
	return []story{
		{"texts are held, and go out in their order once the number opens", func(s *stage) {
			opening := s.now().Add(3 * time.Hour)
			s.holdsUntil(opening)
			s.put(s.text(1))
			s.put(s.text(2))
			s.goesBy(2*time.Hour + 59*time.Minute)
			s.isHeld(1, opening)
			s.isHeld(2, opening)
			s.goesBy(time.Minute)
			s.opened(2)
			s.left(0, 0)
		}},
		{"sender dies after it has written that a text is held", func(s *stage) {
			opening := s.now().Add(time.Hour)
			s.holdsUntil(opening)
			s.ledger.after = &hook{to: ledger.Queued, do: func() error { s.die(); return nil }}
			s.put(s.text(1))
			s.goesBy(time.Minute)
			s.isHeld(1, opening)
			s.goesBy(time.Hour)
			s.opened(1)
			s.left(0, 0)
		}},
		{"sender dies when it takes up what is held", func(s *stage) {
			opening := s.now().Add(time.Hour)
			s.holdsUntil(opening)
			s.put(s.text(1))
			s.put(s.text(2))
			s.goesBy(time.Minute)
			s.isHeld(2, opening)
			s.ledger.before = &hook{to: ledger.Queued, do: func() error { s.die(); return nil }}
			s.goesBy(time.Hour)
			s.opened(2)
			s.left(0, 0)
		}},
		{"a text is held for 14 days, and then goes to the phones though the number is closed", func(s *stage) {
			most := s.now().Add(route.MaxHold)
			s.holdsUntil(s.now().Add(20 * 24 * time.Hour))
			s.put(s.text(1))
			s.goesBy(time.Minute)
			s.isHeld(1, most)
			s.skip(route.MaxHold - time.Hour)
			s.goesBy(58 * time.Minute)
			s.isHeld(1, most)
			s.goesBy(time.Minute)
			s.opened(1)
			s.left(0, 0)
		}},
	}
}

// holdsUntil has the number closed until then, tell customers so, and hold their texts.
func (s *stage) holdsUntil(opening time.Time) {
	s.reroute(func(r *route.Route) {
		r.TimeZone, r.Closed, r.AutoAnswer.Closed = "UTC", route.ClosedHold, closedText
		r.Overrides = []route.Override{{
			Date:     s.now().UTC().Format(time.DateOnly),
			LastDate: opening.UTC().Format(time.DateOnly), To: opening.UTC().Format("15:04"),
		}}
	})
}

// isHeld wants the nth text to be held until then, and listed in the conversation; the customer was told, and no phone got anything.
func (s *stage) isHeld(n int, until time.Time) {
	s.t.Helper()
	r := s.record(n)
	if r.State != ledger.Queued || r.Reason != ledger.ReasonClosed || !r.NotBefore.Equal(until) || len(r.Attempts) > 0 {
		s.t.Errorf("text %d is %+v, want it held until %v", n, r, until)
	}
	if c := s.stored(); len(c.Closed.Texts) < n || c.Closed.Texts[n-1].MessageSid != r.MessageSid || !c.Closed.IsSet {
		s.t.Errorf("held are %+v, want text %d, and a timer", c.Closed, n)
	}
	s.got(s.customer, closedText)
	s.got(s.first)
	s.left(1, 0)
}

// opened wants so many texts to have gone to the first phone, in their order, and nothing to be held any more.
func (s *stage) opened(texts int) {
	s.t.Helper()
	s.settled()
	if s.ledger.before != nil || s.ledger.after != nil {
		s.t.Error("the sender did not die")
	}
	var got []string
	for _, p := range s.twilio.Posts() {
		if p.To == s.first {
			_, words, _ := strings.Cut(p.Body, ": ")
			got = append(got, words)
		}
	}
	for n := range texts {
		s.rests(n+1, "", "queued sending sent", "1@0 accepted queued")
		if want := s.text(n + 1).Message.Body; len(got) != texts || got[n] != want {
			s.t.Errorf("the phone got %q, want %q as its text %d of %d", got, want, n+1, texts)
		}
	}
	s.got(s.customer, closedText)
	if c := s.stored(); len(c.Closed.Texts) > 0 {
		s.t.Errorf("still held are %+v", c.Closed)
	}
}
