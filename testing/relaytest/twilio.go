package relaytest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Twilio is Twilio's Messages resource by a script: the delivery.Messages of tests that have no network. It keeps every POST, takes each
// unless Answer says otherwise, and lists what it took as Twilio and its door do. It calls no webhooks: a test that wants a receipt queues
// one. Only Now is needed. It is safe for concurrent use; its fields are set while nobody uses it. For Twilio over HTTP there is
// cmd/relay/twiliofake.
type Twilio struct {
	// Now is Twilio's clock.
	Now func() time.Time
	// Answer, if set, is asked about each POST. The first is number 1.
	Answer func(n int, m sms.Outbound) TwilioAnswer
	// Hides, if set, is asked about each message that a read of the list would show, and reports whether the list lags behind it. It
	// must not use the Twilio.
	Hides func(p TwilioPost) bool
	// SidOffset is added to the number of a POST for the Sid of its message, see [OutboundSid]: for several that share a ledger.
	SidOffset int
	// Fault, if set, is asked about "Create", "List" and "Fetch". An error after Create is what the caller hears; the message is kept.
	Fault Fault

	mu             sync.Mutex
	posts          []TwilioPost
	foreign        []sms.Listed
	lists, fetches []TwilioRead
}

// TwilioAnswer is what Twilio does about one POST. The zero value takes the message and says so.
type TwilioAnswer struct {
	// Err is what the caller hears. Taken says that Twilio has the message all the same.
	Err   error
	Taken bool
	// Meanwhile, if set, is called when Twilio has the message, before the caller hears of it.
	Meanwhile func()
}

// TwilioPost is a POST that reached Twilio, and what came of it.
type TwilioPost struct {
	sms.Outbound

	// N is its number, from 1, Ref what its status callback says whose it is; zero without a callback.
	N   int
	Ref sms.CallbackRef
	// At is when it came, Budget how long the caller was going to wait; zero without a deadline.
	At     time.Time
	Budget time.Duration
	// Err is what the caller heard.
	Err error
	// Message is what Twilio made of it, without a Sid if it was not taken.
	Message sms.Listed
}

// TwilioRead is a read of the list by a Filter, or of one message by its Sid.
type TwilioRead struct {
	Filter sms.ListFilter
	Sid    string
	// Budget is how long the caller was going to wait; zero without a deadline.
	Budget time.Duration
}

// twilioPage is how many messages the door asks for at a time.
const twilioPage = 250

// Create takes one POST.
func (f *Twilio) Create(ctx context.Context, m sms.Outbound) (sms.Created, error) {
	if err := f.Fault.before(ctx, "Create"); err != nil {
		return sms.Created{}, err
	}
	p := TwilioPost{Outbound: m, At: f.Now(), Budget: budget(ctx)}
	if _, query, found := strings.Cut(m.StatusCallback, "?"); found {
		var err error
		if p.Ref, err = sms.ParseCallbackRef(query); err != nil {
			return sms.Created{}, &fault.Error{Kind: fault.Permanent, Err: err}
		}
	}
	n := f.add(p)
	var a TwilioAnswer
	if f.Answer != nil {
		a = f.Answer(n, m)
	}
	f.take(n, a)
	if a.Meanwhile != nil {
		a.Meanwhile()
	}
	if lost := f.Fault.after("Create"); lost != nil {
		a.Err = lost
		f.edit(n, func(p *TwilioPost) { p.Err = lost })
	}
	if a.Err != nil {
		return sms.Created{}, a.Err
	}
	return sms.Created{Sid: OutboundSid(f.SidOffset + n), Status: sms.StatusQueued, NumSegments: sms.Segments(m.Body)}, nil
}

func (f *Twilio) add(p TwilioPost) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p.N = len(f.posts) + 1
	f.posts = append(f.posts, p)
	return p.N
}

func (f *Twilio) take(n int, a TwilioAnswer) {
	f.edit(n, func(p *TwilioPost) {
		if p.Err = a.Err; p.Err != nil && !a.Taken {
			return
		}
		p.Message = sms.Listed{
			Sid: OutboundSid(f.SidOffset + n), Status: sms.StatusQueued, Body: p.Body, From: p.From, To: p.To,
			Direction: sms.DirectionAPI, DateCreated: p.At.Truncate(time.Second), NumMedia: len(p.MediaURLs),
		}
	})
}

