package simulation_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// verifyWait is how long texts wait for a phone to be verified before they begin to age, said here once more.
const verifyWait = 24 * time.Hour

// codeText is what the text of a code begins with. An operator sends it, so it is none of what the relay says by itself.
const codeText = "/verify: answer with "

// newcomers are the phones that have to be verified: those on the route at the start whose bits are set in Phones, and with Later, all that
// come into it. Codes is how many codes an operator texts to each at most; with 0 they are never verified.
type newcomers struct {
	Phones int
	Later  bool
	Codes  int
}

// beVerified has phones that have to be verified before they get customers' words. It is drawn last, so that the schedules without it stay
// what they were.
func (s *scenario) beVerified(draw *rapid.T) {
	if s.Habit == 0 || s.Chatter != (chatter{}) || rapid.IntRange(0, 7).Draw(draw, "newcomers") < 6 {
		return
	}
	// By a clock that is ahead, nobody knows when a code was texted.
	s.Jump = 0
	s.New = newcomers{
		Phones: rapid.SampledFrom([]int{1, 1, 2, 3, 5, 15}).Draw(draw, "who is new"), Later: rapid.Bool().Draw(draw, "later ones too"),
		Codes: rapid.SampledFrom([]int{0, 1, 2, 3, 3, 3}).Draw(draw, "codes"),
	}
}

// mark sets which phones of the route have yet to be verified.
func (n newcomers) mark(r *route.Route) {
	for i, hop := range r.Hops() {
		if n.Phones&(1<<i) != 0 {
			r.Verifications = append(r.Verifications, route.Verification{Phone: hop})
		}
	}
}

// edited is the route as an operator stores it over before.
func (s *schedule) edited(before, r route.Route) route.Route {
	now := s.wall()
	if s.New.Later {
		return r.Edited(before, now)
	}
	if before.Waits(now) && !r.Waits(now) {
		// As with everything that is written over a route, the wait is over.
		r.WaitedUntil = now.UTC().Truncate(time.Second)
	}
	return r
}

// isNew reports whether the phone had yet to be verified by that route.
func (w wayAt) isNew(phone sms.PhoneNumber) bool {
	return slices.ContainsFunc(w.Verifications, func(v route.Verification) bool { return v.Phone == phone && v.VerifiedAt.IsZero() })
}

// wasVerified reports whether the phone was verified before that time by that route.
func (w wayAt) wasVerified(phone sms.PhoneNumber, at time.Time) bool {
	return slices.ContainsFunc(w.Verifications, func(v route.Verification) bool {
		return v.Phone == phone && !v.VerifiedAt.IsZero() && v.VerifiedAt.Before(at)
	})
}

// isWaiting reports whether all phones of that route had yet to be verified.
func (w wayAt) isWaiting() bool {
	return !slices.ContainsFunc(w.Hops(), func(hop sms.PhoneNumber) bool { return !w.isNew(hop) })
}

// expectCodes has an operator text codes to the phones that are new, one after the other.
func (s *schedule) expectCodes() {
	if s.New.Codes == 0 {
		return
	}
	for n := range 4 {
		after := time.Duration(0)
		for range s.New.Codes {
			after += one(s.chance, time.Minute, 2*time.Second, 15*time.Minute, time.Hour, 5*time.Hour, 20*time.Hour)
			s.soon(after, func() { s.textCode(phone(n)) })
		}
	}
}

// textCode lets an operator text a code to a phone, if that has yet to be verified.
func (s *schedule) textCode(to sms.PhoneNumber) {
	if !s.ways[len(s.ways)-1].isNew(to) {
		return
	}
	s.codes++
	name, code := fmt.Sprintf("verifier-%d", s.codes), fmt.Sprintf("%06d", 70000+s.codes)
	s.spawn(&process{name: name}, name, func(ctx context.Context, _ *actor) {
		for range 3 {
			found, err := tableDoor{s}.Lookup(ctx, twilioNumber)
			if err != nil {
				return
			}
			way, ok := found[twilioNumber].PutCode(to, code, name, s.wall())
			if !ok {
				return
			}
			if _, err = (tableDoor{s}).Put(ctx, way); err != nil {
				continue
			}
			key := conversation.PhoneKey{TwilioNumber: twilioNumber, Phone: to}
			if m, err := delivery.NoticeOf(key, "verify."+name, conversation.CodeText(code), s.wall()).Outgoing(); err == nil {
				_ = queueDoor{s, s.fifo}.Send(ctx, m)
			}
			return
		}
	})
}

// readCode lets a person read a code, and answer: with the right one mostly, or after wrong ones. Until then what the person writes to
// customers goes to nobody.
func (s *schedule) readCode(p *person, m *message, r ledger.Record) bool {
	rest, isCode := strings.CutPrefix(r.Body, codeText)
	if !isCode {
		return false
	}
	code, via := rest[:6], m.post.out.From
	writes := func(body string) func() {
		return func() { s.sends(&writing{by: p, to: via, body: body}) }
	}
	wrong := 0
	switch s.chance.weighted(60, 15, 10, 10, 5) {
	case 1:
		wrong = 1
	case 2:
		wrong = 5
	case 3:
		s.soon(s.while(), func() {
			// Who gets customers' texts by then knows who it is.
			if s.ways[len(s.ways)-1].isNew(p.phone) {
				writes("Who is this?")()
			}
		})
		return true
	case 4:
		return true
	}
	after := s.while()
	for n := range wrong {
		s.soon(after, func() {
			// Who has long been told that the phone is verified does not try on.
			if !s.ways[len(s.ways)-1].wasVerified(p.phone, time.Now().Add(-route.CodeTime/2)) {
				writes(fmt.Sprintf("%06d", 900000+n))()
			}
		})
		after += 5 * time.Second
	}
	s.soon(after, func() {
		// Who was answered that the code was right does not text another.
		if s.ways[len(s.ways)-1].isNew(p.phone) {
			writes(one(s.chance, code, code[:3]+" "+code[3:], code[:3]+"-"+code[3:]))()
		}
	})
	return true
}

// checkVerified holds a text with a customer's words against who had been verified when it was claimed.
func (s *schedule) checkVerified(p *post, r ledger.Record, name string) {
	if r.Notice || r.IsAnswer() || s.personWith(p.out.To) == nil {
		return
	}
	if !slices.ContainsFunc(s.waysSince(s.claimedAt(p)), func(w wayAt) bool { return !w.isNew(p.out.To) }) {
		s.violated("%s goes to %s, which has yet to be verified", name, string(p.out.To))
	}
}

// waited is for how long a text may not have aged since then: while all phones had yet to be verified.
func (s *schedule) waited(since time.Time) time.Duration {
	end := since
	for i, w := range s.ways {
		until := time.Now()
		if i+1 < len(s.ways) {
			until = s.ways[i+1].at
		}
		if w.isWaiting() && until.After(end) {
			end = until
		}
	}
	return min(end.Sub(since), verifyWait)
}

// agesFrom is from when on a text aged: as long as nobody was verified since it was due, it did not. What goes to one phone waits for
// nobody.
func (s *schedule) agesFrom(r ledger.Record) time.Time {
	since := r.DueSince()
	end := since
	if r.Destination != "" {
		return since
	}
	for i, w := range s.ways {
		until := time.Now()
		if i+1 < len(s.ways) {
			until = s.ways[i+1].at
		}
		switch {
		case !until.After(since):
		case !w.isWaiting():
			return minTime(end, since.Add(verifyWait))
		default:
			end = until
		}
	}
	return minTime(end, since.Add(verifyWait))
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
