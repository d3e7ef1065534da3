package figures

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// kind is what a record is.
type kind int

// The kinds of records. Others are notices, second parts and texts that go out again.
const (
	other kind = iota
	// text is a customer's.
	text
	// answer is a phone's, to a customer; byHand an operator's, to a customer or a phone.
	answer
	byHand
	// mine, done and reaction are what a phone said about the customer of a tag.
	mine
	done
	reaction
)

// entry is what is remembered of a record: nothing that anybody wrote.
type entry struct {
	kind     kind
	at       time.Time
	customer sms.PhoneNumber
	tag      string
	// begun is when Twilio took a customer's text for a phone; zero if it never did, or if the text is none of a customer. given is set if
	// the text goes out again because a phone was given the customer.
	begun time.Time
	given bool
	sent  []sending
	// received are the segments that came in, pictures the messages with attachments in both directions, erased those whose words are gone.
	received, pictures, erased int
}

// sending is a message that was given to Twilio, or refused by it.
type sending struct {
	to      sms.PhoneNumber
	outcome outcome
	code    int
	// segments are those that it was billed as; 0 if it was refused, has attachments, or its words are gone.
	segments int
}

type outcome int

const (
	underWay outcome = iota
	delivered
	lost
	refusedMessage
)

// entryOf counts a record.
func entryOf(r ledger.Record) entry {
	e := entry{at: r.ReceivedAt, customer: r.Customer.Key()}
	isOurs := r.Notice || r.SecondPart || r.ParentSid != ""
	isErased := r.Decision.What == ledger.VerdictForget
	switch {
	case r.Manual:
		if e.kind, e.customer = byHand, r.Destination.Key(); r.Destination == "" {
			e.kind = other
		}
	case isOurs:
	case r.IsAnswer():
		e.ofPhone(r)
	default:
		e.kind = text
	}
	if isInbound := !r.Manual && !isOurs; isInbound && isErased {
		e.erased++
	} else if isInbound && len(r.Media) > 0 {
		e.pictures++
	} else if isInbound {
		e.received = sms.Segments(r.Body)
	}
	isCustomers := !r.Manual && !r.Notice && !r.SecondPart && !r.IsAnswer()
	for _, a := range r.Attempts {
		s := sendingOf(a)
		if s.outcome != refusedMessage && (!a.Accepted() && !a.Unknown()) {
			continue
		}
		if a.Accepted() {
			switch asSent := r.AsSent(a); {
			case isErased:
				e.erased++
			case plan.NumMedia(asSent) > 0:
				e.pictures++
			default:
				s.segments = plan.Segments(asSent, a.Header)
			}
			if isCustomers && e.begun.IsZero() {
				e.begun = a.EndedAt
			}
		}
		e.sent = append(e.sent, s)
	}
	e.given = r.IsGiven()
	if isCustomers && len(r.Attempts) > 0 {
		if tag, _, isTagged := conversation.Leading(r.Attempts[0].Header); isTagged {
			e.tag = string(tag)
		}
	}
	return e
}

// ofPhone says what a text of a phone on duty is.
func (e *entry) ofPhone(r ledger.Record) {
	e.at, e.tag = r.Answer.At, r.Answer.Tag
	command, _ := conversation.CommandOf(r.Body)
	switch {
	case r.Answer.Verdict == ledger.AnswerCommand && command.Verb == conversation.VerbMine:
		e.kind = mine
	case r.Answer.Verdict == ledger.AnswerCommand && command.Verb == conversation.VerbDone:
		e.kind = done
	case r.Reason == ledger.ReasonReaction:
		e.kind = reaction
	case r.Destination != "" && r.State != ledger.Dropped:
		e.kind = answer
	}
}

// sendingOf says what became of an attempt.
func sendingOf(a ledger.Attempt) sending {
	s := sending{to: a.To.Key(), code: a.ErrorCode}
	switch {
	case a.Accepted() && a.Status.Lost():
		s.outcome = lost
	case a.Accepted() && a.Status.Final():
		s.outcome, s.code = delivered, 0
	case a.Accepted() || a.Unknown():
		s.outcome = underWay
	case a.ErrorCode != 0:
		s.outcome = refusedMessage
	}
	return s
}
