package states_test

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
)

// answer is what Twilio does about one POST. The zero value takes the message and says so.
type answer struct {
	// err is what the sender hears; taken means that Twilio has the message all the same.
	err   error
	taken bool
	// lag is how many looks at the list do not show the message yet.
	lag int
	// meanwhile, if set, happens when Twilio has the message, before the sender hears of it.
	meanwhile func()
}

// The answers there are.
func refused(kind fault.Kind, code int) answer {
	return answer{err: &fault.Error{Kind: kind, Code: code, HTTPStatus: 400, Err: errors.New("refused, as in the story")}}
}

func busy() answer { return refused(fault.Transient, 0) }

// lying is a Twilio that says no and takes the message.
func lying() answer {
	a := busy()
	a.taken = true
	return a
}

func busyFor(d time.Duration) answer {
	return answer{err: &fault.Error{Kind: fault.Throttled, Code: 20429, HTTPStatus: 429, RetryAfter: d}}
}

// unheard is no answer: the POST was lost on the way there, or the answer on the way back.
func unheard(taken bool, lag int) answer {
	return answer{err: &fault.Error{Kind: fault.Unknown, Err: errors.New("no answer, as in the story")}, taken: taken, lag: lag}
}

// post is a POST that Twilio got, and what came of it.
type post struct {
	sms.Outbound
	ref sms.CallbackRef
	// sid is empty if Twilio did not take the message.
	sid    string
	status sms.Status
	code   int
	lag    int
	at     time.Time
}

// twilio is Twilio by a script: its nth answer is to the nth POST, and what comes then is taken.
type twilio struct {
	now    func() time.Time
	script []answer
	// first is the number in the Sid of the first message.
	first int

	mu    sync.Mutex
	posts []post
	// looks and fetches count the questions; fetching, if set, happens before the next fetch is answered.
	looks, fetches int
	fetching       func()
}

// Create implements delivery.Messages.
func (w *twilio) Create(_ context.Context, m sms.Outbound) (sms.Created, error) {
	_, query, _ := strings.Cut(m.StatusCallback, "?")
	ref, err := sms.ParseCallbackRef(query)
	if err != nil {
		return sms.Created{}, &fault.Error{Kind: fault.Permanent, Err: err}
	}
	a, p := w.take(post{Outbound: m, ref: ref})
	if a.meanwhile != nil {
		a.meanwhile()
	}
	if a.err != nil {
		return sms.Created{}, a.err
	}
	return sms.Created{Sid: p.sid, Status: sms.StatusQueued}, nil
}

// take takes the POST down, and the message unless the script says otherwise.
func (w *twilio) take(p post) (answer, post) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var a answer
	if len(w.posts) < len(w.script) {
		a = w.script[len(w.posts)]
	}
	p.at = w.now()
	if a.err == nil || a.taken {
		p.sid, p.status, p.lag = fmt.Sprintf("SMffff%028x", w.first+len(w.posts)), sms.StatusQueued, a.lag
	}
	w.posts = append(w.posts, p)
	return a, p
}

// List implements delivery.Messages.
func (w *twilio) List(_ context.Context, filter sms.ListFilter) ([]sms.Listed, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	var found []sms.Listed
	for i, p := range slices.Backward(w.posts) {
		switch {
		case p.sid == "" || p.From != filter.From || p.To != filter.To:
		case p.lag > 0:
			w.posts[i].lag--
		default:
			found = append(found, p.found())
		}
	}
	return found, nil
}

func (p post) found() sms.Listed {
	return sms.Listed{
		Sid: p.sid, Status: p.status, ErrorCode: p.code, Body: p.Body, From: p.From, To: p.To,
		Direction: sms.DirectionAPI, DateCreated: p.at.Truncate(time.Second),
	}
}

// Fetch implements delivery.Messages.
func (w *twilio) Fetch(_ context.Context, sid string) (sms.Listed, error) {
	w.mu.Lock()
	hook := w.fetching
	w.fetches, w.fetching = w.fetches+1, nil
	posts := slices.Clone(w.posts)
	w.mu.Unlock()
	if hook != nil {
		defer hook()
	}
	for _, p := range posts {
		if sid != "" && p.sid == sid {
			return p.found(), nil
		}
	}
	return sms.Listed{}, &fault.Error{Kind: fault.Permanent, Code: 20404, HTTPStatus: 404}
}

// become says what became of the message of the nth POST, from 1.
func (w *twilio) become(n int, status sms.Status, code int) post {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &w.posts[n-1]
	p.status, p.code = status, code
	return *p
}

// posted returns the POSTs so far.
func (w *twilio) posted() []post {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.posts)
}
