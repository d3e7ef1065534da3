package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// course is what may become of a text: what is set up for it, and what Twilio answers to its POSTs.
type course struct {
	setUp   func(s *sender)
	answers []error
	// receipt, if it has a status, comes after the first POST.
	receipt sms.Receipt
	// timesOut says that the next hop is due some time after a POST.
	timesOut bool
	edit     func(e *queue.Envelope)
}

func courses() map[string]course {
	trouble := refusal(fault.Transient, 0)
	return map[string]course{
		"sent":      {},
		"dropped":   {edit: func(e *queue.Envelope) { e.Message.To = idleNumber }},
		"a STOP":    {edit: func(e *queue.Envelope) { e.Message.From, e.Message.Body = first, "STOP" }},
		"an answer": {setUp: sentTo(relaytest.Customer), edit: phoneSays("Yes")},
		"asked":     {setUp: sentTo(relaytest.Customer, other), edit: phoneSays("Yes")},
		"told":      {setUp: sentTo(relaytest.Customer), edit: phoneSays(firstTag)},
		"answer lost": {
			setUp: sentTo(relaytest.Customer), edit: phoneSays("Yes"), answers: []error{nil, refusal(fault.Permanent, 21614)},
		},
		"in two parts":          {edit: func(e *queue.Envelope) { e.Message.Body = strings.Repeat("A long text. ", 123) }},
		"in a thread":           {setUp: thread()},
		"an answer in a thread": {setUp: thread(relaytest.Customer), edit: phoneWrites(firstThread, "Yes")},
		"by a tag in a thread": {
			setUp: thread(relaytest.Customer, other), edit: phoneWrites(firstThread, secondTag+" Yes"),
		},
		"asked in a thread": {setUp: func(s *sender) {
			thread(relaytest.Customer)(s)
			s.clock.Advance(25 * time.Hour)
			s.hears(5, other, "Are you there?")
			s.clock.Advance(time.Minute)
		}, edit: phoneWrites(firstThread, "Yes")},
		"timed out":    {setUp: func(s *sender) { s.reroute(timeout(time.Minute)) }, timesOut: true},
		"found":        {answers: []error{lostAnswer()}},
		"gone":         {answers: []error{lostPost()}},
		"sent again":   {setUp: func(s *sender) { s.reroute(resend) }, answers: []error{lostPost()}},
		"refused":      {answers: []error{refusal(fault.Permanent, 21617)}},
		"next hop":     {answers: []error{refusal(fault.Unreachable, 21614)}},
		"opted out":    {answers: []error{refusal(fault.OptedOut, 21610)}},
		"retried":      {answers: []error{trouble, refusal(fault.Throttled, 20429)}},
		"halted":       {answers: []error{refusal(fault.Fatal, 20003)}},
		"dead":         {answers: []error{trouble, trouble, trouble}},
		"dead, hop 1":  {answers: []error{refusal(fault.Unreachable, 21614), trouble, trouble, trouble}},
		"delivered":    {receipt: sms.Receipt{Status: sms.StatusDelivered}},
		"undelivered":  {receipt: sms.Receipt{Status: sms.StatusUndelivered, ErrorCode: 30003}},
		"lost, opted":  {receipt: sms.Receipt{Status: sms.StatusFailed, ErrorCode: 21610}},
		"overflowed":   {receipt: sms.Receipt{Status: sms.StatusFailed, ErrorCode: 30001}},
		"died, hop 1":  {receipt: sms.Receipt{Status: sms.StatusUndelivered, ErrorCode: 30003}, answers: []error{nil, trouble, trouble, trouble}},
		"found, hop 1": {receipt: sms.Receipt{Status: sms.StatusUndelivered, ErrorCode: 30003}, answers: []error{nil, lostAnswer()}},
		"paced": {setUp: func(s *sender) {
			s.PacePair = pairOf
			r := pace.Request{Number: "+18585550100", To: first, Segments: 1, Limits: pace.Limits{Pair: pairOf}}
			s.pace.Fault = nil
			if _, err := s.pace.Reserve(context.Background(), r, started); err != nil {
				s.t.Fatal(err)
			}
			s.pace.Fault = s.faults.of("pace")
		}},
	}
}

