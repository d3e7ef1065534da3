package delivery_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// other is another customer.
const other sms.PhoneNumber = "+18585550112"

// The tags that are given out first.
const (
	firstTag  = "A05"
	secondTag = "A18"
)

// hears brings the nth text in, from a phone, and works on it as far as it goes now.
func (s *sender) hears(n int, from sms.PhoneNumber, body string) {
	s.t.Helper()
	s.queueUp(textOf(n, func(e *queue.Envelope) {
		e.Message.From, e.Message.Body, e.ReceivedAt = from, body, s.clock.Now()
	}))
	s.settle()
}

// settle works until nothing is left that can be done now.
func (s *sender) settle() {
	s.t.Helper()
	for range 100 {
		if _, received := s.pump(); received == 0 {
			return
		}
	}
	s.t.Fatal("the queues do not come to rest")
}

// sent are the messages since the last call: to whom, and the words.
func (s *sender) sent() []string {
	var all []string
	for _, p := range s.twilio.Posts()[s.seen:] {
		if p.From != relaytest.TwilioNumber {
			s.t.Errorf("message from %s, want the number that the customer texted", p.From)
		}
		all = append(all, string(p.To)+" "+p.Body)
	}
	s.seen = len(s.twilio.Posts())
	return all
}

// checkSent holds the messages since the last call against those wanted. The order counts among those to one phone.
func (s *sender) checkSent(want ...string) {
	s.t.Helper()
	got := s.sent()
	for _, messages := range [][]string{want, got} {
		slices.SortStableFunc(messages, func(a, b string) int { return strings.Compare(a[:len(toPhone)], b[:len(toPhone)]) })
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("messages (-want +got):\n%s", diff)
	}
}

const (
	toPhone    = string(relaytest.Destination) + " "
	toCustomer = string(relaytest.Customer) + " "
	toOther    = string(other) + " "
)

// A customer writes, the phone on duty answers, and the customer gets the words and nothing else.
func TestPhoneAnswers(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.checkSent(toPhone + firstTag + " " + string(relaytest.Customer) + ": Is the gate open?")
	s.clock.Advance(time.Minute)
	s.hears(2, relaytest.Destination, "Yes")
	s.checkSent(toCustomer + "Yes")
	r := s.record(2)
	if r.State != ledger.Sent || r.Customer != relaytest.Customer || r.Answer.Phone != relaytest.Destination || r.Answer.Tag != firstTag {
		t.Errorf("record of the answer: %+v", r)
	}
	s.clock.Advance(time.Minute)
	s.hears(3, relaytest.Customer, "Thanks")
	s.checkSent(toPhone + firstTag + ": Thanks")
	s.clock.Advance(13 * time.Hour)
	s.hears(4, relaytest.Customer, "Hello again")
	s.checkSent(toPhone + firstTag + " " + string(relaytest.Customer) + ": Hello again")
	s.checkSealed()
	if s.waiting() != 0 {
		t.Errorf("%d messages are left", s.waiting())
	}
}

// Two customers are in play: the phone is asked, and the tag alone sends what was held.
func TestPhoneIsAsked(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "First here")
	s.clock.Advance(time.Minute)
	s.hears(2, other, "Second here")
	s.clock.Advance(time.Minute)
	s.sent()
	s.hears(3, relaytest.Destination, "Yes at 3")
	s.checkSent(toPhone + `"Yes at 3" is for? ` + secondTag + " (…0112) or " + firstTag + " (…0111)? " +
		"Start with " + secondTag + " and I won't ask.")
	s.checkState(3, ledger.Queued, ledger.ReasonHeld)
	s.clock.Advance(20 * time.Second)
	s.hears(4, relaytest.Destination, "or at 4")
	s.checkSent()
	s.clock.Advance(20 * time.Second)
	s.hears(5, relaytest.Destination, strings.ToLower(firstTag))
	s.checkSent(
		toCustomer+"Yes at 3", toCustomer+"or at 4",
		toPhone+"Sent to "+firstTag+": "+string(relaytest.Customer)+", last text 2 min ago.",
	)
	s.checkState(5, ledger.Dropped, ledger.ReasonInstruction)
	s.clock.Advance(10 * time.Second)
	s.hears(6, relaytest.Destination, "#"+secondTag+" - Coming")
	s.checkSent(toOther + "Coming")
	s.clock.Advance(2 * time.Hour)
	s.settle()
	s.checkSent()
	if s.waiting() != 0 {
		t.Errorf("%d messages are left", s.waiting())
	}
}

