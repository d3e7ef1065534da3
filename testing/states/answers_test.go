package states_test

import (
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// words are what phones write in these stories.
const words = "Yes, the " + secret

// answers are the stories of a phone on duty that answers one customer.
func answers() []story {
	return []story{
		{"a phone answers with the tag: the customer gets the words alone", func(s *stage) {
			tag := s.meets(s.customer)
			s.ended(s.writes(2, s.first, strings.ToLower(tag)+": "+words))
			s.rests(2, "", "queued sending sent", "1@0 accepted queued")
			s.got(s.first, tag+" "+string(s.customer)+": The "+secret+", please (1)")
			s.got(s.customer, words)
			s.left(0, 0)
		}},
		{"a phone answers without a tag, and one customer is in play", func(s *stage) {
			s.meets(s.customer)
			s.passes(9 * time.Second)
			s.ended(s.writes(2, s.first, words))
			s.rests(2, "", "queued sending sent", "1@0 accepted queued")
			s.got(s.customer, words)
		}},
		{"the same answer twice", func(s *stage) {
			tag := s.meets(s.customer)
			for range 2 {
				s.put(s.writes(2, s.first, tag+" "+words))
			}
			s.settled()
			s.rests(2, "", "queued sending sent", "1@0 accepted queued")
			s.got(s.customer, words)
			s.left(0, 0)
		}},
		{"an answer is refused for good: the phone is told", func(s *stage) {
			s.twilio.script = []answer{{}, refused(fault.Permanent, 21614)}
			tag := s.meets(s.customer)
			s.ended(s.writes(2, s.first, tag+" "+words))
			s.rests(2, ledger.ReasonRefused, "queued sending failed", "1@0 permanent")
			s.toldOnce(s.first, "Not delivered to "+tag+": ")
			s.left(0, 0)
		}},
		{"an answer's own answer is lost, and its message is found", func(s *stage) {
			s.twilio.script = []answer{{}, unheard(true, 0)}
			tag := s.meets(s.customer)
			s.ended(s.writes(2, s.first, tag+" "+words))
			s.rests(2, "", "queued sending sent", "1@0 accepted found queued")
			s.got(s.customer, words)
		}},
		{"sender dies after it has decided about an answer", func(s *stage) {
			tag := s.meets(s.customer)
			s.ledger.after = &hook{to: ledger.Queued, do: func() error { s.die(); return nil }}
			s.ended(s.writes(2, s.first, tag+" "+words))
			s.rests(2, "", "queued sending sent", "1@0 accepted queued")
			s.got(s.customer, words)
			s.left(0, 0)
		}},
		{"too many back and forth: the customer's text waits", func(s *stage) {
			s.meets(s.customer)
			s.texted(s.first, s.customer, 40)
			s.put(s.text(2))
			s.until(func() bool { return s.record(2).State == ledger.Queued })
			if r := s.record(2); r.Reason != ledger.ReasonPingPong || len(r.Attempts) > 0 || !r.NotBefore.After(s.now()) {
				s.t.Errorf("text 2 is %+v", r)
			}
			s.posted(s.first)
		}},
	}
}

// held are the stories of words that may be for one customer or another.
func held() []story {
	return []story{
		{"a phone is asked, and names the customer: the words that were held go out", func(s *stage) {
			s.askedAbout()
			tag := s.tagOf(s.customer)
			s.hears(s.writes(4, s.first, "or later, "+secret))
			s.hears(s.writes(5, s.first, tag))
			s.rests(3, "", "queued sending sent", "1@0 accepted queued")
			s.rests(4, "", "queued sending sent", "1@0 accepted queued")
			s.rests(5, ledger.ReasonInstruction, "dropped", "")
			s.got(s.customer, words, "or later, "+secret)
			s.got(s.third)
			s.toldOnce(s.first, "Sent to "+tag+": ")
		}},
		{"a phone is asked, and writes something else: the words that were held end", func(s *stage) {
			s.askedAbout()
			s.hears(s.writes(4, s.first, s.tagOf(s.third)+" No, "+secret))
			s.rests(3, ledger.ReasonUnaddressed, "queued dropped", "")
			s.rests(4, "", "queued sending sent", "1@0 accepted queued")
			s.got(s.third, "No, "+secret)
			s.got(s.customer)
			s.toldOnce(s.first, "Not sent: ")
		}},
		{"a phone is asked, and says nothing: the words that were held end", func(s *stage) {
			s.askedAbout()
			s.holdEnds(3)
			s.until(s.quiet)
			s.rests(3, ledger.ReasonUnaddressed, "queued dropped", "")
			s.got(s.customer)
			s.got(s.third)
			s.toldOnce(s.first, "Not sent: ")
		}},
	}
}

// forNobody are the stories of texts of phones that go to no customer.
func forNobody() []story {
	ends := func(name string, reason ledger.Reason, body, told string) story {
		return story{name, func(s *stage) {
			tag := s.meets(s.customer)
			s.ended(s.writes(2, s.first, strings.NewReplacer("TAG", tag, "NUMBER", string(s.customer)).Replace(body)))
			s.rests(2, reason, "dropped", "")
			s.got(s.customer)
			if told != "" {
				s.toldOnce(s.first, strings.ReplaceAll(told, "TAG", tag))
			} else {
				s.posted(s.first)
			}
			s.left(0, 0)
		}}
	}
	return []story{
		ends("dropped: a phone sends a tag alone", ledger.ReasonInstruction, "TAG", "TAG is +1"),
		ends("dropped: a phone writes by itself", ledger.ReasonAutoReply, "I am driving, "+secret, "Not sent: "),
		ends("dropped: a phone copies a header of another customer", ledger.ReasonUnaddressed, "From +18585550119: "+secret, "Not sent: "),
		ends("dropped: a phone reacts", ledger.ReasonReaction, "Liked “TAG NUMBER: The "+secret+", please (1)”", ""),
		{"dropped: a phone of a number that is switched off", func(s *stage) {
			s.reroute(switchOff)
			s.ended(s.writes(1, s.first, words))
			s.rests(1, ledger.ReasonInactive, "dropped", "")
			s.toldOnce(s.first, "Not sent: ")
		}},
		{"a phone that left the route answers, with a tag and without", func(s *stage) {
			tag := s.meets(s.customer)
			s.reroute(func(r *route.Route) { r.DestinationCarrier, r.FallbackCarriers = s.second, nil })
			s.ended(s.writes(2, s.first, words))
			s.rests(2, ledger.ReasonNotStaff, "dropped", "")
			s.toldOnce(s.first, "Not sent: ")
			s.ended(s.writes(3, s.first, tag+" "+words))
			s.rests(3, "", "queued sending sent", "1@0 accepted queued")
			s.got(s.customer, words)
		}},
	}
}

// writes is the nth text, from a phone.
func (s *stage) writes(n int, phone sms.PhoneNumber, body string) queue.Envelope {
	e := s.text(n)
	e.Message.From, e.Message.Body = phone, body
	return e
}

// meets lets a customer write the first text, or the next, and returns the customer's tag. It is one that no other story uses.
func (s *stage) meets(customer sms.PhoneNumber) string {
	s.t.Helper()
	n := 1
	for s.record(n).Version > 0 {
		n++
	}
	s.tag(customer, n)
	e := s.text(n)
	e.Message.From = customer
	s.ended(e)
	return s.tagOf(customer)
}

// tag gives a customer the nth tag of the story: so many stories at once would take the same.
func (s *stage) tag(customer sms.PhoneNumber, n int) {
	s.t.Helper()
	all := slices.Collect(conversation.Tags(3))
	c, err := s.conversations.Get(s.t.Context(), s.number, customer)
	s.must(err)
	wanted, use := c.Take(conversation.TagUse{Tag: all[s.serial+n]}, s.now())
	_, err = auditlog.PutTag(s.t.Context(), s.conversations, c, wanted, use, s.now())
	s.must(err)
}

func (s *stage) tagOf(customer sms.PhoneNumber) string {
	s.t.Helper()
	c, err := s.conversations.Get(s.t.Context(), s.number, customer)
	s.must(err)
	return string(c.Tag)
}

// askedAbout has a phone that two customers wrote to write the words as the third text, with pictures or without, and be asked.
func (s *stage) askedAbout(pictures ...string) {
	s.t.Helper()
	first := s.meets(s.customer)
	s.idle()
	second := s.meets(s.third)
	s.passes(21 * time.Second)
	s.hears(withPictures(s.writes(3, s.first, words), pictures...))
	if r := s.record(3); !r.IsHeld() || r.Answer.Verdict != ledger.AnswerHeld {
		s.t.Fatalf("text 3 is %+v, want it held", r)
	}
	s.toldOnce(s.first, `"Yes, the gate-code-4711" is for? `+second+" (…0144) or "+first+" (…0111)?")
}

// hears puts one text on the queue and waits until it has come to rest. The timers of held words go off much later.
func (s *stage) hears(e queue.Envelope) {
	s.t.Helper()
	s.put(e)
	s.until(s.quiet)
}

// quiet reports whether no text is on the queue, and none is due.
func (s *stage) quiet() bool {
	return s.depth(s.texts) == 0 && s.pump(s.timers, 0) == 0 && s.depth(s.texts) == 0
}

// passes lets so much time go by.
func (s *stage) passes(d time.Duration) {
	for end := s.now().Add(d); s.now().Before(end); {
		s.pump(s.texts, s.wait)
		s.idle()
	}
}

// holdEnds is when the time is over for which the nth text is held: its timer goes off.
func (s *stage) holdEnds(n int) {
	s.t.Helper()
	r := s.record(n)
	before := r
	r.NotBefore = ledger.Stamp(s.now())
	_, err := auditlog.Put(s.t.Context(), s.records, before, r)
	s.must(err)
	out, err := queue.Envelope{
		Version: queue.Version, Kind: queue.KindTimer, RelayID: r.MessageSid, ReceivedAt: s.now(),
		Timer: &queue.Timer{Attempt: r.Upcoming(), Due: s.now()},
	}.Outgoing()
	s.must(err)
	s.must(s.timers.Send(s.t.Context(), out))
}

// texted notes that so many texts have just gone back and forth between a phone and a customer.
func (s *stage) texted(phone, customer sms.PhoneNumber, texts int) {
	s.t.Helper()
	p, err := s.conversations.GetPhone(s.t.Context(), conversation.PhoneKey{TwilioNumber: s.number, Phone: phone})
	s.must(err)
	for i, e := range p.Exchanges {
		if sms.Same(e.Customer, customer) {
			p.Exchanges[i].Texts.Until = s.now().Add(time.Duration(texts) * 3 * time.Minute).UTC()
		}
	}
	_, err = s.conversations.PutPhone(s.t.Context(), p)
	s.must(err)
}

// got holds what was sent to a customer or a phone, without what the relay itself told it, against what must be.
func (s *stage) got(who sms.PhoneNumber, want ...string) {
	s.t.Helper()
	var got []string
	for _, p := range s.twilio.Posts() {
		if p.To == who && !strings.HasPrefix(p.Ref.RelayID, "NT") {
			got = append(got, p.Body)
		}
		if p.From != s.number && p.To != s.first {
			s.t.Errorf("POST from %s, want the number that the customer texted", p.From)
		}
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("%s got %q, want %q", who, got, want)
	}
}

// toldOnce wants the relay to have told a phone what begins so, and once.
func (s *stage) toldOnce(phone sms.PhoneNumber, beginning string) {
	s.t.Helper()
	var all []string
	told := 0
	for _, p := range s.twilio.Posts() {
		if p.To == phone && strings.HasPrefix(p.Ref.RelayID, "NT") {
			all = append(all, p.Body)
			if strings.HasPrefix(p.Body, beginning) {
				told++
			}
		}
	}
	if told != 1 {
		s.t.Errorf("the phone was told %q, want %q once", all, beginning)
	}
}
