package simulation_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// tally counts what became of the answers that people wrote.
type tally struct {
	asked map[crew]share
	// misled are answers to the wrong person after something was on its way for too long.
	misled int
	// automatic are the relay's own answers to customers.
	automatic int
}

// crew are the people of one kind of schedule: how often in a thousand they answer with a tag, and whether customers are threads on
// their phones.
type crew struct {
	habit      int
	hasThreads bool
}

// share is how many of their answers the front door took, and how many of those the relay asked about.
type share struct{ answers, asked int }

// noticeSid returns the identity of the notice about a cause. It is said here once more, so that it is not held against itself.
func noticeSid(to sms.PhoneNumber, cause string) string {
	sum := sha256.Sum256([]byte(string(twilioNumber) + "\x00" + string(to) + "\x00" + cause))
	return "NT" + hex.EncodeToString(sum[:16])
}

// emit counts the notices that were left out.
func (s *schedule) emit(all ...telemetry.Measurement) {
	for _, m := range all {
		if m.Name == telemetry.MetricNoticesLeftOut {
			s.leftOut++
		}
	}
}

// writingOf returns what a phone wrote, nil if it is not a phone's.
func (s *schedule) writingOf(sid string) *writing {
	digits, _ := strings.CutPrefix(sid, "SM")
	n, err := strconv.ParseInt(digits, 16, 32)
	if at := int(n) - firstWriting - 1; err == nil && at >= 0 && at < len(s.writings) {
		return s.writings[at]
	}
	return nil
}

// noteLate notes that a phone's text comes to the queue so late, or behind a later one, that it may be taken for another one.
func (s *schedule) noteLate(sid string) {
	w := s.writingOf(sid)
	if w == nil {
		return
	}
	w.isQueued = true
	isBefore := func(o *writing) bool { return o.n < w.n && !o.isQueued }
	w.by.isMisled = w.by.isMisled || time.Since(w.at) > replyTransit || slices.ContainsFunc(w.by.at(w.to).wrote, isBefore)
}

// hasRead reports whether the person with the phone had read anything of the customer before writing that.
func hasRead(w *writing, customer sms.PhoneNumber) bool {
	return slices.ContainsFunc(w.by.inbox, func(in arrived) bool { return in.from == customer && in.at.Before(w.at) })
}

// checkWords holds what a POST says against who may read it: a customer gets what was written for him, and nothing else; a phone gets
// a header and words, or a notice.
func (s *schedule) checkWords(p *post, r ledger.Record, name string) {
	if r.IsAutoAnswer() {
		s.checkAutoWords(p, r, name)
		return
	}
	w := s.writingOf(p.ref.RelayID)
	if s.personWith(p.out.To) != nil || p.out.To == ownPhone {
		// A phone that left may write as a customer.
		if r.IsAnswer() && (w == nil || w.meant != p.out.To) {
			s.violated("%s is an answer, and goes to a phone", name)
		}
		return
	}
	switch {
	case w == nil:
		s.violated("%s goes to a customer, and nobody on duty wrote it: %q", name, p.out.Body)
	case w.meant == "" && hasRead(w, p.out.To):
		s.violated("%s goes to %s, and is for nobody: %q", name, string(p.out.To), p.out.Body)
	case w.meant == "":
		// It crossed with the first text of that customer.
		s.tally.misled++
	case w.meant != p.out.To && w.by.isMisled:
		s.tally.misled++
	case w.meant != p.out.To:
		s.violated("%s goes to %s, and was meant for %s: %q", name, string(p.out.To), string(w.meant), w.body)
	case p.out.From != twilioNumber:
		s.violated("%s goes to a customer from %s", name, string(p.out.From))
	case !saysAll(p, w):
		s.violated("%s says %q, and is to say %q", name, p.out.Body, w.words)
	}
}

