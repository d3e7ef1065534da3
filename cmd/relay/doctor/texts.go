package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/sms"
)

type phone = sms.PhoneNumber

func textChecks() []Check {
	return []Check{
		{"dead-letters", "Customers wrote, and nobody got their texts: the relay gave them up.", both, deadLetters},
		{
			"reached-nobody", "Customers wrote within the last day, and their texts reached no phone. Nothing else reports them.", both,
			reachedNobody,
		},
		{"unanswered", "These customers wait for an answer, and every phone of the route has had its time.", both, unanswered},
		{"uncertain", "Nobody knows whether these texts were sent. They wait until someone looks.", both, uncertain},
		{"sending-halted", "While Twilio refuses the account, all texts wait. After four hours they become dead letters.", both, sendingHalted},
		{"backlog", "A text that waits longer than the pace limits need is late. After four hours it is dropped.", both, backlog},
		{
			"loop-guard", "Twilio takes more than about 15 texts in 30 seconds between two numbers for a loop, and refuses them with 14107.", both,
			loopGuard,
		},
	}
}

func deadLetters(ctx context.Context, e *exam) Finding {
	if e.DeadLetters == nil {
		return skipped(errNotOpened)
	}
	waiting, inFlight, err := e.DeadLetters.Depth(ctx)
	switch {
	case err != nil:
		return skipped("the dead letters could not be counted: %v", err)
	case waiting+inFlight > 0:
		return fail("relay dlq ls says why; fix that first, then relay dlq redrive", "dead letters: %d", waiting+inFlight)
	default:
		return ok("there are no dead letters")
	}
}

// aDay is how far back texts that reached nobody are counted, maxLost how many of a state are counted at most.
const (
	aDay    = 24 * time.Hour
	maxLost = 1000
)

func reachedNobody(ctx context.Context, e *exam) Finding {
	if e.Ledger == nil {
		return skipped(errNotOpened)
	}
	records, err := target.Lost(ctx, e.Ledger, ledger.Query{Number: e.inLedger(), Since: e.Now().Add(-aDay)}, maxLost)
	if err != nil {
		return skipped("the texts could not be listed: %v", err)
	}
	total, ways := len(records), map[string]int{}
	for _, r := range records {
		ways[wayOf(r)]++
	}
	if total == 0 {
		return ok("every text of the last day reached a phone, or was dropped on purpose")
	}
	lines := make([]string, 0, len(ways))
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		lines = append(lines, fmt.Sprintf("%d to %s", ways[way], way))
	}
	return fail("fix the cause first; then relay resend --since 24h says what would happen if you send them again",
		"texts of the last day that reached nobody: %d (%s)", total, strings.Join(lines, "; "))
}

func unanswered(ctx context.Context, e *exam) Finding {
	if e.Customers == nil {
		return skipped(errNotOpened)
	}
	routes, err := e.routed()
	if err != nil {
		return skipped("the routes could not be read: %v", err)
	}
	var lines []string
	total := 0
	for _, r := range routes {
		if r.AnswerTimeout == 0 {
			continue
		}
		n := 0
		if err := conversation.Each(ctx, e.Customers, r.TwilioNumber, "", func(c conversation.Conversation) bool {
			if c.IsUnanswered() {
				n++
			}
			return true
		}); err != nil {
			return skipped("the customers could not be listed: %v", err)
		}
		if n > 0 {
			total += n
			lines = append(lines, fmt.Sprintf("%d of %s", n, r.TwilioNumber.Mask()))
		}
	}
	if total == 0 {
		return ok("no customer waits whom every phone had its time to answer")
	}
	return fail("relay conversation ls NUMBER --open lists them; answer with the tag, or relay conversation done if somebody called",
		"customers whom nobody has answered: %d (%s)", total, strings.Join(lines, ", "))
}

// wayOf says why a text reached nobody: the number that was texted, the state, and the reason or Twilio's code.
func wayOf(r ledger.Record) string {
	way := r.TwilioNumber.Mask() + " " + string(r.State)
	if r.Reason != "" {
		way += ", " + string(r.Reason)
	}
	if last, _ := r.Current(); last.ErrorCode != 0 {
		way += fmt.Sprintf(" %d", last.ErrorCode)
	}
	return way
}

