package delivery_test

import (
	"errors"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// twilio is Twilio by the errors that it answers.
type twilio struct {
	*relaytest.Twilio

	// answer, if set, is asked for each POST. nil takes the message. An Unknown fault leaves open whether it was taken:
	// it was, unless its cause is errLost. One whose cause is errTaken refuses the message in words and takes it.
	answer func(n int, m sms.Outbound) error
	// listLag is how long after its POST a message shows on the list.
	listLag time.Duration
}

func newTwilio(now func() time.Time, fail relaytest.Fault) *twilio {
	f := &twilio{Twilio: &relaytest.Twilio{Now: now, Fault: fail}}
	f.Answer = func(n int, m sms.Outbound) (a relaytest.TwilioAnswer) {
		if f.answer != nil {
			a.Err = f.answer(n, m)
		}
		a.Taken = errors.Is(a.Err, errTaken) || kindOf(a.Err) == fault.Unknown && !errors.Is(a.Err, errLost)
		return a
	}
	f.Hides = func(p relaytest.TwilioPost) bool { return f.Now().Before(p.At.Add(f.listLag)) }
	return f
}

// none is no kind of fault.
const none fault.Kind = -1

// kindOf returns the kind of what a POST was answered with, none if the message was taken.
func kindOf(err error) fault.Kind {
	if err == nil {
		return none
	}
	return fault.Of(err).Kind
}

var (
	errLost  = errors.New("lost on the way there")
	errTaken = errors.New("too many requests, said after the message was taken")
)

// denied is the answer to a message that Twilio says it refused, and took all the same.
func denied() error {
	return &fault.Error{Kind: fault.Throttled, Code: 20429, HTTPStatus: 429, Err: errTaken}
}

// cutAndTaken is denied by an answer that broke off before it said why, so that an attempt is spent on it.
func cutAndTaken() error {
	return &fault.Error{Kind: fault.Transient, HTTPStatus: 400, Err: errTaken}
}

// answers returns an answer function that gives the errors in turn, and then takes what comes.
func answers(errs ...error) func(n int, m sms.Outbound) error {
	return func(n int, _ sms.Outbound) error {
		if n > len(errs) {
			return nil
		}
		return errs[n-1]
	}
}

// refusal is Twilio's answer of a kind.
func refusal(kind fault.Kind, code int) error {
	return fmt.Errorf("create message: %w", &fault.Error{Kind: kind, Code: code, HTTPStatus: 400, Err: errors.New("as in the test")})
}

// always answers every POST alike.
func always(err error) func(n int, m sms.Outbound) error {
	return func(int, sms.Outbound) error { return err }
}