// checkWritings holds what became of all that the phones wrote against what they were told.
func (s *schedule) checkWritings() {
	untold := map[string]bool{}
	s.tally.asked = map[crew]share{}
	for _, w := range s.writings {
		r, err := s.records.Get(s.ctx, w.sid())
		switch {
		case err != nil && s.accepted[w.sid()]:
			s.violated("%s was accepted, and the ledger has nothing of it: %v", nameOf(w.sid()), err)
		case err != nil:
		case !r.IsAnswer() && s.isNoAnswer(w, r):
		case !r.IsAnswer():
			s.violated("%s was taken for a customer's text: %s (%s)", nameOf(w.sid()), r.State, r.Reason)
		default:
			s.checkText(r)
			s.checkTruth(r)
			s.count(w, r)
			if cause := s.untold(w, r); cause != "" {
				untold[cause] = true
				s.tellf("%s is %s (%s), and nobody was told", nameOf(w.sid()), r.State, r.Reason)
			}
		}
	}
	if len(untold) > s.leftOut {
		s.violated("%d times texts of phones came to nothing without a word, and %d notices were left out", len(untold), s.leftOut)
	}
	for _, r := range s.current {
		if r.Notice || r.ParentSid != "" {
			s.checkText(r)
			s.checkTruth(r)
		}
	}
	s.checkNotices()
	s.checkBounds()
}

// isNoAnswer reports whether a phone's text is rightly none for a customer: its STOP, the START of a phone that has opted out, and what
// a phone that has left writes to a number that is switched off, or HELP, which Twilio answers. A phone that has left, and was sent no text
// but notices, is anybody's.
func (s *schedule) isNoAnswer(w *writing, r ledger.Record) bool {
	isStop := r.Reason == ledger.ReasonOptOut && w.body == "STOP"
	isStart := r.Reason == ledger.ReasonKeyword && s.mayBeOptedOut(w.by.phone)
	isNobodys := r.Reason == ledger.ReasonInactive || r.Reason == ledger.ReasonKeyword || !s.wasTexted(w)
	return isStop || isStart || s.mayHaveLeft(w) && isNobodys
}

// wasTexted reports whether the phone was sent a customer's text before it was decided about what it wrote: no notice, and no answer, which
// goes to whoever left and wrote as a customer.
func (s *schedule) wasTexted(w *writing) bool {
	for _, c := range s.changes {
		isHere := func(a ledger.Attempt) bool { return a.To == w.by.phone }
		switch {
		case c.record.MessageSid == w.sid():
			return false
		case !c.record.Notice && !c.record.IsAnswer() && slices.ContainsFunc(c.record.Attempts, isHere):
			return true
		}
	}
	return false
}

// mayHaveLeft reports whether the phone may have been off the route when the text was decided about.
func (s *schedule) mayHaveLeft(w *writing) bool {
	return slices.ContainsFunc(s.waysSince(w.at), func(way wayAt) bool { return !way.IsPhone(w.by.phone) })
}

// count counts an answer, and whether it was asked about.
func (s *schedule) count(w *writing, r ledger.Record) {
	if !w.isAnswer {
		return
	}
	who := crew{s.Habit, s.Threads > 0}
	of := s.tally.asked[who]
	of.answers++
	if v := r.Answer.Verdict; v == ledger.AnswerHeld || v == ledger.AnswerJoined {
		of.asked++
	}
	s.tally.asked[who] = of
}

// untold returns the cause of the notice that the phone was to get and did not, when its text did not come to a customer; empty if it
// got that notice, or was to get none. One notice may be about several texts.
func (s *schedule) untold(w *writing, r ledger.Record) string {
	isTold := func(cause string) bool {
		_, ok := s.current[noticeSid(w.by.phone, cause)]
		return ok
	}
	var cause string
	switch {
	case r.Destination != "" && isLost(r.State):
		cause = w.sid() + ".lost"
	case r.Destination != "", r.Reason == ledger.ReasonAutoReply, r.Reason == ledger.ReasonReaction:
		return ""
	case r.Answer.Verdict != ledger.AnswerHeld && r.Answer.Verdict != ledger.AnswerJoined:
		cause = w.sid()
	}
	if cause == "" {
		cause = s.endOfHeld(w, isTold)
	}
	if cause == "" || isTold(cause) || isTold(cause+".has") {
		return ""
	}
	return cause
}

