package explain

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// answered is what the relay does about something, and what happens to the text.
type answered struct {
	// Answer is the name of a retry.Answer, Kind that of the fault.Kind that it comes from, empty if nothing failed.
	Answer string `json:"answer"`
	Kind   string `json:"kind,omitempty"`
	// RetryAfterSeconds is the least wait, 0 if the retry policy alone decides.
	RetryAfterSeconds int `json:"retry_after_seconds,omitempty"`
	// Becomes says what state the text comes to.
	Becomes string `json:"becomes"`
}

// afterPost returns the answer to a POST that failed with f.
func afterPost(f *fault.Error) *answered {
	answer := retry.AnswerTo(f.Kind)
	return &answered{answer.String(), f.Kind.String(), int(f.RetryAfter / time.Second), postBecomes(answer)}
}

func postBecomes(answer retry.Answer) string {
	switch answer {
	case retry.Sent:
		return "sent; its receipts then say whether it was delivered"
	case retry.Retry:
		return "queued, for the same phone again; dead when its attempts are used up or it is too old"
	case retry.Wait:
		return "queued, for the same phone again, without using up an attempt; dead (expired) when it is too old"
	case retry.NextHop:
		return "queued (next_hop), for the next phone of the route at once; failed (refused) if no phone is left"
	case retry.Failed:
		return "failed (refused)"
	case retry.Unknown:
		return "sending, while the relay waits for receipts and searches Twilio's list of messages for it; then sent if it is found, " +
			"otherwise uncertain, or queued (resend) if the route says so"
	case retry.Halt:
		return "queued, without using up an attempt; the relay tries one text at a time until the account can be used again; dead (expired) " +
			"when it is too old"
	default:
		return ""
	}
}

// eitherState is the last state of a text whose message was not delivered, if the receipt's status is not known.
const eitherState = "undelivered or failed, as the receipt says"

// afterReceipt returns the answer to a message that was not delivered because of f. Without a further attempt the text ends in the
// state rest.
func afterReceipt(f *fault.Error, rest string) *answered {
	answer := retry.AnswerTo(f.Kind)
	return &answered{answer.String(), f.Kind.String(), int(f.RetryAfter / time.Second), receiptBecomes(answer, rest)}
}

func receiptBecomes(answer retry.Answer, rest string) string {
	switch answer {
	case retry.Retry:
		return "queued, for the same phone again; " + rest + ", when its attempts are used up or if it would be too old"
	case retry.Wait:
		return "queued, for the same phone again later; " + rest + ", if it would be too old"
	case retry.NextHop:
		return "queued (next_hop), for the next phone of the route at once; " + rest + ", if no phone is left"
	case retry.Halt:
		return "queued, until the account can be used again; " + rest + ", if it would be too old"
	case retry.Failed:
		return rest
	case retry.Sent, retry.Unknown:
		return ""
	default:
		return ""
	}
}

func allCodes() []explanation {
	var all []explanation
	for _, code := range twilio.Codes() {
		all = append(all, explainCode(code.Number))
	}
	return all
}

func findCode(name string) (explanation, error) {
	number, err := codeNumber(name)
	if err != nil {
		return explanation{}, err
	}
	return explainCode(number), nil
}

// codeNumber reads one of Twilio's codes, known or not. They have five digits, and a few have six.
func codeNumber(name string) (int, error) {
	number, err := numbered(name, "code of Twilio's: they have five or six digits", 10000, 999_999)
	if begun := codesLike(name); len(begun) > 0 {
		return number, cli.WithHint(err, "did you mean "+strings.Join(begun, ", ")+"?")
	}
	return number, cli.WithHint(err, "relay explain codes lists the codes that the relay knows")
}

// codesLike returns the known codes that begin with text, which is not empty.
func codesLike(text string) []string {
	var like []string
	for _, code := range twilio.Codes() {
		if number := strconv.Itoa(code.Number); text != "" && strings.HasPrefix(number, text) {
			like = append(like, number)
		}
	}
	return like
}

func explainCode(number int) explanation {
	e := explanation{
		Subject: "code", Name: strconv.Itoa(number), Meaning: "not in the table",
		Post:    afterPost(twilio.Classify(twilio.Exchange{Sent: true, Status: http.StatusBadRequest, Code: number})),
		Receipt: afterReceipt(twilio.ClassifyReceipt(sms.StatusUndelivered, number), eitherState),
		Why: "The relay does not know this code. As the answer to a POST it means no, and the next answer would be the same. " +
			"In a receipt the status counts: after undelivered and failed nobody got the message, but the next phone may; " +
			"canceled means that someone stopped the message on purpose, and ends the text.",
		URL: "https://www.twilio.com/docs/api/errors/" + strconv.Itoa(number),
	}
	codes := twilio.Codes()
	if at := slices.IndexFunc(codes, func(c twilio.Code) bool { return c.Number == number }); at >= 0 {
		e.Known, e.Meaning, e.Why = true, codes[at].Meaning, codes[at].Why
		return e
	}
	e.Nearest = nearest(number, codes)
	return e
}

