package delivery_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// The further numbers of the route.
const (
	firstThread  sms.PhoneNumber = "+18585550181"
	secondThread sms.PhoneNumber = "+18585550182"
)

// threaded is a sender whose route has threads.
func threaded(t *testing.T, threads ...sms.PhoneNumber) *sender {
	t.Helper()
	s := newSender(t)
	s.reroute(func(r *route.Route) { r.Threads = threads })
	return s
}

// writes brings the nth text in, from a phone to a number of the business.
func (s *sender) writes(n int, from, to sms.PhoneNumber, body string) {
	s.t.Helper()
	s.queueUp(textOf(n, func(e *queue.Envelope) {
		e.Message.From, e.Message.To, e.Message.Body, e.ReceivedAt = from, to, body, s.clock.Now()
	}))
	s.settle()
}

// isOptedOut reports whether the route has a mark at the phone.
func (s *sender) isOptedOut(phone sms.PhoneNumber) bool {
	s.t.Helper()
	found, err := s.routes.Lookup(context.Background(), relaytest.TwilioNumber)
	if err != nil {
		s.t.Fatal(err)
	}
	return found[relaytest.TwilioNumber].IsOptedOut(phone)
}

// sentFrom are the messages since the last call: from which number, to whom, and the words.
func (s *sender) sentFrom() []string {
	var all []string
	for _, p := range s.twilio.Posts()[s.seen:] {
		all = append(all, string(p.From)+" "+string(p.To)+" "+p.Body)
	}
	s.seen = len(s.twilio.Posts())
	slices.Sort(all)
	return all
}

