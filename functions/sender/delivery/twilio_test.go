package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// post is one POST that Twilio got, and what came of it.
type post struct {
	sms.Outbound
	ref sms.CallbackRef
	// sid is set if Twilio took the message, maybe if the answer left that open.
	sid   string
	maybe bool
	// status and code are what became of the message, by Twilio's own account.
	status sms.Status
	code   int
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
	// it was, unless its cause is errLost. One whose cause is errTaken refuses the message in words and takes it.
	answer func(n int, m sms.Outbound) error
	// before, if set, is called when a POST is on its way, before Twilio has it.
	before func()
	// listLag is how long after its POST a message shows on the list.
	listLag time.Duration
	// fault is asked about Create, List and Fetch.
	fault relaytest.Fault

	mu    sync.Mutex
	posts []post
	// foreign are messages on the list that no POST here has made.
	foreign []sms.Listed
	// filters are what List was asked, budgets how long the last caller of List or Fetch was going to wait.
	filters []sms.ListFilter
	budgets map[string]time.Duration
}

// none is no kind of fault.
const none fault.Kind = -1

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

// Create implements delivery.Messages.
func (f *twilio) Create(ctx context.Context, m sms.Outbound) (sms.Created, error) {
	if err := f.ask(ctx, "before Create"); err != nil {
		return sms.Created{}, err
	}
	if f.before != nil {
		f.before()
	}
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
	created, err := f.settle(n, err)
	if lost := f.ask(context.WithoutCancel(ctx), "after Create"); lost != nil {
		return sms.Created{}, f.lose(n, lost)
	}
	return created, err
}

// lose takes note that nobody heard the answer to the nth POST.
func (f *twilio) lose(n int, lost error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posts[n-1].kind, f.posts[n-1].maybe = fault.Unknown, true
	return lost
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
	if err == nil || errors.Is(err, errTaken) || (p.maybe && !errors.Is(err, errLost)) {
		p.sid, p.status = outboundSid(n), sms.StatusQueued
	}
	if err != nil {
		return sms.Created{}, err
	}
	return sms.Created{Sid: p.sid, Status: sms.StatusQueued}, nil
}

// foreignTo puts a message on the list that no POST here has made.
func (f *twilio) foreignTo(m sms.Listed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.foreign = append(f.foreign, m)
}

// become says what became of the message of the nth POST.
func (f *twilio) become(n int, status sms.Status, code int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posts[n-1].status, f.posts[n-1].code = status, code
}

// pageSize is how many messages List reads at a time.
const pageSize = 50

// List implements delivery.Messages. Messages that still wait have no date on which they were sent, so that a filter by
// that date does not let them through.
func (f *twilio) List(ctx context.Context, filter sms.ListFilter) ([]sms.Listed, error) {
	if err := f.ask(ctx, "before List"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filters = append(f.filters, filter)
	var all []sms.Listed
	for _, p := range f.posts {
		if p.sid != "" && !f.now().Before(p.at.Add(f.listLag)) {
			all = append(all, p.found())
		}
	}
	all = append(all, f.foreign...)
	slices.SortStableFunc(all, func(a, b sms.Listed) int { return b.DateCreated.Compare(a.DateCreated) })
	all = slices.DeleteFunc(all, func(m sms.Listed) bool { return !passes(filter, m) })
	var found []sms.Listed
	for page := range slices.Chunk(all, pageSize) {
		found = append(found, page...)
		if len(found) >= filter.Limit || page[0].DateCreated.Before(filter.CreatedAfter.Truncate(time.Second)) {
			break
		}
	}
	return found[:min(len(found), filter.Limit)], nil
}

func passes(filter sms.ListFilter, m sms.Listed) bool {
	sent := m.Status != sms.StatusQueued && m.Status != sms.StatusAccepted
	switch {
	case m.To != filter.To, m.From != filter.From:
		return false
	case !filter.SentAfter.IsZero() && (!sent || m.DateCreated.Before(filter.SentAfter.Truncate(time.Second))):
		return false
	case !filter.SentBefore.IsZero() && (!sent || m.DateCreated.After(filter.SentBefore)):
		return false
	}
	return true
}

func (p post) found() sms.Listed {
	return sms.Listed{
		Sid: p.sid, Status: p.status, ErrorCode: p.code, Body: p.Body, From: p.From, To: p.To,
		Direction: sms.DirectionAPI, DateCreated: p.at.Truncate(time.Second),
	}
}

// Fetch implements delivery.Messages.
func (f *twilio) Fetch(ctx context.Context, sid string) (sms.Listed, error) {
	if err := f.ask(ctx, "before Fetch"); err != nil {
		return sms.Listed{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.posts {
		if sid != "" && p.sid == sid {
			return p.found(), nil
		}
	}
	return sms.Listed{}, &fault.Error{Kind: fault.Permanent, Code: 20404, HTTPStatus: 404}
}

// ask returns the error with which the call is to fail.
func (f *twilio) ask(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return &fault.Error{Kind: fault.Transient, Err: err}
	}
	if deadline, ok := ctx.Deadline(); ok {
		f.mu.Lock()
		if f.budgets == nil {
			f.budgets = map[string]time.Duration{}
		}
		f.budgets[op] = time.Until(deadline)
		f.mu.Unlock()
	}
	if f.fault == nil {
		return nil
	}
	return f.fault(op)
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
