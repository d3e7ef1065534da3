package simulation_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// twilioDoor is Twilio as senders see it.
type twilioDoor struct{ *schedule }

// post is one POST of a message.
type post struct {
	by   *actor
	ref  sms.CallbackRef
	out  sms.Outbound
	at   time.Time
	told fault.Kind
	// answered means that the sender got to know told, or that the message was taken.
	answered bool
	// reached: it came to Twilio. message is what it made there, if it was taken.
	reached bool
	message *message
	// late: it came when its claim's lease was over.
	late bool
	// disturbed: what the sender learned may not have been written down.
	disturbed bool
}

// message is one message at Twilio.
type message struct {
	post      *post
	sid       string
	createdAt time.Time
	// listedAt is when the list shows it first.
	listedAt time.Time
	// It is sent at sentAt and gets its last status at finalAt, which is never if final is empty.
	sentAt, finalAt time.Time
	final           sms.Status
	code            int
	// denied: Twilio said that it did not take it.
	denied bool
	// heard are the statuses of the receipts that the front door took.
	heard []sms.Status
	// isSeen is set once a sender that asked was told that it was delivered, and seenAfter is how many changes the ledger had had by then.
	isSeen    bool
	seenAfter int
}

// status returns the message's status by now.
func (m *message) status(now time.Time) sms.Status {
	switch {
	case now.Before(m.sentAt):
		return sms.StatusQueued
	case m.final == "" || now.Before(m.finalAt):
		return sms.StatusSent
	default:
		return m.final
	}
}

func (m *message) found(now time.Time) sms.Listed {
	f := sms.Listed{
		Sid: m.sid, Status: m.status(now), Body: m.post.out.Body, From: m.post.out.From, To: m.post.out.To,
		Direction: sms.DirectionAPI, DateCreated: m.createdAt.UTC().Truncate(time.Second), NumMedia: len(m.post.out.MediaURLs),
	}
	if f.Status.Lost() {
		f.ErrorCode = m.code
	}
	return f
}

// Create takes one POST.
func (d twilioDoor) Create(ctx context.Context, out sms.Outbound) (sms.Created, error) {
	a := actorOf(ctx)
	p := &post{by: a, ref: refOf(out), out: out, at: time.Now()}
	d.posts, a.post = append(d.posts, p), p
	c := call{op: "twilio.Create", what: func() string {
		return fmt.Sprintf("%s attempt %d hop %d", nameOf(p.ref.RelayID), p.ref.Attempt, p.ref.Hop)
	}}
	a.park(nil)
	if err := d.before(ctx, a, c); err != nil && !d.leavesLate(ctx, a, c) {
		if f := fault.Of(err); f.Kind == fault.Transient {
			// As the door says it.
			err = &fault.Error{Kind: fault.NotSent, Err: f.Err}
		}
		p.answered, p.told = true, fault.Of(err).Kind
		return sms.Created{}, err
	}
	answer := d.take(p) //nolint:contextcheck // What a person does on reading the message is not this call's.
	if err := d.after(ctx, a, c, answer); err != nil {
		return sms.Created{}, err
	}
	p.answered = answer == nil || fault.Of(answer).Kind != fault.Unknown
	if answer != nil {
		p.told = fault.Of(answer).Kind
		return sms.Created{}, answer
	}
	return sms.Created{Sid: p.message.sid, Status: sms.StatusQueued, NumSegments: sms.Segments(out.Body)}, nil
}

// leavesLate reports whether a POST goes out although its sender has given up: it paused between looking at its
// clock and writing.
func (d twilioDoor) leavesLate(ctx context.Context, a *actor, c call) bool {
	if ctx.Err() == nil || !d.chance.odds(d.Twilio.Late) {
		return false
	}
	d.trace(a, c, "goes out all the same")
	return true
}

func refOf(out sms.Outbound) sms.CallbackRef {
	parsed, err := url.Parse(out.StatusCallback)
	if err != nil {
		panic(err)
	}
	ref, err := sms.ParseCallbackRef(parsed.RawQuery)
	if err != nil {
		panic(err)
	}
	return ref
}

// take is what Twilio does with a POST. The error is what it answers.
func (s *schedule) take(p *post) error {
	now := time.Now()
	p.reached, p.at = true, now
	s.checkPost(p)
	h := s.Twilio
	switch {
	case now.Before(s.brokenUntil):
		return refusal(http.StatusUnauthorized, 20003)
	case s.chance.odds(h.Broken):
		s.brokenUntil = now.Add(one(s.chance, 20*time.Second, 4*time.Minute, 11*time.Minute))
		return refusal(http.StatusUnauthorized, 20003)
	case slices.Contains(s.optedOut, p.out.To):
		return refusal(http.StatusBadRequest, 21610)
	case s.chance.odds(h.Refuse):
		code := one(s.chance, 21211, 21610, 21614, 21606)
		if code == 21610 {
			s.optedOut = append(s.optedOut, p.out.To)
		}
		return refusal(http.StatusBadRequest, code)
	case s.chance.odds(h.Busy):
		return refusal(http.StatusTooManyRequests, one(s.chance, 20429, 14107, 21611))
	case s.chance.odds(h.Cut):
		return refusalCut()
	case s.chance.odds(h.Denied):
		s.keep(p)
		p.message.denied = true
		if s.chance.of(2) == 1 {
			return refusalCut()
		}
		return refusal(http.StatusTooManyRequests, 20429)
	case s.chance.odds(h.Down):
		if s.chance.of(2) == 1 {
			s.keep(p)
		}
		return refusal(http.StatusServiceUnavailable, 20503)
	}
	s.keep(p)
	return nil
}