// endOfHeld returns the cause of the notice that held words were not sent: what ended them, or the first of them. It is empty if the phone
// was told about others that were held.
func (s *schedule) endOfHeld(w *writing, isTold func(cause string) bool) string {
	cause := ""
	for _, other := range w.by.wrote {
		answer := s.current[other.sid()].Answer
		if slices.Contains(answer.Ends, w.sid()) {
			return other.sid()
		}
		if answer.Verdict == ledger.AnswerHeld && other.n <= w.n {
			cause = other.sid() + ".unaddressed"
		}
	}
	// Words that were joined end with the first of them.
	if slices.ContainsFunc(w.by.wrote, func(other *writing) bool { return isTold(other.sid() + ".unaddressed") }) {
		return ""
	}
	return cause
}

func isLost(state ledger.State) bool {
	return slices.Contains([]ledger.State{ledger.Undelivered, ledger.Failed, ledger.Uncertain, ledger.Dropped, ledger.Dead}, state)
}

// twinsOf returns the texts that say the same from the same customer, the text itself among them.
func (s *schedule) twinsOf(r ledger.Record) []string {
	var twins []string
	for n := range s.Texts {
		if m := s.inbound(n + 1); m.From == r.Customer && m.Body == r.Body && !r.IsAnswer() {
			twins = append(twins, m.Sid)
		}
	}
	for _, other := range s.current {
		isSamePart := r.SecondPart && other.SecondPart && r.Body == other.Body
		isSameAnswer := r.IsAnswer() && other.IsAnswer() && r.Answer.Words == other.Answer.Words
		isSameAgain := (r.ParentSid != "" || other.ParentSid != "") && r.Body == other.Body && !r.IsAnswer()
		if (isSameAgain || isSameAnswer || isSamePart || r.Notice && other.Notice && r.Body == other.Body) && r.Customer == other.Customer {
			twins = append(twins, other.MessageSid)
		}
	}
	return twins
}

// expectTexts lets customers write: at first one after the other, and where people answer, over some time.
func (s *schedule) expectTexts() {
	at := s.began
	for n := range s.Texts {
		if !s.Texts[n].Manual {
			s.Texts[n].Pictures = s.numPictures()
		}
		due := s.began.Add(time.Duration(n*n) * time.Second)
		if s.Habit > 0 {
			gaps := []time.Duration{0, 5 * time.Second, 20 * time.Second, time.Minute, 3 * time.Minute, 20 * time.Minute}
			if s.Threads > 0 {
				// A thread goes to another customer after a day.
				gaps[3] = 25 * time.Hour
			}
			at = at.Add(one(s.chance, gaps...))
			if n >= len(s.Texts)-s.Chatter.Texts {
				at = s.began.Add(time.Duration(n) * 2 * time.Second)
			}
			due = at
		}
		s.webhooks = append(s.webhooks, webhookOf{text: n + 1, due: due})
	}
}

// plus returns the sum of two.
func (t tally) plus(u tally) tally {
	sum := tally{asked: map[crew]share{}, misled: t.misled + u.misled, automatic: t.automatic + u.automatic}
	for _, of := range []tally{t, u} {
		for who, more := range of.asked {
			one := sum.asked[who]
			sum.asked[who] = share{one.answers + more.answers, one.asked + more.asked}
		}
	}
	return sum
}

// String has a line for each kind of people who answered.
func (t tally) String() string {
	text := fmt.Sprintf("%d misled, %d automatic", t.misled, t.automatic)
	for _, hasThreads := range []bool{false, true} {
		for _, habit := range []int{200, 600, 900} {
			of := t.asked[crew{habit, hasThreads}]
			if of.answers == 0 {
				continue
			}
			text += fmt.Sprintf("\nof %d answers where %d in ten have a tag, %s, %d are asked about (%.1f %%)", of.answers, habit/100,
				map[bool]string{false: "without threads", true: "with threads"}[hasThreads], of.asked, 100*float64(of.asked)/float64(of.answers))
		}
	}
	return text
}