// nearest returns the two known codes that are closest to a number, the closest first.
func nearest(number int, codes []twilio.Code) []string {
	distance := func(c twilio.Code) int { return max(c.Number-number, number-c.Number) }
	slices.SortStableFunc(codes, func(a, b twilio.Code) int { return cmp.Compare(distance(a), distance(b)) })
	var names []string
	for _, code := range codes[:min(2, len(codes))] {
		names = append(names, fmt.Sprintf("%d (%s)", code.Number, code.Meaning))
	}
	return names
}

func allReceipts() []explanation {
	var all []explanation
	for _, status := range []sms.Status{sms.StatusUndelivered, sms.StatusFailed, sms.StatusCanceled} {
		all = append(all, explainStatus(status))
	}
	for _, code := range twilio.Codes() {
		all = append(all, explainReceipt(code.Number))
	}
	return all
}

func findReceipt(name string) (explanation, error) {
	if status := sms.Status(name); status.Lost() {
		return explainStatus(status), nil
	}
	number, err := codeNumber(name)
	if err != nil && codesLike(name) == nil {
		err = cli.Hinted(
			cli.Usage(fmt.Errorf("%q is neither an ErrorCode nor a status of a message that was not delivered", name)),
			"the statuses are undelivered, failed and canceled; relay explain codes lists the codes",
		)
	}
	if err != nil {
		return explanation{}, err
	}
	return explainReceipt(number), nil
}

// explainReceipt explains a code as a receipt's ErrorCode alone.
func explainReceipt(number int) explanation {
	e := explainCode(number)
	e.Subject, e.Post = "receipt", nil
	return e
}

// explainStatus explains a receipt with a status, and no code or one that is not in the table.
func explainStatus(status sms.Status) explanation {
	f, rest := twilio.ClassifyReceipt(status, 0), ledger.Failed
	if status == sms.StatusUndelivered {
		rest = ledger.Undelivered
	}
	e := explanation{
		Subject: "receipt", Name: string(status), Known: true, Meaning: "with no code, or one that is not in the table",
		Receipt: afterReceipt(f, string(rest)),
		Why:     "The receipt says for certain that nobody got the message, but not why. A message to the next phone may still arrive.",
	}
	if f.Kind == fault.Permanent {
		e.Why = "The message was canceled before it was sent. The relay never does that: someone did it on purpose."
	}
	return e
}

func allHTTP() []explanation {
	var all []explanation
	for _, outcome := range twilio.HTTPOutcomes() {
		all = append(all, explainOutcome("http", outcome.Name, outcome))
	}
	return all
}

func findHTTP(name string) (explanation, error) {
	for _, outcome := range twilio.HTTPOutcomes() {
		if outcome.Name == name {
			return explainOutcome("http", name, outcome), nil
		}
	}
	status, err := numbered(name, "HTTP status: they are from 100 to 599", 100, 599)
	if err != nil {
		return explanation{}, cli.WithHint(err, "relay explain http lists all of them; relay explain code is for Twilio's codes")
	}
	for _, outcome := range twilio.HTTPOutcomes() {
		if outcome.First <= status && status <= outcome.Last {
			return explainOutcome("http", name, outcome), nil
		}
	}
	return explanation{}, fmt.Errorf("no outcome has status %d", status)
}

func allTransport() []explanation {
	var all []explanation
	for _, outcome := range twilio.TransportOutcomes() {
		all = append(all, explainOutcome("transport", outcome.Name, outcome))
	}
	return all
}

func findTransport(name string) (explanation, error) {
	return named("outcome of the transport", name, allTransport())
}

// unheardOf is a code that Twilio does not have.
const unheardOf = 99999

func explainOutcome(subject, name string, outcome twilio.Outcome) explanation {
	e := explanation{
		Subject: subject, Name: name, Known: true, Meaning: outcome.Meaning, Why: outcome.Why,
		Post: afterPost(&fault.Error{Kind: outcome.Kind}),
	}
	if outcome.WithoutCode() {
		e.Coded = afterPost(twilio.Classify(twilio.Exchange{Sent: true, Status: outcome.First, Code: unheardOf}))
	}
	if outcome.First == http.StatusOK {
		e.Taken = &answered{Answer: retry.Sent.String(), Becomes: postBecomes(retry.Sent)}
	}
	return e
}