// checkFrom holds the messages since the last call against those wanted, in any order.
func (s *sender) checkFrom(want ...string) {
	s.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, s.sentFrom()); diff != "" {
		s.t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// itemAt is the key of what the phone was sent from a thread, or with none from the number itself.
func itemAt(thread sms.PhoneNumber) conversation.PhoneKey {
	return conversation.PhoneKey{TwilioNumber: relaytest.TwilioNumber, SendingNumber: thread, Phone: relaytest.Destination}
}

const (
	fromOwn    = string(relaytest.TwilioNumber) + " "
	fromFirst  = string(firstThread) + " "
	fromSecond = string(secondThread) + " "
)

// Each customer is a conversation of its own on the phone, and what the phone answers there goes to that customer without a question.
func TestThreads(t *testing.T) {
	s := threaded(t, firstThread, secondThread)
	s.hears(1, relaytest.Customer, "First here")
	s.clock.Advance(time.Minute)
	s.hears(2, other, "Second here")
	s.clock.Advance(time.Minute)
	third := sms.PhoneNumber("+18585550113")
	s.hears(3, third, "Third here")
	s.checkFrom(
		fromFirst+toPhone+"A05 "+string(relaytest.Customer)+": First here",
		fromSecond+toPhone+"A18 "+string(other)+": Second here",
		fromOwn+toPhone+"A21 "+string(third)+": Third here",
	)
	s.clock.Advance(time.Minute)
	s.writes(4, relaytest.Destination, firstThread, "Yes, one")
	s.writes(5, relaytest.Destination, secondThread, "Yes, two")
	s.writes(6, relaytest.Destination, relaytest.TwilioNumber, "Yes, three")
	s.checkFrom(fromOwn+toCustomer+"Yes, one", fromOwn+toOther+"Yes, two", fromOwn+string(third)+" Yes, three")
	s.clock.Advance(time.Hour)
	s.hears(7, other, "Thanks")
	s.checkFrom(fromSecond + toPhone + "A18: Thanks")
	// A tag addresses whomever the phone was sent, from any thread.
	s.clock.Advance(time.Minute)
	s.writes(8, relaytest.Destination, secondThread, "A21 look at the gate")
	s.checkFrom(fromOwn + string(third) + " look at the gate")
	own, err := s.conversations.GetPhone(t.Context(), itemAt(""))
	if err != nil || len(own.Exchanges) != 1 || !own.Exchanges[0].AnsweredAt.Equal(s.clock.Now()) {
		t.Errorf("the exchange at the main number is %+v, error %v", own.Exchanges, err)
	}
	// What follows at once may belong to that.
	s.clock.Advance(20 * time.Second)
	s.writes(9, relaytest.Destination, secondThread, "the left one")
	s.checkState(9, ledger.Queued, ledger.ReasonHeld)
	s.checkFrom(fromSecond + toPhone + `"the left one" is for? A18 (…0112)? Start with A18 and I won't ask.`)
	s.clock.Advance(20 * time.Second)
	s.writes(10, relaytest.Destination, secondThread, "A21")
	s.checkFrom(fromSecond + toPhone + `Not sent: "the left one". A21 is ` + string(third) + ", last text 1 h ago.")
	s.checkSealed()
	if r := s.record(4); r.TwilioNumber != relaytest.TwilioNumber || r.Thread != firstThread || r.Customer != relaytest.Customer {
		t.Errorf("record of an answer: %+v", r)
	}
}

// A thread that was idle for a day goes to the next customer, and for a day the phone is asked there.
func TestThreadIsReassigned(t *testing.T) {
	s := threaded(t, firstThread)
	s.hears(1, relaytest.Customer, "First here")
	s.clock.Advance(time.Minute)
	s.writes(2, relaytest.Destination, firstThread, "Yes")
	s.clock.Advance(25 * time.Hour)
	s.sentFrom()
	s.hears(3, other, "Second here")
	s.checkFrom(fromFirst + toPhone + "A18 " + string(other) + ": Second here")
	s.clock.Advance(time.Minute)
	s.writes(4, relaytest.Destination, firstThread, "On my way")
	s.checkState(4, ledger.Queued, ledger.ReasonHeld)
	s.checkFrom(fromFirst + toPhone + `"On my way" is for? A18 (…0112) or A05 (…0111)? Start with A18 and I won't ask.`)
	s.clock.Advance(20 * time.Second)
	s.writes(5, relaytest.Destination, firstThread, "A18")
	s.checkFrom(fromOwn+toOther+"On my way", fromFirst+toPhone+"Sent to A18: "+string(other)+", last text 1 min ago.")
	s.clock.Advance(24*time.Hour + time.Minute)
	s.writes(6, relaytest.Destination, firstThread, "Done")
	s.checkFrom(fromOwn + toOther + "Done")
}

// giveFirstThread gives the first thread to the other customer, as another sender would.
func (s *sender) giveFirstThread() {
	p, err := s.conversations.GetPhone(context.Background(), itemAt(firstThread))
	if err != nil {
		s.t.Error(err)
	}
	taken := p.Receive(conversation.Exchange{Customer: other, SentAt: s.clock.Now()}, "SMother")
	if _, err := s.conversations.PutPhone(context.Background(), taken); err != nil {
		s.t.Error(err)
	}
}

// Two customers' texts at the same time do not get the same thread.
func TestThreadIsTaken(t *testing.T) {
	s := threaded(t, firstThread)
	s.faults.hook = once(s, "conversations before PutTag", s.giveFirstThread)
	s.hears(1, relaytest.Customer, "First here")
	s.checkFrom(fromOwn + toPhone + "A05 " + string(relaytest.Customer) + ": First here")
}

// A message from a thread whose POST was not answered is looked for among those from the thread, and tried again from there.
func TestThreadInDoubt(t *testing.T) {
	s := threaded(t, firstThread)
	s.twilio.answer = func(n int, _ sms.Outbound) error {
		if n == 1 {
			return lostAnswer()
		}
		return nil
	}
	s.hears(1, relaytest.Customer, "First here")
	s.drain()
	s.checkState(1, ledger.Sent, "")
	s.checkPosts(1)
	if a, _ := s.record(1).Current(); a.From != firstThread || !a.Found {
		t.Errorf("attempt %+v", a)
	}
}

// A phone that left the route answers with tags, also in a thread, and what it writes to the main number is not a customer's text though
// it was never sent anything from there.
func TestPhoneThatLeftAThread(t *testing.T) {
	s := threaded(t, firstThread)
	s.hears(1, relaytest.Customer, "First here")
	s.reroute(func(r *route.Route) { r.DestinationCarrier, r.FallbackCarriers = relaytest.Fallback, nil })
	s.clock.Advance(time.Minute)
	s.sentFrom()
	s.writes(2, relaytest.Destination, firstThread, "A05 I am off, a colleague comes")
	s.checkFrom(fromOwn + toCustomer + "I am off, a colleague comes")
	s.writes(3, relaytest.Destination, relaytest.TwilioNumber, "Who has the key?")
	s.checkState(3, ledger.Dropped, ledger.ReasonNotStaff)
	s.writes(4, relaytest.Destination, relaytest.TwilioNumber, "A05 one more thing")
	s.checkState(4, ledger.Sent, "")
}

// A stranger's text to a thread is a text to the number: it goes to the phone on duty, and the answer comes from the number.
func TestStrangerWritesToAThread(t *testing.T) {
	s := threaded(t, firstThread)
	s.writes(1, relaytest.Customer, firstThread, "Is this the junk removal?")
	s.checkFrom(fromFirst + toPhone + "A05 " + string(relaytest.Customer) + ": Is this the junk removal?")
	s.clock.Advance(time.Minute)
	s.writes(2, relaytest.Destination, firstThread, "Yes it is")
	s.checkFrom(fromOwn + toCustomer + "Yes it is")
	s.writes(3, firstThread, relaytest.TwilioNumber, "An echo")
	s.checkState(3, ledger.Dropped, ledger.ReasonLoop)
}

// STOP to any number of the business is STOP to all of it.
func TestPhoneStopsAThread(t *testing.T) {
	s := threaded(t, firstThread)
	s.hears(1, relaytest.Customer, "First here")
	s.sentFrom()
	s.clock.Advance(time.Minute)
	s.writes(2, relaytest.Destination, firstThread, "STOP")
	if !s.isOptedOut(relaytest.Destination) {
		t.Error("the phone is not marked")
	}
	s.writes(3, relaytest.Destination, firstThread, "START")
	if s.isOptedOut(relaytest.Destination) {
		t.Error("the phone is still marked")
	}
}

// Both parts of a long text come from the same thread, and what tells the phone of a lost answer, too.
func TestThreadOfAll(t *testing.T) {
	s := threaded(t, firstThread)
	long := strings.Repeat("We have nine words here that go on and on. ", 45)[:1900]
	s.hears(1, relaytest.Customer, long)
	for _, p := range s.twilio.Posts() {
		if p.From != firstThread {
			t.Errorf("a part from %s", p.From)
		}
	}
	s.checkPosts(2)
	s.sentFrom()
	s.clock.Advance(time.Minute)
	s.twilio.answer = func(_ int, m sms.Outbound) error {
		if m.To == relaytest.Customer {
			return refusal(fault.Permanent, 21614)
		}
		return nil
	}
	s.writes(2, relaytest.Destination, firstThread, "Yes")
	s.checkFrom(fromOwn+toCustomer+"Yes", fromFirst+toPhone+"Not delivered to A05: it is a landline, or cannot get texts.")
}

// The customer whose thread it was does not get it back from the one who was given it in the same moment.
func TestThreadIsTakenFromItsOwner(t *testing.T) {
	s := threaded(t, firstThread)
	s.hears(1, relaytest.Customer, "First here")
	s.clock.Advance(25 * time.Hour)
	s.sentFrom()
	s.faults.hook = once(s, "conversations before PutPhone", s.giveFirstThread)
	s.hears(2, relaytest.Customer, "Me again")
	s.checkFrom(fromOwn + toPhone + "A05 " + string(relaytest.Customer) + ": Me again")
}

// A send time that was reserved for one number is not used by another.
func TestPaceOfAThread(t *testing.T) {
	s := threaded(t, firstThread)
	s.PaceNumber = pace.Limit{N: 1, Per: 10 * time.Second}
	s.hears(1, relaytest.Customer, "First here")
	s.hears(2, relaytest.Customer, "And there")
	s.checkState(2, ledger.Queued, ledger.ReasonPace)
	if slot := s.record(2).Slot; slot.From != firstThread {
		t.Fatalf("slot %+v", slot)
	}
	s.reroute(func(r *route.Route) { r.Threads = nil })
	s.clock.Advance(10 * time.Second)
	s.settle()
	s.checkState(2, ledger.Sent, "")
	if cmp.Equal(s.pace.State(relaytest.TwilioNumber), pace.State{}, cmpopts.EquateEmpty()) {
		t.Error("no send time was reserved for the number")
	}
}

// countedRoutes counts how often a routing table is asked.
type countedRoutes struct {
	route.Table
	lookups, lists int
}

func (c *countedRoutes) Lookup(ctx context.Context, numbers ...sms.PhoneNumber) (map[sms.PhoneNumber]route.Route, error) {
	c.lookups++
	return c.Table.Lookup(ctx, numbers...)
}

func (c *countedRoutes) List(ctx context.Context) ([]route.Route, error) {
	c.lists++
	return c.Table.List(ctx)
}

// A drop is decided from what the table says now; once is enough to ask it.
func TestNoRouteIsAskedForOnce(t *testing.T) {
	s := newSender(t)
	table := &countedRoutes{Table: s.routes}
	s.Now = func() time.Time {
		s.clock.Advance(time.Microsecond)
		return s.clock.Now()
	}
	s.Routes = route.NewCache(table, s.Now)
	const unrouted sms.PhoneNumber = "+18585550189"
	s.writes(1, relaytest.Customer, unrouted, "Hello")
	s.checkState(1, ledger.Dropped, ledger.ReasonNoRoute)
	if table.lookups != 1 || table.lists != 1 {
		t.Errorf("%d lookups and %d lists for the first text, want one of each", table.lookups, table.lists)
	}
	// What was remembered for a moment is not enough.
	s.clock.Advance(time.Second)
	s.writes(2, relaytest.Customer, unrouted, "Hello?")
	s.checkState(2, ledger.Dropped, ledger.ReasonNoRoute)
	if table.lookups != 2 || table.lists != 2 {
		t.Errorf("%d lookups and %d lists for two texts, want two of each", table.lookups, table.lists)
	}
}

// A route that cannot be read keeps only its own texts back.
func TestOneUnreadableRoute(t *testing.T) {
	s := threaded(t, firstThread)
	broken := relaytest.Route()
	broken.TwilioNumber, broken.Threads = "+18585550183", []sms.PhoneNumber{"+18585550184"}
	if _, err := s.routes.Put(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	s.routes.Spoil(t, broken, "Active")
	s.Routes = route.NewCache(s.routes, s.clock.Now)
	s.hears(1, relaytest.Customer, "First here")
	s.clock.Advance(time.Minute)
	s.writes(2, relaytest.Destination, firstThread, "Yes")
	s.writes(3, other, "+18585550189", "Who is there?")
	s.checkState(3, ledger.Dropped, ledger.ReasonNoRoute)
	s.checkFrom(fromFirst+toPhone+"A05 "+string(relaytest.Customer)+": First here", fromOwn+toCustomer+"Yes")
	for n, to := range map[int]sms.PhoneNumber{4: broken.TwilioNumber, 5: broken.Threads[0]} {
		s.writes(n, other, to, "Hello")
		if r, err := s.ledger.Get(t.Context(), relaytest.MessageSid(n)); err == nil {
			t.Errorf("a text to %s is %s %s, want that it waits", to, r.State, r.Reason)
		}
	}
}
