package states_test

import (
	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// faults are the stories in which the ledger writes, and its answer is lost.
func faults() []story {
	return []story{
		{"ledger's answer to the claim is lost", func(s *stage) {
			s.ledger.after = &hook{to: ledger.Sending, do: unanswered}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.posted(s.first)
		}},
		{"ledger's answer to the acceptance is lost", func(s *stage) {
			s.ledger.after = &hook{to: ledger.Sent, do: unanswered}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.posted(s.first)
		}},
		{"ledger's answer to the refusal is lost", func(s *stage) {
			s.twilio.script = []answer{refused(fault.Unreachable, 21614)}
			s.ledger.after = &hook{to: ledger.Queued, do: unanswered}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending queued sending sent", "1@0 unreachable done, 2@1 accepted queued")
			s.posted(s.first, s.second)
		}},
		{"ledger's answer to the drop is lost", func(s *stage) {
			s.reroute(switchOff)
			s.ledger.after = &hook{to: ledger.Dropped, do: unanswered}
			s.queued(1)
			s.settled()
			s.rests(1, ledger.ReasonInactive, "dropped", "")
			s.posted()
		}},
	}
}

// races are the stories in which something happens between two steps of a sender.
func races() []story {
	return []story{
		{"two senders have the same text", func(s *stage) {
			e := s.text(1)
			s.ledger.before = &hook{to: ledger.Sending, do: func() error { s.elsewhere(e); return nil }}
			s.put(e)
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"receipt between the decision to resend and its claim", func(s *stage) {
			s.reroute(resend)
			s.twilio.script = []answer{unheard(true, never)}
			s.ledger.before = &hook{to: ledger.Sending, attempts: 2, do: func() error {
				s.tell(1, sms.StatusSent, 0)
				s.meanwhile()
				return nil
			}}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending queued sent", "1@0 accepted sent")
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"receipt between Fetch and the end of the delivery timeout", func(s *stage) {
			s.reroute(impatient)
			s.twilio.fetched = func() {
				s.tell(1, sms.StatusDelivered, 0)
				s.meanwhile()
			}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent delivered", "1@0 accepted delivered")
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"receipt between the dead letter and its record", func(s *stage) {
			s.twilio.script = []answer{lying(), busy(), busy()}
			s.ledger.before = &hook{to: ledger.Dead, do: func() error {
				s.tell(1, sms.StatusDelivered, 0)
				s.meanwhile()
				return nil
			}}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending queued sending queued sending queued delivered", "1@0 accepted delivered, 2@0 transient, 3@0 transient")
			s.posted(s.first, s.first, s.first)
			// The letter is about a text that needs no redrive: the ledger says so.
			s.left(0, 1)
		}},
	}
}

// elsewhere lets another process have the text, too: its visibility timeout was over.
func (s *stage) elsewhere(e queue.Envelope) {
	at := s.process
	s.start()
	body, err := queue.Encode(e)
	s.must(err)
	_, err = s.process.Handle(s.t.Context(), events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: "elsewhere", ReceiptHandle: "elsewhere", Body: body,
		Attributes: map[string]string{"MessageGroupId": e.Group(), "ApproximateReceiveCount": "1"},
	}}})
	s.must(err)
	s.process = at
}