// Held words that nobody claims end after an hour, and the phone is told once.
func TestHeldWordsEnd(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "First here")
	s.hears(2, other, "Second here")
	s.clock.Advance(time.Minute)
	s.hears(3, relaytest.Destination, "Yes at 3")
	s.clock.Advance(10 * time.Second)
	s.hears(4, relaytest.Destination, "or at 4")
	s.sent()
	s.drain()
	s.checkSent(toPhone + `Not sent: "Yes at 3".`)
	s.checkState(3, ledger.Dropped, ledger.ReasonUnaddressed)
	s.checkState(4, ledger.Dropped, ledger.ReasonUnaddressed)
	s.hears(5, relaytest.Destination, firstTag)
	if got := s.sent(); len(got) != 1 || !strings.HasPrefix(got[0], toPhone+firstTag+" is ") {
		t.Errorf("messages %q, want only whose tag it is", got)
	}
}

// What is decided about texts of phones without a customer in doubt.
func TestTextsOfPhones(t *testing.T) {
	for name, tt := range map[string]struct {
		body   string
		state  ledger.State
		reason ledger.Reason
		sent   []string
	}{
		"a reaction":                      {"Liked “" + firstTag + " +18585550111: First here”", ledger.Dropped, ledger.ReasonReaction, nil},
		"a reaction to a notice":          {"Loved “Not sent: \"3 pm\". This…”", ledger.Dropped, ledger.ReasonReaction, nil},
		"a reaction to what is long gone": {"Liked “" + secondTag + ": Is it open?”", ledger.Dropped, ledger.ReasonReaction, nil},
		"a reaction to an image":          {"Liked an image", ledger.Dropped, ledger.ReasonReaction, nil},
		"words like a reaction":           {"Loved “Dune” and more", ledger.Sent, "", []string{toCustomer + "Loved “Dune” and more"}},
		"START of one who is in":          {"START", ledger.Sent, "", []string{toCustomer + "START"}},
		"HELP":                            {"help", ledger.Sent, "", []string{toCustomer + "help"}},
		"a tag": {
			firstTag, ledger.Dropped, ledger.ReasonInstruction,
			[]string{toPhone + firstTag + " is +18585550111, last text 1 min ago."},
		},
		"the header and words": {firstTag + " +18585550111: Yes", ledger.Sent, "", []string{toCustomer + "Yes"}},
		"another customer's header": {
			"From +18585550119: Yes", ledger.Dropped, ledger.ReasonUnaddressed,
			[]string{toPhone + `Not sent: "From +18585550119: Yes". It begins like a text of the relay.`},
		},
		"a notice of ours": {
			`Not sent: "Yes".`, ledger.Dropped, ledger.ReasonUnaddressed,
			[]string{toPhone + `Not sent: "Not sent: "Yes".". It begins like a text of the relay.`},
		},
		"an unknown tag": {
			secondTag + " at three", ledger.Queued, ledger.ReasonHeld,
			[]string{toPhone + `"at three" is for? ` + firstTag + " (…0111)? Start with " + firstTag + " and I won't ask."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.hears(1, relaytest.Customer, "First here")
			s.clock.Advance(time.Minute)
			s.sent()
			s.hears(2, relaytest.Destination, tt.body)
			s.checkSent(tt.sent...)
			s.checkState(2, tt.state, tt.reason)
		})
	}
}

