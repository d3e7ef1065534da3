package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// post is one POST that Twilio got, and what came of it.
type post struct {
	sms.Outbound
	ref sms.CallbackRef
	// sid is set if Twilio took the message, maybe if the answer left that open.
	sid   string
	maybe bool
	// kind is that of the failure, none if there was none.
	kind fault.Kind
	at   time.Time
	// budget is how long the caller was going to wait.
	budget time.Duration
}

// twilio is delivery.Messages: it takes every message, unless answer says otherwise.
type twilio struct {
	now func() time.Time
	// answer, if set, is asked for each POST. nil takes the message. An Unknown fault leaves open whether it was taken:
	// it was, unless its cause is errLost.
	answer func(n int, m sms.Outbound) error

	mu    sync.Mutex
	posts []post
}

// none is no kind of fault.
const none fault.Kind = -1

var errLost = errors.New("lost on the way there")

// Create implements delivery.Messages.
func (f *twilio) Create(ctx context.Context, m sms.Outbound) (sms.Created, error) {
	p := post{Outbound: m, at: f.now()}
	if deadline, ok := ctx.Deadline(); ok {
		p.budget = time.Until(deadline)
	}
	if _, query, found := strings.Cut(m.StatusCallback, "?"); found {
		ref, err := sms.ParseCallbackRef(query)
		if err != nil {
			return sms.Created{}, &fault.Error{Kind: fault.Permanent, Err: err}
		}
		p.ref = ref
	}
	n := f.add(p)
	var err error
	if f.answer != nil {
		err = f.answer(n, m)
	}
	return f.settle(n, err)
}

func (f *twilio) add(p post) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posts = append(f.posts, p)
	return len(f.posts)
}

func (f *twilio) settle(n int, err error) (sms.Created, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &f.posts[n-1]
	p.kind = none
	if err != nil {
		p.kind = fault.Of(err).Kind
		p.maybe = p.kind == fault.Unknown
	}
	if err == nil || (p.maybe && !errors.Is(err, errLost)) {
		p.sid = outboundSid(n)
	}
	if err != nil {
		return sms.Created{}, err
	}
	return sms.Created{Sid: p.sid, Status: sms.StatusQueued}, nil
}

// outboundSid is the MessageSid that the nth POST's message gets.
func outboundSid(n int) string { return fmt.Sprintf("SMffff%028x", n) }

// posted returns the POSTs so far.
func (f *twilio) posted() []post {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]post(nil), f.posts...)
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