func uncertain(ctx context.Context, e *exam) Finding {
	if e.Ledger == nil {
		return skipped(errNotOpened)
	}
	page, err := e.Ledger.List(ctx, ledger.Query{State: ledger.Uncertain, Number: e.inLedger(), Limit: ledger.MaxLimit})
	switch {
	case err != nil:
		return skipped("the texts could not be listed: %v", err)
	case len(page.Records) > 0:
		return fail("relay uncertain ls; look each up in Twilio's console, then relay uncertain resolve",
			"texts that may or may not have been sent: %d", len(page.Records))
	default:
		return ok("every text was either sent or not sent for certain")
	}
}

// attempt is one attempt of a text from a number, with the text.
type attempt struct {
	ledger.Attempt
	from phone
}

// attempts returns the attempts of the recent texts, the newest first.
func (e *exam) attempts() ([]attempt, error) {
	records, err := e.recent()
	if err != nil {
		return nil, err
	}
	var all []attempt
	for _, r := range records {
		for _, a := range r.Attempts {
			all = append(all, attempt{a, r.SentFrom(a)})
		}
	}
	slices.SortFunc(all, func(a, b attempt) int { return b.StartedAt.Compare(a.StartedAt) })
	return all, nil
}

// sendingHalted checks how the newest attempt ended.
func sendingHalted(_ context.Context, e *exam) Finding {
	attempts, err := e.attempts()
	attempts = slices.DeleteFunc(attempts, func(a attempt) bool { return a.Outcome == "" })
	switch {
	case err != nil:
		return skipped("the texts could not be listed: %v", err)
	case len(attempts) == 0:
		return ok("nothing was sent lately, so nothing was refused")
	case attempts[0].Outcome == fault.Fatal.String():
		return fail("relay explain code CODE says what it means; fix the account or its credentials, then the texts go out by themselves",
			"Twilio refused the account at %s, with %d", attempts[0].StartedAt.UTC().Format(time.RFC3339), attempts[0].ErrorCode)
	default:
		return ok("Twilio did not refuse the account when it was last asked")
	}
}

// lateAfter is how late a text may be before someone should look.
const lateAfter = 15 * time.Minute

func backlog(ctx context.Context, e *exam) Finding {
	if e.Ledger == nil {
		return skipped(errNotOpened)
	}
	late := 0
	for _, state := range []ledger.State{ledger.Queued, ledger.Sending} {
		page, err := e.Ledger.List(ctx, ledger.Query{State: state, Number: e.inLedger(), Until: e.Now().Add(-lateAfter), Limit: ledger.MaxLimit})
		if err != nil {
			return skipped("the texts could not be listed: %v", err)
		}
		for _, r := range page.Records {
			if due := latest(r.ReceivedAt, r.NotBefore, r.LeaseUntil, r.Slot.At); due.Before(e.Now().Add(-lateAfter)) {
				late++
			}
		}
	}
	if late > 0 {
		return fail("check that the sender runs: look in the log of relay serve, or on AWS at event-source-mappings and the alarm queue-age "+
			"in docs/runbook.md", "texts that were due more than %s ago: %d", duration.Text(lateAfter), late)
	}
	return ok("no text waits longer than it should")
}

func latest(times ...time.Time) time.Time {
	return slices.MaxFunc(times, time.Time.Compare)
}

// codeLoop is Twilio's code for a pair of numbers that looks like a loop.
const codeLoop = 14107

// safePair is a pace between two numbers that Twilio certainly allows.
var safePair = pace.Limit{N: 15, Per: 30 * time.Second} //nolint:gochecknoglobals // a constant that Go cannot write as one.

func loopGuard(_ context.Context, e *exam) Finding {
	const fix = "set RELAY_PACE_PAIR (on AWS the parameter PacePair) to its default, 10/30s, or lower"
	attempts, err := e.attempts()
	stopped := slices.ContainsFunc(attempts, func(a attempt) bool { return a.ErrorCode == codeLoop })
	switch {
	case stopped:
		return fail(fix, "Twilio stopped texts between two numbers with %d within the last week", codeLoop)
	case e.PacePair != nil && (e.PacePair.Off() || faster(*e.PacePair, safePair)):
		return warn(fix, "the limit between two numbers is %s; Twilio allows about %s", e.PacePair, safePair)
	case err != nil:
		return skipped("the texts could not be listed: %v", err)
	default:
		return ok("Twilio stopped no texts as a loop within the last week")
	}
}

// faster reports whether a allows more than b, at once or in the long run.
func faster(a, b pace.Limit) bool {
	return a.N > b.N || int64(a.N)*int64(b.Per) > int64(b.N)*int64(a.Per)
}
