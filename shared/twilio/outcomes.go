package twilio

import (
	"slices"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// Outcome is a way in which the POST of a message may end when no Twilio code decides, and our one answer to it.
type Outcome struct {
	// Name is how people call it: "429" or "5xx" of HTTP, "no-answer" of the transport.
	Name string
	// First and Last are the first and last HTTP status it covers; both are 0 if it is about the transport.
	First, Last int
	// Kind says what to do about it.
	Kind fault.Kind
	// Meaning is a short description, Why the reason for the answer in a sentence or two, both for people.
	Meaning string
	Why     string

	code weight
}

// weight says how much a code in an answer counts next to its HTTP status.
type weight int

const (
	// ignored: only the status decides.
	ignored weight = iota
	// heeded: a known code decides; if the code is unknown or missing, the status decides.
	heeded
	// missed: a known code decides; the status decides only if there is no code at all. Twilio's answers always have one, so
	// this answer is not from Twilio.
	missed
)

// WithoutCode reports whether the outcome is for an answer without a Twilio code, which a proxy or another server gave. With a
// code, another outcome or the code decides.
func (o Outcome) WithoutCode() bool { return o.code == missed }

// HTTPOutcomes returns the answers to HTTP statuses, from 100 to 599. If a status is in several, the first counts.
func HTTPOutcomes() []Outcome {
	return slices.Concat(answeredOutcomes(), misledOutcomes(), refusedOutcomes())
}

// halts is the reason for waiting where every text would get the same answer, from something that is not Twilio.
const halts = " Twilio did not give this answer. Every text would get it, so all texts wait until someone fixes that. If the answer " +
	"has a Twilio code, the code decides."

// refusedOutcomes returns the answers to 4xx. Answers without a Twilio code come from a proxy, a filter or another server. A
// problem that every text would have halts them all; a problem that may pass, or concern this text only, lets this text wait.
func refusedOutcomes() []Outcome {
	const unclear = "Twilio may have accepted the message even so. Repeating it could text someone twice, so the relay looks it up first."
	return []Outcome{
		{
			"401", 401, 401, fault.Fatal, "credentials refused",
			"Every text would be refused. All texts wait until the relay has the right credentials. On AWS it reads the secret again by itself; " +
				"on one host it reads them when it starts.", ignored,
		},
		{
			"403", 403, 403, fault.Fatal, "forbidden",
			"The account or the API key may not send messages, or a proxy between Twilio and the relay refuses. Every text would fail, so all " +
				"texts wait. If the answer has a code that the relay knows, the code decides.", heeded,
		},
		{"408", 408, 408, fault.Unknown, "request timed out", unclear, heeded},
		{
			"429", 429, 429, fault.Throttled, "too many requests",
			"Too many requests were open at once, and Twilio refused this one unread. It is always safe to repeat and does not count as an " +
				"attempt. If the answer has a code that the relay knows, the code decides: for a quota the relay waits longer.", heeded,
		},
		{"451", 451, 451, fault.Fatal, "blocked for legal reasons", "A filter blocks all requests to Twilio." + halts, missed},
		{
			"499", 499, 499, fault.Unknown, "given up by a proxy",
			"A proxy may have passed the message on before it gave up. Repeating it could text someone twice, so the relay looks it up first.",
			missed,
		},
		{
			"4xx-no-code", 400, 499, fault.NotSent, "refused, without a Twilio code",
			"Twilio's refusals have a code. A proxy or another server gave this answer, and Twilio does not have the message. The text waits and " +
				"is tried again until it is too old. If the answer has a Twilio code, the code decides.", missed,
		},
		{
			"4xx", 400, 499, fault.Permanent, "refused, with a Twilio code",
			"Twilio's answer was no, and it will be the same next time. If the answer has a code that the relay knows, the code decides.", heeded,
		},
	}
}

// misledOutcomes returns the answers that say that the request did not reach Twilio, or not as it was sent.
func misledOutcomes() []Outcome {
	return []Outcome{
		{"402", 402, 402, fault.Fatal, "payment required, without a Twilio code", "A proxy or a hotspot demands payment." + halts, missed},
		{"404", 404, 404, fault.Fatal, "not found, without a Twilio code", "The base URL is wrong, or a proxy gave the answer." + halts, missed},
		{
			"405", 405, 405, fault.Fatal, "method not allowed, without a Twilio code",
			"The base URL belongs to another server, or a proxy blocks POST." + halts, missed,
		},
		{"407", 407, 407, fault.Fatal, "a proxy demands credentials", "There is a proxy between Twilio and the relay." + halts, missed},
		{"410", 410, 410, fault.Fatal, "gone, without a Twilio code", "The base URL is wrong, or a proxy gave the answer." + halts, missed},
		{
			"411", 411, 411, fault.Fatal, "length required, without a Twilio code",
			"The relay always sends the length, so a proxy removes it." + halts, missed,
		},
		{
			"414", 414, 414, fault.Fatal, "URL too long, without a Twilio code",
			"The URL is the same for every text, and not long." + halts, missed,
		},
		{
			"415", 415, 415, fault.Fatal, "form not accepted, without a Twilio code",
			"The base URL belongs to another server, or a proxy blocks forms." + halts, missed,
		},
		{"426", 426, 426, fault.Fatal, "another protocol required", "A proxy demands a protocol that the relay does not speak." + halts, missed},
		{
			"431", 431, 431, fault.Fatal, "headers too large, without a Twilio code",
			"The headers are the same for every text, and not large." + halts, missed,
		},
	}
}

// answeredOutcomes returns the answers to the other statuses.
func answeredOutcomes() []Outcome {
	const unclear = "Twilio may have accepted the message even so. Repeating it could text someone twice, so the relay looks it up first."
	return []Outcome{
		{"1xx", 100, 199, fault.Unknown, "no final answer", unclear, ignored},
		{
			"2xx", 200, 299, fault.Unknown, "accepted, but no message is named",
			"Twilio has probably accepted the message, but the answer has no SID, so the relay looks it up. A 2xx that names the message means " +
				"that it was sent.", ignored,
		},
		{
			"3xx", 300, 399, fault.Unknown, "a redirect",
			"Twilio's API sends no redirects, so a proxy sent this one. The relay does not follow it, because that would be a second POST; it " +
				"looks up whether the first arrived.", ignored,
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
			Name: notSent, Kind: fault.NotSent, Meaning: "request was not sent",
			Why: "Nothing was sent before the call failed, and nothing can be sent later. It is safe to repeat, and does not count as an " +
				"attempt. The relay tries until the text is too old.",
		},
		{
			Name: noAnswer, Kind: fault.Unknown, Meaning: "request was sent, no answer",
			Why: "The relay had begun to send the message, so Twilio may have accepted it. Repeating it could text someone twice, so the relay " +
				"looks it up first.",
		},
		{
			Name: cutShort, Kind: fault.Unknown, Meaning: "answer was cut short",
			Why: "Twilio began to say yes, but the answer broke off before it named the message. Twilio has probably accepted it, so the relay " +
				"looks it up.",
		},
		{
			Name: refusalCutShort, Kind: fault.Transient, Meaning: "refusal was cut short",
			Why: "Twilio began to say no (4xx), but the answer broke off before its code. A refusal creates no message, so it is safe to repeat.",
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
		case e.CutShort && outcome.Kind != fault.Unknown && outcome.Kind != fault.Throttled:
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
