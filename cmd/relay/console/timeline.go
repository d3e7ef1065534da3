package console

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/meaning"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// step is one thing that happened to a text.
type step struct {
	At time.Time
	// Name is which part of the way it belongs to, Says what happened.
	Name, Says string
	// Code is Twilio's code, 0 if there is none.
	Code int
	// IsNoise: most people can do without it. IsLoud: somebody should do something.
	IsNoise, IsLoud bool
}

// stretch is some steps in a row that are all noise, or all not.
type stretch struct {
	Steps   []step
	IsNoise bool
}

// timelineOf returns what happened to a text, oldest first, from its changes in the audit log.
func timelineOf(m operations.Message) []stretch {
	steps := []step{cameIn(m)}
	if m.Trail != nil {
		for _, e := range m.Trail.Entries {
			steps = append(steps, stepsOf(e, m)...)
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.At.Compare(b.At) })
	var all []stretch
	for _, s := range steps {
		if last := len(all) - 1; last >= 0 && all[last].IsNoise == s.IsNoise {
			all[last].Steps = append(all[last].Steps, s)
			continue
		}
		all = append(all, stretch{[]step{s}, s.IsNoise})
	}
	return all
}

// cameIn is how the text came to the relay.
func cameIn(m operations.Message) step {
	s := step{At: m.ReceivedAt, Name: "Webhook", Says: "Twilio brought it. The relay put it on the queue, and said so to Twilio."}
	switch {
	case m.ParentSid != "":
		s.Name, s.Says = "Queue", "The relay put it on the queue, for the text that it belongs to."
	case m.Notice:
		s.Name, s.Says = "Notice", "The relay wrote it by itself, and put it on the queue."
	case m.Manual:
		s.Name, s.Says = "Queue", "Somebody sent it by hand. It was put on the queue."
	}
	return s
}

// stepsOf says what a change of the text's record was. Most are one step.
func stepsOf(e operations.Entry, m operations.Message) []step {
	s := step{At: e.Time, Name: "Audit"}
	switch {
	case e.Unsealed:
		s.Says, s.IsLoud = "Something other than the relay changed the record: "+stateWords(e.To, e.Reason)+".", true
	case e.Change == auditlog.ChangeRemoved, e.Change == auditlog.ChangeExpired:
		s.Says = "The record was " + e.Change + "."
	case e.ReadBy != "":
		s.Says, s.IsNoise = e.ReadBy+" was shown what it says.", true
	case e.To == "" && e.Decision != "":
		s.Says = e.Actor + " " + deeds()[conversation.Deed(e.Decision)] + "."
	case e.Decision != "":
		s.Says = decisionWords(e) + " Now it is " + stateWords(e.To, e.Reason) + "."
	case e.To == string(ledger.Sending) && e.From != e.To:
		return claimSteps(e, m)
	case e.Attempt != nil && e.From != "" && e.From != string(ledger.Queued):
		return []step{attemptStep(e)}
	default:
		return []step{plannedStep(e)}
	}
	return []step{s}
}

// decisionWords says who decided what, and why.
func decisionWords(e operations.Entry) string {
	words := e.Actor + " decided: " + decisions()[ledger.Verdict(e.Decision)] + "."
	if e.Note != "" {
		words += " “" + e.Note + "”"
	}
	return words
}

// deeds are what operators do with a text, in words.
func deeds() map[conversation.Deed]string {
	return map[conversation.Deed]string{
		conversation.DeedReply: "wrote it", conversation.DeedGive: "gave the customer to a phone",
		conversation.DeedRedrive: "had its dead letter moved back to the queue",
	}
}

// decisions are what operators decide about texts, in words.
func decisions() map[ledger.Verdict]string {
	return map[ledger.Verdict]string{
		ledger.VerdictSent: "Twilio has it", ledger.VerdictResend: "send it again", ledger.VerdictGiveUp: "leave it alone",
		ledger.VerdictLetterDropped: "delete its dead letter", ledger.VerdictForget: "forget the customer",
	}
}

// claimSteps are the plan, if the try is the first at its phone, and the claim that is written before the text is posted.
func claimSteps(e operations.Entry, m operations.Message) []step {
	if e.Attempt == nil {
		return []step{plannedStep(e)}
	}
	phone, isFirst := sms.PhoneNumber(e.Attempt.Destination), true
	for _, a := range m.Attempts {
		if a.Number == e.Attempt.Number {
			phone = a.Destination
		}
		isFirst = isFirst && (a.Hop != e.Attempt.Hop || a.Number >= e.Attempt.Number)
	}
	var steps []step
	if isFirst {
		steps = append(steps, step{At: e.Time, Name: "Plan", Says: fmt.Sprintf("It goes to phone %d, %s.", e.Attempt.Hop+1, phone)})
	}
	return append(steps, step{
		At: e.Time, Name: "Claim", Says: fmt.Sprintf("Try %d: the claim is written, so that it is posted once.", e.Attempt.Number), IsNoise: true,
	})
}