// refusalCut is a refusal that broke off before it said why.
func refusalCut() error {
	return twilio.Classify(twilio.Exchange{Status: http.StatusBadRequest, CutShort: true})
}

func refusal(status, code int) error {
	return twilio.Classify(twilio.Exchange{Status: status, Code: code})
}

// keep makes the message of a POST that is taken, and decides what becomes of it.
func (s *schedule) keep(p *post) {
	now, h := time.Now(), s.Twilio
	m := &message{post: p, sid: fmt.Sprintf("SMf0%030d", len(s.messages)+1), createdAt: now, listedAt: now, final: sms.StatusDelivered}
	if s.chance.odds(h.Lag) {
		m.listedAt = now.Add(one(s.chance, time.Second, 30*time.Second, 5*time.Minute))
	}
	m.sentAt, m.finalAt = now.Add(500*time.Millisecond), now.Add(2*time.Second)
	if s.chance.odds(h.Long) {
		m.sentAt = now.Add(one(s.chance, time.Second, 30*time.Second))
		m.finalAt = m.sentAt.Add(one(s.chance, 20*time.Second, 3*time.Minute, 25*time.Minute))
	}
	switch {
	case s.chance.odds(h.Undelivered):
		lost := one(s.chance,
			lostAs{sms.StatusUndelivered, 30003}, lostAs{sms.StatusUndelivered, 30005}, lostAs{sms.StatusFailed, 30001},
			lostAs{sms.StatusFailed, 30008}, lostAs{sms.StatusUndelivered, 30007}, lostAs{sms.StatusFailed, 30034}, lostAs{sms.StatusFailed, 21610})
		m.final, m.code = lost.status, lost.code
	case s.chance.odds(h.Mute):
		m.final = ""
	}
	p.message = m
	s.messages = append(s.messages, m)
	s.plan(m)
	s.onTheWay(m)
}

// lostAs is how a message ends that the phone never gets.
type lostAs struct {
	status sms.Status
	code   int
}

// List returns the messages that the list shows, the newest first.
func (d twilioDoor) List(ctx context.Context, f sms.ListFilter) ([]sms.Listed, error) {
	var seen []string
	c := call{op: "twilio.List", read: true, what: func() string { return fmt.Sprint(seen) }}
	listed := map[string]bool{}
	all, err := through(ctx, d.schedule, c, func(*actor) ([]sms.Listed, error) {
		now := time.Now()
		var all []sms.Listed
		for _, m := range slices.Backward(d.messages) {
			if now.Before(m.listedAt) || (f.From != "" && m.post.out.From != f.From) || (f.To != "" && m.post.out.To != f.To) {
				continue
			}
			all = append(all, m.found(now))
			listed[m.sid] = true
			seen = append(seen, nameOf(m.sid))
		}
		return all, nil
	})
	if err == nil {
		actorOf(ctx).listed = listed
	}
	return all, err
}

// Fetch returns one message.
func (d twilioDoor) Fetch(ctx context.Context, sid string) (sms.Listed, error) {
	c := call{op: "twilio.Fetch", read: true, what: func() string { return nameOf(sid) }}
	var asked *message
	found, err := through(ctx, d.schedule, c, func(*actor) (sms.Listed, error) {
		for _, m := range d.messages {
			if m.sid == sid {
				asked = m
				return m.found(time.Now()), nil
			}
		}
		return sms.Listed{}, &fault.Error{Kind: fault.Permanent, Code: 20404, HTTPStatus: http.StatusNotFound}
	})
	if err == nil && found.Status == sms.StatusDelivered && !asked.isSeen {
		asked.isSeen, asked.seenAfter = true, len(d.changes)
	}
	return found, err
}

// claimOf returns the record of the POST's text, and whether the POST is of its open claim.
func (s *schedule) claimOf(p *post) (r ledger.Record, open bool) {
	r = s.current[p.ref.RelayID]
	last, ok := r.Current()
	return r, ok && r.State == ledger.Sending && last.Number == p.ref.Attempt && last.Outcome == "" && !time.Now().After(r.LeaseUntil)
}

// knewOf reports whether the ledger had Twilio's message of the earlier POST when the later one's claim was written.
func (s *schedule) knewOf(earlier, later *post) bool {
	for _, c := range s.changes {
		if c.record.MessageSid != later.ref.RelayID || !claims(c.record, later) {
			continue
		}
		return slices.ContainsFunc(c.record.Attempts, func(a ledger.Attempt) bool { return a.Number == earlier.ref.Attempt && a.Accepted() })
	}
	return false
}