// STOP of a phone is told to the others, and the phone gets nothing any more.
func TestPhoneStops(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Destination, "STOP")
	s.checkSent(string(relaytest.Fallback) + " The phone +18585550122 texted STOP and gets no texts of this number any more. " +
		"It gets them again after it texts START.")
	s.checkState(1, ledger.Dropped, ledger.ReasonOptOut)
	s.hears(2, relaytest.Customer, "Hello?")
	s.checkSent(string(relaytest.Fallback) + " " + firstTag + " +18585550111: Hello?")
	s.hears(3, relaytest.Destination, "START")
	s.checkState(3, ledger.Dropped, ledger.ReasonKeyword)
	s.checkSent()
}

// A text within seconds of the one before was not written by a person.
func TestAutomaticReply(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "First here")
	s.sent()
	s.clock.Advance(3 * time.Second)
	s.hears(2, relaytest.Destination, "I am driving and will see your message later")
	s.checkSent(toPhone + `Not sent: "I am driving and will s…". It looks like an automatic reply; with a tag it is sent.`)
	s.checkState(2, ledger.Dropped, ledger.ReasonAutoReply)
	s.clock.Advance(time.Hour)
	s.hears(3, relaytest.Destination, "I am driving and will see your message later")
	s.checkSent()
	s.checkState(3, ledger.Dropped, ledger.ReasonAutoReply)
	s.clock.Advance(time.Hour)
	s.hears(4, relaytest.Destination, firstTag+" I am driving and will see your message later")
	s.checkSent(toCustomer + "I am driving and will see your message later")
}

// A phone whose number is switched off is told that nothing is sent.
func TestPhoneOfANumberThatIsOff(t *testing.T) {
	s := newSender(t)
	s.queueUp(textOf(1, func(e *queue.Envelope) { e.Message.From, e.Message.To, e.Message.Body = idlePhone, idleNumber, "Yes" }))
	s.settle()
	s.checkState(1, ledger.Dropped, ledger.ReasonInactive)
	const told = `Not sent: "Yes". This number is switched off.`
	if posts := s.twilio.Posts(); len(posts) != 1 || posts[0].To != idlePhone || posts[0].Body != told {
		t.Errorf("posts %+v", posts)
	}
}

// A phone that left the route can answer what it was sent, with tags only.
func TestPhoneThatLeft(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "First here")
	s.reroute(func(r *route.Route) { r.DestinationCarrier, r.FallbackCarriers = relaytest.Fallback, nil })
	s.clock.Advance(time.Minute)
	s.sent()
	s.hears(2, relaytest.Destination, "Yes")
	s.checkState(2, ledger.Dropped, ledger.ReasonNotStaff)
	if got := s.sent(); len(got) != 1 || !strings.HasPrefix(got[0], toPhone+`Not sent: "Yes". This phone is not on duty`) {
		t.Errorf("messages %q", got)
	}
	s.hears(3, relaytest.Destination, firstTag+" Yes")
	s.checkSent(toCustomer + "Yes")
	s.clock.Advance(8 * 24 * time.Hour)
	s.hears(4, relaytest.Destination, "Hello, I need a dumpster")
	s.checkSent(string(relaytest.Fallback) + " " + secondTag + " +18585550122: Hello, I need a dumpster")
}

