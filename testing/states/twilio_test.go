package states_test

import (
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// answer is what Twilio does about one POST. The zero value takes the message and says so.
type answer struct {
	relaytest.TwilioAnswer

	// lag is how many looks at the list do not show the message yet.
	lag int
}

// The answers there are.
func refused(kind fault.Kind, code int) answer {
	return answered(&fault.Error{Kind: kind, Code: code, HTTPStatus: 400, Err: errors.New("refused, as in the story")})
}

func answered(err error) answer { return answer{TwilioAnswer: relaytest.TwilioAnswer{Err: err}} }

func busy() answer { return refused(fault.Transient, 0) }

// lying is a Twilio that says no and takes the message.
func lying() answer {
	a := busy()
	a.Taken = true
	return a
}

func busyFor(d time.Duration) answer {
	return answered(&fault.Error{Kind: fault.Throttled, Code: 20429, HTTPStatus: 429, RetryAfter: d})
}

// unheard is no answer: the POST was lost on the way there, or the answer on the way back.
func unheard(taken bool, lag int) answer {
	a := answered(&fault.Error{Kind: fault.Unknown, Err: errors.New("no answer, as in the story")})
	a.Taken, a.lag = taken, lag
	return a
}

// during is an answer that the sender hears when something else has happened.
func during(a answer, what func()) answer {
	a.Meanwhile = what
	return a
}

// twilio is Twilio by a script: its nth answer is to the nth POST, and it accepts what comes then.
type twilio struct {
	*relaytest.Twilio

	script []answer
	// fetched, if set, happens before the next Fetch is answered.
	fetched func()
}

// newTwilio returns one whose first message has the number behind serial in its Sid.
func newTwilio(now func() time.Time, serial int) *twilio {
	w := &twilio{Twilio: &relaytest.Twilio{Now: now, SidOffset: serial}}
	looks := map[int]int{}
	w.Answer = func(n int, _ sms.Outbound) relaytest.TwilioAnswer {
		if n > len(w.script) {
			return relaytest.TwilioAnswer{}
		}
		return w.script[n-1].TwilioAnswer
	}
	w.Hides = func(p relaytest.TwilioPost) bool {
		looks[p.N]++
		return p.N <= len(w.script) && looks[p.N] <= w.script[p.N-1].lag
	}
	w.Fault = func(op string) error {
		if what := w.fetched; op == "after Fetch" && what != nil {
			w.fetched = nil
			what()
		}
		return nil
	}
	return w
}
