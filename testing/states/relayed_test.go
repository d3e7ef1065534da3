package states_test

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// relayed are the stories in which all goes well.
func relayed() []story {
	return []story{
		{"accepted, sent, delivered", func(s *stage) {
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(1, sms.StatusSent, 0)
			s.tell(1, sms.StatusDelivered, 0)
			s.settled()
			s.rests(1, "", "sending sent delivered", "1@0 accepted delivered")
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"the same text twice", func(s *stage) {
			s.queued(1)
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"an operator's text to a phone of its own", func(s *stage) {
			e := s.text(1)
			e.Kind, e.Destination, e.Message.From = queue.KindManual, s.third, ""
			s.put(e)
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.posted(s.third)
		}},
	}
}

// refusals are the stories in which Twilio says no.
func refusals() []story {
	return []story{
		{"busy, then accepted", func(s *stage) {
			s.twilio.script = []answer{busy()}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending queued sending sent", "1@0 transient, 2@0 accepted queued")
			s.posted(s.first, s.first)
		}},
		{"refused by the first hop, delivered by the second", func(s *stage) {
			s.twilio.script = []answer{refused(fault.Unreachable, 21614)}
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(2, sms.StatusDelivered, 0)
			s.settled()
			s.rests(1, "", "sending queued sending sent delivered", "1@0 unreachable done, 2@1 accepted delivered")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
		{"refused by every hop", func(s *stage) {
			s.twilio.script = []answer{refused(fault.Unreachable, 21614), refused(fault.Unreachable, 21211)}
			s.queued(1)
			s.settled()
			s.rests(1, ledger.ReasonRefused, "sending queued sending failed", "1@0 unreachable done, 2@1 unreachable done")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
		{"refused for good", func(s *stage) {
			s.twilio.script = []answer{refused(fault.Permanent, 21617)}
			s.queued(1)
			s.settled()
			s.rests(1, ledger.ReasonRefused, "sending failed", "1@0 permanent")
			s.posted(s.first)
			s.left(0, 0)
		}},
	}
}

// undeliverable are the stories of what cannot be sent: to nobody, not to this phone, or not now.
func undeliverable() []story {
	return []story{
		{"attempts used up: dead letter with attributes", usedUp},
		{"attempts used up, and a receipt says after that that Twilio has it: its letter settles it as sent", func(s *stage) {
			s.toldWhileDead(sms.StatusSent)
			s.rests(1, "", "sending queued sending queued sending queued dead sent", "1@0 accepted sent, 2@0 transient, 3@0 transient")
			s.tell(1, sms.StatusDelivered, 0)
			s.settled()
			s.rests(1, "", "sending queued sending queued sending queued dead sent delivered",
				"1@0 accepted delivered, 2@0 transient, 3@0 transient")
		}},
		{"attempts used up, and a receipt says after that that the phone got it: its letter settles it as delivered", func(s *stage) {
			s.toldWhileDead(sms.StatusDelivered)
			s.rests(1, "", "sending queued sending queued sending queued dead delivered", "1@0 accepted delivered, 2@0 transient, 3@0 transient")
		}},
		{"attempts used up at a later hop: dead letter from the ledger", usedUpLater},
		{"no envelope: dead letter as it came", noEnvelope},
		{"opted out, marked, passed over, START clears it", optedOut},
		{"a hop texts STOP, and is passed over", stop},
		{"account unusable, probe succeeds", func(s *stage) {
			s.twilio.script = []answer{refused(fault.Fatal, 20003), refused(fault.Fatal, 20003)}
			s.queued(1)
			s.settled()
			// The last of the tries that the account's state ended is kept, and then none.
			s.rests(1, "", "sending queued sending queued sending sent", "3@0 accepted queued")
			s.posted(s.first, s.first, s.first)
			s.left(0, 0)
		}},
		{"account unusable for longer than there are attempts", func(s *stage) {
			for range maxAttempts + 1 {
				s.twilio.script = append(s.twilio.script, refused(fault.Fatal, 20403))
			}
			s.queued(1)
			other := s.text(2)
			other.Message.From = s.third
			s.put(other)
			s.settled()
			for n := range 2 {
				if r := s.record(n + 1); r.State != ledger.Sent || len(r.Attempts) != 1 {
					s.t.Errorf("text %d is %s after %s, want one attempt, accepted", n+1, r.State, outcomes(r))
				}
			}
			if got := len(s.twilio.Posts()); got != maxAttempts+3 {
				s.t.Errorf("%d POSTs, want %d refusals and 2 more", got, maxAttempts+1)
			}
			s.left(0, 0)
		}},
	}
}

// usedUp is about a text that Twilio has no time for. Its letter, moved back, has it sent.
func usedUp(s *stage) {
	s.twilio.script = []answer{busy(), busy(), busy()}
	e := s.text(1)
	s.put(e)
	s.settled()
	check := func() {
		s.t.Helper()
		s.rests(1, ledger.ReasonAttemptsExhausted, "sending queued sending queued sending queued dead",
			"1@0 transient, 2@0 transient, 3@0 transient")
		s.posted(s.first, s.first, s.first)
		s.left(0, 1)
	}
	check()
	letter := s.letters(1)[0]
	body, err := queue.Encode(e)
	s.must(err)
	if letter.Body != body || letter.Group != e.Group() {
		s.t.Errorf("the letter differs from the text's own message")
	}
	attributes := map[string]string{
		"Reason": "attempts_exhausted", "Attempts": "3",
		"LastError": "transient: refused, as in the story", "Hop": "0",
	}
	if diff := cmp.Diff(attributes, letter.Attributes); diff != "" {
		s.t.Errorf("the letter's attributes (-want +got):\n%s", diff)
	}
	s.moveBack(letter)
	s.settled()
	s.rests(1, "", "sending queued sending queued sending queued dead queued sending sent",
		"1@0 transient, 2@0 transient, 3@0 transient, 4@0 accepted queued")
	s.left(0, 0)
}

// toldWhileDead has a text die although Twilio accepted its first message, as a receipt says then, and moves its letter back.
func (s *stage) toldWhileDead(status sms.Status) {
	s.t.Helper()
	s.twilio.script = []answer{lying(), busy(), busy()}
	s.queued(1)
	s.settled()
	s.tell(1, status, 0)
	s.settled()
	s.moveBack(s.letters(1)[0])
	s.settled()
	s.posted(s.first, s.first, s.first)
	s.left(0, 0)
}

// moveBack moves a dead letter to the queue as SQS does.
func (s *stage) moveBack(letter queue.Delivery) {
	s.t.Helper()
	s.must(s.dead.Delete(s.t.Context(), []string{letter.ReceiptHandle}))
	s.must(s.texts.Send(s.t.Context(),
		queue.Outgoing{Group: letter.Group, DeduplicationID: rand.Text(), Body: letter.Body, Attributes: letter.Attributes}))
}

// usedUpLater is about a text whose own message is gone when its attempts are used up: a timer moved it.
func usedUpLater(s *stage) {
	s.twilio.script = []answer{{}, busy(), busy(), busy()}
	e := s.text(1)
	s.put(e)
	s.until(s.is(ledger.Sent))
	s.tell(1, sms.StatusUndelivered, 30003)
	s.settled()
	s.rests(1, ledger.ReasonAttemptsExhausted, "sending sent queued sending queued sending queued sending queued dead",
		"1@0 accepted done undelivered, 2@1 transient, 3@1 transient, 4@1 transient")
	s.posted(s.first, s.second, s.second, s.second)
	s.left(0, 1)
	letter := s.letters(1)[0]
	got, err := queue.Decode(letter.Body)
	s.must(err)
	if got.RelayID != e.RelayID || got.Kind != e.Kind || got.Message == nil || got.Message.Body != e.Message.Body ||
		letter.Group != e.Group() {
		s.t.Errorf("the letter is %v in group %s, want the text in its own", got, letter.Group)
	}
	if letter.Attributes["Attempts"] != "4" || letter.Attributes["Hop"] != "1" {
		s.t.Errorf("the letter's attributes are %v", letter.Attributes)
	}
}

// noEnvelope is about what would come back for ever.
func noEnvelope(s *stage) {
	s.must(s.texts.Send(s.t.Context(), queue.Outgoing{Group: "strange", DeduplicationID: rand.Text(), Body: "a text's"}))
	s.must(s.timers.Send(s.t.Context(), queue.Outgoing{Body: "a timer's"}))
	s.settled()
	s.left(0, 2)
	got := map[string]string{}
	for _, letter := range s.letters(2) {
		got[letter.Body] = letter.Attributes["Reason"]
	}
	if diff := cmp.Diff(map[string]string{"a text's": "undecodable", "a timer's": "undecodable"}, got); diff != "" {
		s.t.Errorf("letters (-want +got):\n%s", diff)
	}
}

func optedOut(s *stage) {
	s.twilio.script = []answer{refused(fault.OptedOut, 21610)}
	s.queued(1)
	s.settled()
	s.rests(1, "", "sending queued sending sent", "1@0 opted_out done, 2@1 accepted queued")
	s.optedOut(s.first)
	s.put(s.text(2))
	s.settled()
	s.rests(2, "", "sending sent", "1@1 accepted queued")
	start := s.text(3)
	start.Message.From, start.Message.Body = s.first, "Start"
	s.put(start)
	s.settled()
	s.rests(3, ledger.ReasonKeyword, "dropped", "")
	s.optedOut()
	s.put(s.text(4))
	s.settled()
	s.rests(4, "", "sending sent", "1@0 accepted queued")
	s.posted(s.first, s.second, s.second, s.first)
	s.left(0, 0)
}

func stop(s *stage) {
	e := s.text(1)
	e.Message.From, e.Message.Body = s.first, "STOP"
	s.put(e)
	s.settled()
	s.rests(1, ledger.ReasonOptOut, "dropped", "")
	s.optedOut(s.first)
	s.put(s.text(2))
	s.settled()
	s.rests(2, "", "sending sent", "1@1 accepted queued")
	s.posted(s.second, s.second)
	if told := s.twilio.Posts()[0].Body; !strings.Contains(told, string(s.first)+" texted STOP") {
		s.t.Errorf("the other phone is told %q", told)
	}
}

// waits are the stories in which time goes by before an attempt.
func waits() []story {
	return []story{
		{"expired while waiting", func(s *stage) {
			s.reroute(func(r *route.Route) { r.MaxAge = route.Duration(route.MinMaxAge) })
			s.twilio.script = []answer{busyFor(21 * time.Second)}
			e := s.text(1)
			e.ReceivedAt = e.ReceivedAt.Add(20*time.Second - route.MinMaxAge)
			s.put(e)
			s.settled()
			s.rests(1, ledger.ReasonExpired, "sending queued dead", "1@0 throttled")
			s.posted(s.first)
			s.left(0, 1)
		}},
		{"paced: in order, no attempt spent", func(s *stage) {
			// Longer than two texts take on a busy machine, so that the third has to wait.
			s.pair.N, s.pair.Per = 2, 25*time.Second
			s.start()
			s.queued(4)
			s.settled()
			for n, path := range []string{"sending sent", "sending sent", "queued sending sent"} {
				s.rests(n+1, "", path, "1@0 accepted queued")
			}
			if got := outcomes(s.record(4)); got != "1@0 accepted queued" {
				s.t.Errorf("attempts of text 4: %s", got)
			}
			s.posted(s.first, s.first, s.first, s.first)
			for i, p := range s.twilio.Posts() {
				if p.Ref.RelayID != s.sid(i+1) {
					s.t.Errorf("POST %d is of %s, want %s", i+1, p.Ref.RelayID, s.sid(i+1))
				}
			}
			s.left(0, 0)
		}},
		{"paced by the route's own limit", func(s *stage) {
			s.reroute(func(r *route.Route) { r.PaceNumber = "1/20s" })
			s.queued(2)
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.rests(2, "", "queued sending sent", "1@0 accepted queued")
			s.posted(s.first, s.first)
		}},
	}
}

// drops are the stories of texts that go nowhere, one for each reason.
func drops() []story {
	dropped := func(name string, reason ledger.Reason, edit func(s *stage, e *queue.Envelope)) story {
		return story{name, func(s *stage) {
			e := s.text(1)
			edit(s, &e)
			s.put(e)
			s.settled()
			s.rests(1, reason, "dropped", "")
			s.posted()
			s.left(0, 0)
		}}
	}
	return append(switchedOff(), []story{
		{"a text without a sender fails", func(s *stage) {
			e := s.text(1)
			e.Message.From = ""
			s.put(e)
			s.settled()
			s.rests(1, ledger.ReasonNoAddress, "failed", "")
			s.posted()
			s.left(0, 0)
		}},
		dropped("dropped: no route", ledger.ReasonNoRoute, func(s *stage, e *queue.Envelope) { e.Message.To = s.third }),
		dropped("dropped: the route is switched off", ledger.ReasonInactive, func(s *stage, _ *queue.Envelope) { s.reroute(switchOff) }),
		dropped("dropped: from the number itself", ledger.ReasonLoop, func(s *stage, e *queue.Envelope) { e.Message.From = s.number }),
		dropped("dropped: from a number with a route", ledger.ReasonLoop, func(s *stage, e *queue.Envelope) {
			_, err := s.routes.Put(s.t.Context(), route.Route{TwilioNumber: s.third, DestinationCarrier: s.first, Active: true})
			s.must(err)
			e.Message.From = s.third
		}),
		dropped("dropped: an operator's text to the number itself", ledger.ReasonLoop, func(s *stage, e *queue.Envelope) {
			e.Kind, e.Destination = queue.KindManual, s.number
		}),
		dropped("dropped: opt-out", ledger.ReasonOptOut, func(_ *stage, e *queue.Envelope) { e.Message.OptOutType = sms.OptOutStop }),
		dropped("dropped: keyword", ledger.ReasonKeyword, func(_ *stage, e *queue.Envelope) { e.Message.OptOutType = sms.OptOutHelp }),
		dropped("dropped: too old when it came", ledger.ReasonExpired, func(s *stage, e *queue.Envelope) {
			e.ReceivedAt = e.ReceivedAt.Add(-route.DefaultMaxAge)
		}),
	}...)
}

// switchedOff are the stories of a route that is switched off while texts are on their way.
func switchedOff() []story {
	return []story{
		{"the route is switched off while a text waits: it is sent on, and the next is dropped", func(s *stage) {
			s.twilio.script = []answer{busyFor(longer)}
			s.queued(1)
			s.until(s.waitsAfter(1))
			s.reroute(switchOffAt(s.now()))
			s.idle()
			later := s.text(2)
			later.ReceivedAt = s.record(1).ReceivedAt.Add(time.Hour)
			later.Message.From = s.third
			s.put(later)
			s.settled()
			s.rests(1, "", "sending queued sending sent", "1@0 throttled, 2@0 accepted queued")
			s.rests(2, ledger.ReasonInactive, "dropped", "")
			s.posted(s.first, s.first)
			s.left(0, 0)
		}},
		{"the route is switched off while the first phone is awaited: the next phone is tried all the same", func(s *stage) {
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.reroute(switchOffAt(s.now()))
			s.tell(1, sms.StatusUndelivered, 30003)
			s.settled()
			s.rests(1, "", "sending sent queued sending sent", "1@0 accepted done undelivered, 2@1 accepted queued")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
	}
}