// attemptStep is what was learned of a try: by Twilio's answer, by a look at its list or by a receipt.
func attemptStep(e operations.Entry) step {
	a, isOpen := *e.Attempt, e.From == string(ledger.Sending)
	s := step{At: e.Time, Code: a.ErrorCode, IsLoud: isLoud(e.To)}
	switch {
	case a.Outcome == fault.Unknown.String() && a.Looks == 0:
		s.Name, s.Says = "Answer", fmt.Sprintf("Try %d has no answer of Twilio, which may have the message.", a.Number)
	case a.Outcome == fault.Unknown.String():
		s.Name, s.Says = "Look", fmt.Sprintf("Twilio's list does not show it, after %s.", cli.Plural(a.Looks, "look"))
		s.IsNoise = e.From == e.To
	case a.Found && isOpen:
		s.Name, s.Says = "Look", "Twilio's list has it: "+a.OutboundSid+"."
	case isOpen && a.Outcome == ledger.OutcomeAccepted:
		s.Name, s.Says = "Answer", "Twilio accepted it: "+a.OutboundSid+"."
	case isOpen && a.Outcome != "":
		s.Name, s.Says = "Answer", fmt.Sprintf("Try %d was not accepted: %s.", a.Number, outcomeWords(a.Outcome))
	case a.Status != "":
		s.Name, s.Says, s.IsNoise = "Receipt", "Twilio says "+a.Status+".", e.From == e.To
	default:
		return plannedStep(e)
	}
	if e.To != e.From && e.To != string(ledger.Sent) {
		s.Says += " Now it is " + stateWords(e.To, e.Reason) + "."
	}
	return s
}

// outcomeWords say why a try was not accepted.
func outcomeWords(outcome string) string {
	return cmp.Or(map[string]string{
		fault.Transient.String(): "Twilio could not take it now", fault.Throttled.String(): "Twilio was too busy",
		fault.Permanent.String(): "Twilio refused it for good", fault.Unreachable.String(): "this phone cannot be reached",
		fault.OptedOut.String(): "this phone has opted out", fault.Fatal.String(): "Twilio does not let the account send",
		fault.NotSent.String(): "there was no connection to Twilio", fault.Quota.String(): "a quota is used up",
	}[outcome], outcome)
}

// plannedStep is a change that no try brought about: what was planned for the text, or what it waits for.
func plannedStep(e operations.Entry) step {
	s := step{At: e.Time, Name: "Plan", Says: "Now it is " + stateWords(e.To, e.Reason) + ".", IsLoud: isLoud(e.To)}
	if e.To == string(ledger.Queued) {
		s.Name, s.Says = "Waiting", cmp.Or(reasonWords(e.Reason), "It waits for its turn.")
		s.IsNoise = e.From == e.To || e.Reason == string(ledger.ReasonPace)
	}
	return s
}

// isLoud reports whether somebody should do something about a text that came into the state.
func isLoud(state string) bool {
	return slices.Contains([]ledger.State{ledger.Undelivered, ledger.Failed, ledger.Uncertain, ledger.Dead}, ledger.State(state))
}

// stateWords are a state with its reason.
func stateWords(state, reason string) string {
	words := state
	if says := reasonWords(reason); says != "" {
		words += " – " + says
	} else if w, ok := meaning.OfState(ledger.State(state)); ok {
		words += " – " + w.Meaning
	}
	return words
}

// reasonWords say what a reason means; empty for none.
func reasonWords(reason string) string {
	for _, r := range meaning.Reasons() {
		if string(r.Name) == reason {
			return r.Meaning
		}
	}
	return ""
}

// codeWords say what one of Twilio's codes means.
func codeWords(code int) string {
	codes := twilio.Codes()
	if i := slices.IndexFunc(codes, func(c twilio.Code) bool { return c.Number == code }); i >= 0 {
		return codes[i].Meaning
	}
	return "not in the relay's table"
}

// adviceOf says what somebody may do about a text, on the host.
func adviceOf(m operations.Message) string {
	for _, r := range meaning.Reasons() {
		if r.Name == m.Reason {
			return r.Advice
		}
	}
	w, _ := meaning.OfState(m.State)
	return w.Advice
}

// whyLost says why a text reached nobody.
func whyLost(t operations.ResendText) string {
	words := stateWords(string(t.State), string(t.Reason))
	if t.ErrorCode != 0 {
		words += fmt.Sprintf("; code %d: %s", t.ErrorCode, codeWords(t.ErrorCode))
	}
	return words
}