// A text that does not fit into one message goes in two, the second after the first was taken.
func TestLongText(t *testing.T) {
	s := newSender(t)
	words := strings.Repeat("We have nine words here that go on and on. ", 38)[:1599]
	s.hears(1, relaytest.Customer, words)
	got := s.sent()
	if len(got) != 2 || !strings.HasPrefix(got[0], toPhone+firstTag+": We have") || !strings.HasSuffix(got[0], " (1/2)") ||
		!strings.HasPrefix(got[1], toPhone+firstTag+": ") || !strings.HasSuffix(got[1], " (2/2)") {
		t.Fatalf("messages %q", got)
	}
	first := strings.TrimSuffix(strings.TrimPrefix(got[0], toPhone+firstTag+": "), " (1/2)")
	second := strings.TrimSuffix(strings.TrimPrefix(got[1], toPhone+firstTag+": "), " (2/2)")
	if first+" "+second != words {
		t.Errorf("the parts are %q and %q", first, second)
	}
	r, err := s.ledger.Get(t.Context(), relaytest.MessageSid(1)+"/p2")
	if err != nil || r.State != ledger.Sent || !r.SecondPart {
		t.Errorf("second part %+v, error %v", r, err)
	}
	s.hears(1, relaytest.Customer, words)
	s.checkSent()
	s.checkSealed()
}

// An answer that the front door missed is decided about by when Twilio got it, and by what was sent since: the person had not read that.
func TestAnswerThatWasMissed(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "First here")
	s.clock.Advance(time.Minute)
	missed := s.clock.Now()
	s.clock.Advance(time.Hour)
	s.hears(2, other, "Second here")
	s.clock.Advance(time.Minute)
	s.sent()
	s.queueUp(textOf(3, func(e *queue.Envelope) {
		e.Message.From, e.Message.Body, e.ReceivedAt, e.WrittenAt = relaytest.Destination, "Yes", s.clock.Now(), missed
	}))
	s.settle()
	s.checkState(3, ledger.Queued, ledger.ReasonHeld)
	if got := s.sent(); len(got) != 1 || !strings.HasPrefix(got[0], toPhone+`"Yes" is for? `) {
		t.Errorf("messages %q, want a question", got)
	}
	s.queueUp(textOf(4, func(e *queue.Envelope) {
		e.Message.From, e.Message.Body, e.ReceivedAt, e.WrittenAt = relaytest.Destination, firstTag+" Yes", s.clock.Now(), missed.Add(time.Second)
	}))
	s.settle()
	if got := s.sent(); !slices.Contains(got, toCustomer+"Yes") {
		t.Errorf("messages %q, want the answer", got)
	}
	if r := s.record(4); !r.Answer.At.Equal(missed.Add(time.Second)) {
		t.Errorf("the answer was written at %v", r.Answer.At)
	}
}

// A customer's reaction is passed on in a few words; one that names nothing is only recorded.
func TestCustomerReacts(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "Liked “We come at three today, with the big truck, if the gate is open”")
	s.checkSent(toPhone + header + "reacted 👍 to “We come at three today, with the big tr…”")
	s.hears(2, relaytest.Customer, "Removed a heart from “Hi”")
	s.checkSent(toPhone + firstTag + ": took back ❤️ from “Hi”")
	s.hears(3, relaytest.Customer, "Loved an image")
	s.checkSent()
	s.checkState(3, ledger.Dropped, ledger.ReasonReaction)
	s.hears(4, relaytest.Customer, "Loved “Dune” and more")
	s.checkSent(toPhone + firstTag + ": Loved “Dune” and more")
}

// An operator's text went to a phone that left the route at that moment. The phone's answer is not taken for a customer's text.
func TestOperatorsTextToAPhoneThatLeaves(t *testing.T) {
	s := newSender(t)
	lookups := 0
	s.faults.hook = func(op string) error {
		if op == "routes before Lookup" {
			if lookups++; lookups == 2 {
				s.faults.hook = nil
				s.reroute(func(r *route.Route) { r.DestinationCarrier, r.FallbackCarriers = relaytest.Fallback, nil })
			}
		}
		return nil
	}
	s.queueUp(textOf(1, func(e *queue.Envelope) { e.Kind, e.Message.From, e.Message.Body = queue.KindManual, "", "Please call" }))
	s.settle()
	s.checkSent(toPhone + "Please call")
	s.clock.Advance(time.Minute)
	s.hears(2, relaytest.Destination, "Yes")
	s.checkState(2, ledger.Dropped, ledger.ReasonNotStaff)
}