// thread has one thread, and has sent texts of customers to the phone: of the first one from there.
func thread(customers ...sms.PhoneNumber) func(s *sender) {
	return func(s *sender) {
		s.reroute(func(r *route.Route) { r.Threads = []sms.PhoneNumber{firstThread} })
		sentTo(customers...)(s)
	}
}

// phoneWrites is an edit that makes the text one of the phone's to a number of the business.
func phoneWrites(to sms.PhoneNumber, body string) func(e *queue.Envelope) {
	return func(e *queue.Envelope) {
		phoneSays(body)(e)
		e.Message.To = to
	}
}

// sentTo has sent texts of customers to the phone.
func sentTo(customers ...sms.PhoneNumber) func(s *sender) {
	return func(s *sender) {
		for i, customer := range customers {
			s.hears(2+i, customer, "Are you there?")
		}
		s.clock.Advance(time.Minute)
	}
}

// phoneSays makes a text one of the first phone.
func phoneSays(body string) func(e *queue.Envelope) {
	return func(e *queue.Envelope) {
		e.Message.From, e.Message.Body, e.ReceivedAt = first, body, started.Add(time.Minute)
	}
}

// run takes text 1 along its course, while a call fails, and says what came of it.
func (c course) run(t *testing.T, failing func(s *sender) func(op string) error) (s *sender, result string) {
	t.Helper()
	s = newSender(t)
	// One at a time: the calls are counted, and the nth is to be the same each time.
	s.Concurrency = 1
	if c.setUp != nil {
		c.setUp(s)
	}
	s.twilio.answer = answers(c.answers...)
	s.faults.hook = failing(s)
	s.queueUp(textOf(1, c.edit))
	if c.receipt.Status != "" {
		s.drain()
		if posts := s.twilio.Posts(); len(posts) > 0 && posts[0].Message.Sid != "" {
			s.tell(1, c.receipt.Status, c.receipt.ErrorCode)
		}
	}
	s.drain()
	var phones []sms.PhoneNumber
	for _, p := range s.twilio.Posts() {
		phones = append(phones, p.To)
	}
	r := s.record(1)
	s.faults.hook = nil
	var marked []sms.PhoneNumber
	s.reroute(func(r *route.Route) { marked = r.OptedOut })
	return s, fmt.Sprint(r.State, " ", r.Reason, " ", outcomes(r), " ", join(phones), " ", len(s.dead.Messages()), " ", join(marked))
}

func join(phones []sms.PhoneNumber) string {
	var all []string
	for _, p := range phones {
		all = append(all, string(p))
	}
	return strings.Join(all, ",")
}

// operations are the calls that a sender makes of what it depends on, and when they fail: before they have an effect, or
// after it.
func operations() []string {
	var all []string
	for _, op := range []string{
		"ledger Create", "ledger Update", "ledger Get", "ledger List", "routes Lookup", "routes Put", "pace Reserve",
		"conversations Read", "conversations GetPhone", "conversations PutPhone", "conversations PutTag", "conversations TagUses",
		"queue Send", "timers Send", "timers ChangeVisibility", "queue ChangeVisibility", "dead Send",
	} {
		whose, what, _ := strings.Cut(op, " ")
		all = append(all, whose+" before "+what, whose+" after "+what)
	}
	return append(all, "twilio before List", "twilio before Fetch")
}