func (f *Twilio) edit(n int, edit func(p *TwilioPost)) TwilioPost {
	f.mu.Lock()
	defer f.mu.Unlock()
	edit(&f.posts[n-1])
	return f.posts[n-1]
}

// List returns the messages that the filter lets through, the newest first. A message that waits has no date on which it was sent, so
// that no filter by that date lets it through; the others were sent when they were made.
func (f *Twilio) List(ctx context.Context, filter sms.ListFilter) ([]sms.Listed, error) {
	if err := f.read(ctx, "List", &f.lists, TwilioRead{Filter: filter}); err != nil {
		return nil, err
	}
	all := f.listed(filter)
	if err := f.Fault.after("List"); err != nil {
		return nil, err
	}
	limit := filter.Limit
	if limit <= 0 {
		limit = 1000
	}
	var found []sms.Listed
	for page := range slices.Chunk(all, min(limit, twilioPage)) {
		found = append(found, page...)
		if len(found) >= limit || page[0].DateCreated.Before(filter.CreatedAfter.Truncate(time.Second)) {
			break
		}
	}
	return found[:min(len(found), limit)], nil
}

func (f *Twilio) listed(filter sms.ListFilter) (all []sms.Listed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range slices.Backward(f.foreign) {
		if passes(filter, m) {
			all = append(all, m)
		}
	}
	for _, p := range slices.Backward(f.posts) {
		if p.Message.Sid != "" && passes(filter, p.Message) && (f.Hides == nil || !f.Hides(p)) {
			all = append(all, p.Message)
		}
	}
	slices.SortStableFunc(all, func(a, b sms.Listed) int { return b.DateCreated.Compare(a.DateCreated) })
	return all
}

func passes(filter sms.ListFilter, m sms.Listed) bool {
	waits := m.Status == sms.StatusQueued || m.Status == sms.StatusAccepted
	switch {
	case filter.To != "" && m.To != filter.To, filter.From != "" && m.From != filter.From:
		return false
	case !filter.SentAfter.IsZero() && (waits || m.DateCreated.Before(filter.SentAfter.Truncate(time.Second))):
		return false
	case !filter.SentBefore.IsZero() && (waits || m.DateCreated.After(filter.SentBefore.Add(time.Second-1).Truncate(time.Second))):
		return false
	}
	return true
}

// Fetch returns one message that a POST has made. The error of one that it does not have is Permanent, with Twilio's 20404.
func (f *Twilio) Fetch(ctx context.Context, sid string) (sms.Listed, error) {
	if err := f.read(ctx, "Fetch", &f.fetches, TwilioRead{Sid: sid}); err != nil {
		return sms.Listed{}, err
	}
	posts := f.Posts()
	if err := f.Fault.after("Fetch"); err != nil {
		return sms.Listed{}, err
	}
	i := slices.IndexFunc(posts, func(p TwilioPost) bool { return sid != "" && p.Message.Sid == sid })
	if i < 0 {
		return sms.Listed{}, &fault.Error{Kind: fault.Permanent, Code: 20404, HTTPStatus: 404}
	}
	return posts[i].Message, nil
}

// read takes a read down, also one that fails, and returns what is to fail before it.
func (f *Twilio) read(ctx context.Context, op string, reads *[]TwilioRead, r TwilioRead) error {
	r.Budget = budget(ctx)
	f.mu.Lock()
	*reads = append(*reads, r)
	f.mu.Unlock()
	return f.Fault.before(ctx, op)
}

func budget(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return time.Until(deadline)
	}
	return 0
}

// Become says what became of the message of the nth POST, and returns the POST.
func (f *Twilio) Become(n int, status sms.Status, code int) TwilioPost {
	return f.edit(n, func(p *TwilioPost) { p.Message.Status, p.Message.ErrorCode = status, code })
}

// Add puts a message on the list that no POST here has made.
func (f *Twilio) Add(m sms.Listed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.foreign = append(f.foreign, m)
}

// Forget takes back all POSTs and messages.
func (f *Twilio) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posts, f.foreign = nil, nil
}

// Posts returns the POSTs so far.
func (f *Twilio) Posts() []TwilioPost {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.posts)
}

// Lists returns the reads of the list so far.
func (f *Twilio) Lists() []TwilioRead {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.lists)
}

// Fetches returns the reads of single messages so far.
func (f *Twilio) Fetches() []TwilioRead {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.fetches)
}
