package twilio

import "quickdumpnow.com/smsrelay/shared/fault"

// Outcome is a way in which the POST of a message may end where no code of Twilio's decides, and our one answer to it.
type Outcome struct {
	// Name is how people call it: "429" or "5xx" of HTTP, "no-answer" of the transport.
	Name string
	// First and Last are the HTTP statuses that it is about, both 0 if it is about the transport.
	First, Last int
	// Kind is what may be done about it.
	Kind fault.Kind
	// Meaning is a short description, Why the reason for the answer in a sentence or two. Both are for people.
	Meaning string
	Why     string

	code weight
}

// weight says what a code in an answer counts beside its HTTP status.
type weight int

const (
	// ignored: the status decides alone.
	ignored weight = iota
	// heeded: a code that is known decides, and the status in its place if it is not.
	heeded
	// missed: so does a code that is known, and the status only if there is no code at all.
	missed
)

// HTTPOutcomes returns the answers to HTTP statuses, from 100 to 599. Of several that a status is in, the first counts.
func HTTPOutcomes() []Outcome {
	const unclear = "Twilio may have taken the message all the same: repeating it could text someone twice, so it is looked up first."
	return []Outcome{
		{"1xx", 100, 199, fault.Unknown, "no final answer", unclear, ignored},
		{
			"2xx", 200, 299, fault.Unknown, "a yes that names no message",
			"Twilio has probably taken the message, but without its Sid nobody can tell: it is looked up. A 2xx that names the message is simply sent.", ignored,
		},
		{
			"3xx", 300, 399, fault.Unknown, "a redirect",
			"Twilio's API sends none, so that something stands in between. It is not followed, which would be a second POST; whether the first arrived is looked up.", ignored,
		},
		{
			"401", 401, 401, fault.Fatal, "credentials refused",
			"Every text would be refused. All of them wait until the relay has the right credentials: on AWS it reads the secret again by itself, on one host when it starts.", ignored,
		},
		{
			"403", 403, 403, fault.Fatal, "forbidden",
			"The account or the API key may not, or something stands between Twilio and the relay. Every text would fail for it, so they wait. With a code that is in the table, the code decides.", heeded,
		},
		{
			"404", 404, 404, fault.Fatal, "not found, without a code of Twilio's",
			"This is not Twilio's own answer: a wrong base URL, or a proxy in between. Every text would fail for it, so they wait. With a code, the code decides.", missed,
		},
		{"408", 408, 408, fault.Unknown, "request timed out", unclear, heeded},
		{
			"429", 429, 429, fault.Throttled, "too many requests",
			"Twilio turned the request away unread because too many were under way. It is always safe to repeat.", ignored,
		},
		{
			"4xx", 400, 499, fault.Permanent, "refused",
			"Twilio gave an answer, the answer was no, and it will be the same next time. With a code that is in the table, the code decides.", heeded,
		},
		{"5xx", 500, 599, fault.Unknown, "trouble at Twilio", unclear, ignored},
	}
}

// The names of the transport's outcomes.
const (
	notSent         = "not-sent"
	noAnswer        = "no-answer"
	cutShort        = "cut-short"
	refusalCutShort = "refusal-cut-short"
)

// TransportOutcomes returns the answers to exchanges that broke off.
func TransportOutcomes() []Outcome {
	return []Outcome{
		{
			Name: notSent, Kind: fault.Transient, Meaning: "request was not sent",
			Why: "Nothing of the message had left when the call failed, and nothing can leave later. The same again is safe.",
		},
		{
			Name: noAnswer, Kind: fault.Unknown, Meaning: "request was sent, no answer",
			Why: "The message had begun to leave, so that Twilio may have taken it: repeating it could text someone twice, so it is looked up first.",
		},
		{
			Name: cutShort, Kind: fault.Unknown, Meaning: "answer was cut short",
			Why: "The yes was there, but broke off before it named the message. Twilio has probably taken it, so it is looked up.",
		},
		{
			Name: refusalCutShort, Kind: fault.Transient, Meaning: "refusal was cut short",
			Why: "The no was there (4xx), but broke off before the code that says what to do about it. A refusal leaves no message behind, so that the same again is safe.",
		},
	}
}

// outcomeOf returns the outcome of an exchange, and whether the code in its answer, if it is a known one, decides instead.
func outcomeOf(e Exchange, known bool) (outcome Outcome, byCode bool) {
	switch {
	case e.Status == 0 && !e.Sent:
		return transportOutcome(notSent), false
	case e.Status == 0:
		return transportOutcome(noAnswer), false
	}
	for _, outcome := range HTTPOutcomes() {
		switch {
		case e.Status < outcome.First, e.Status > outcome.Last, outcome.code == missed && e.Code != 0 && !known:
			continue
		case outcome.code == ignored:
			return outcome, false
		case e.CutShort && outcome.Kind != fault.Unknown:
			return transportOutcome(refusalCutShort), false
		default:
			return outcome, known
		}
	}
	return Outcome{Kind: fault.Unknown}, false // no status that HTTP has
}

func transportOutcome(name string) Outcome {
	for _, outcome := range TransportOutcomes() {
		if outcome.Name == name {
			return outcome
		}
	}
	return Outcome{Kind: fault.Unknown}
}