// Whichever call fails, twice in a row, in whatever way and at whatever point of a text's course: it ends as it would have
// ended. Only the mark of a hop that Twilio refused may be missing.
func TestAnyDependencyFails(t *testing.T) {
	kinds := []fault.Kind{fault.Transient, fault.Throttled, fault.Permanent, fault.Unreachable, fault.Fatal, fault.Unknown}
	for name, c := range courses() {
		t.Run(name, func(t *testing.T) {
			calls := map[string]int{}
			_, want := c.run(t, func(s *sender) func(string) error {
				return func(op string) error {
					if s.busy {
						calls[op]++
					}
					return nil
				}
			})
			for _, op := range operations() {
				for _, kind := range kinds {
					if after := strings.Contains(op, " after "); after && kind != fault.Unknown || !after && kind == fault.Unknown &&
						strings.HasPrefix(op, "twilio") {
						continue // What has had its effect is unknown and nothing else; reading leaves no doubt.
					}
					for nth := 1; nth <= calls[op]; nth++ {
						s, got := c.run(t, func(s *sender) func(string) error { return failing(s, op, kind, nth) })
						checkChanges(t, s.ledger.Changes())
						if unmarked(got) != unmarked(want) {
							t.Errorf("%s fails, %s, from call %d of %d on:\n%s, want\n%s", op, kind, nth, calls[op], got, want)
						}
					}
				}
			}
		})
	}
}

func unmarked(result string) string { return result[:strings.LastIndex(result, " ")] }

// failing fails the nth call of the operation and the one after it.
func failing(s *sender, op string, kind fault.Kind, nth int) func(string) error {
	seen := 0
	return func(asked string) error {
		if asked != op || !s.busy {
			return nil
		}
		if seen++; seen == nth || seen == nth+1 {
			return broken(kind, 1)[0]
		}
		return nil
	}
}

// A sender dies at any of its calls, before it or after it: nothing that it does then has an effect, and its messages come
// back. The text ends in a true state, and no phone gets it twice.
func TestSenderDiesAnywhere(t *testing.T) {
	for name, c := range courses() {
		t.Run(name, func(t *testing.T) {
			calls := 0
			c.run(t, func(s *sender) func(string) error {
				return func(string) error {
					if s.busy {
						calls++
					}
					return nil
				}
			})
			for nth := 1; nth <= calls; nth++ {
				s, got := c.run(t, func(s *sender) func(string) error { return dying(s, nth) })
				checkChanges(t, s.ledger.Changes())
				if problem := c.wrong(s); problem != "" {
					t.Errorf("the sender dies at call %d of %d: %s\n%s", nth, calls, problem, got)
				}
			}
		})
	}
}

// dying lets the sender die at its nth call.
func dying(s *sender, nth int) func(string) error {
	seen := 0
	return func(string) error {
		if !s.busy {
			return nil
		}
		if seen++; seen == nth {
			s.died = true
		}
		if s.died {
			return broken(fault.Unknown, 1)[0]
		}
		return nil
	}
}

// wrong says what is wrong with how text 1 has ended, if anything is.
func (c course) wrong(s *sender) string {
	posts := slices.DeleteFunc(s.twilio.Posts(), func(p relaytest.TwilioPost) bool { return p.Ref.RelayID != relaytest.MessageSid(1) })
	taken, reached := false, false
	for i, p := range posts {
		told := i == 0 && c.receipt.Status.Lost()
		taken, reached = taken || p.Message.Sid != "", reached || (p.Message.Sid != "" && !told)
		for _, later := range posts[i+1:] {
			switch {
			case kindOf(p.Err) == fault.Permanent, p.To == later.To && (kindOf(p.Err) == fault.Unreachable || kindOf(p.Err) == fault.OptedOut):
				return "posted again after a refusal"
			case p.Message.Sid != "" && !told && (p.To == later.To || !c.timesOut || later.At.Sub(p.At) < 50*time.Second):
				return "posted again though Twilio has it"
			}
		}
	}
	r := s.record(1)
	if r.State == ledger.Dropped && r.Reason != ledger.ReasonExpired {
		if len(posts) > 0 {
			return "dropped and posted"
		}
		return ""
	}
	if problem := lie(r, taken, reached); problem != "" {
		return fmt.Sprintf("%q (%s), %s", r.State, r.Reason, problem)
	}
	if letters := len(s.dead.Messages()); (letters == 1) != (r.State == ledger.Dead) {
		return fmt.Sprintf("%q with %d dead letters", r.State, letters)
	}
	return ""
}
