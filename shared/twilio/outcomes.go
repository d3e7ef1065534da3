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
	// missed: so does a code that is known, and the status only if there is no code at all. Twilio's answers have one, so that
	// this is not Twilio's word.
	missed
)

// WithoutCode reports whether the outcome is that of an answer without a code of Twilio's: something in between gave it. With
// a code, another outcome or the code decides.
func (o Outcome) WithoutCode() bool { return o.code == missed }

// HTTPOutcomes returns the answers to HTTP statuses, from 100 to 599. Of several that a status is in, the first counts.
func HTTPOutcomes() []Outcome { return append(answeredOutcomes(), refusedOutcomes()...) }

// refusedOutcomes returns the answers to 4xx. Those without a code of Twilio's come from a proxy, a filter or another server: what
// would meet every text alike halts them all, and what may be about this text alone, or pass, leaves that text waiting.
func refusedOutcomes() []Outcome {
	const unclear = "Twilio may have taken the message all the same: repeating it could text someone twice, so it is looked up first."
	const halts = " This is not Twilio's own answer. Every text would meet it, so they wait until someone has changed that. With a code of Twilio's, the code decides."
	return []Outcome{
		{
			"401", 401, 401, fault.Fatal, "credentials refused",
			"Every text would be refused. All of them wait until the relay has the right credentials: on AWS it reads the secret again by itself, on one host when it starts.", ignored,
		},
		{
			"403", 403, 403, fault.Fatal, "forbidden",
			"The account or the API key may not, or something stands between Twilio and the relay. Every text would fail for it, so they wait. With a code that is in the table, the code decides.", heeded,
		},
		{"408", 408, 408, fault.Unknown, "request timed out", unclear, heeded},
		{
			"429", 429, 429, fault.Throttled, "too many requests",
			"Too many requests were under way, and this one was turned away unread. It is always safe to repeat, and spends no attempt. With a code that is in the table, the code decides: a quota is waited for longer.", heeded,
		},
		{"402", 402, 402, fault.Fatal, "payment required, without a code of Twilio's", "A proxy or a hotspot wants to be paid." + halts, missed},
		{"404", 404, 404, fault.Fatal, "not found, without a code of Twilio's", "The base URL is wrong, or a proxy is in between." + halts, missed},
		{"405", 405, 405, fault.Fatal, "method not allowed, without a code of Twilio's", "The base URL is another server's, or a proxy lets no POST through." + halts, missed},
		{"407", 407, 407, fault.Fatal, "a proxy wants credentials", "A proxy stands between Twilio and the relay." + halts, missed},
		{"410", 410, 410, fault.Fatal, "gone, without a code of Twilio's", "The base URL is wrong, or a proxy is in between." + halts, missed},
		{"411", 411, 411, fault.Fatal, "length required, without a code of Twilio's", "The relay always says a message's length, so that something takes it away." + halts, missed},
		{"414", 414, 414, fault.Fatal, "URL too long, without a code of Twilio's", "The URL is the same for every text, and not long." + halts, missed},
		{"415", 415, 415, fault.Fatal, "form not taken, without a code of Twilio's", "The base URL is another server's, or a proxy takes no forms." + halts, missed},
		{"426", 426, 426, fault.Fatal, "another protocol required", "A proxy demands a protocol that the relay does not speak." + halts, missed},
		{"431", 431, 431, fault.Fatal, "headers too large, without a code of Twilio's", "The headers are the same for every text, and not large." + halts, missed},
		{"451", 451, 451, fault.Fatal, "blocked for legal reasons", "A filter lets nothing through to Twilio." + halts, missed},
		{
			"499", 499, 499, fault.Unknown, "given up by a proxy",
			"A proxy may have passed the message on before it gave up. Repeating it could text someone twice, so it is looked up first.", missed,
		},
		{
			"4xx-no-code", 400, 499, fault.NotSent, "refused, without a code of Twilio's",
			"Twilio's refusals have a code. Something in between gave this answer, and Twilio has nothing of the message: it waits and is tried again until it is too old. With a code of Twilio's, the code decides.", missed,
		},
		{
			"4xx", 400, 499, fault.Permanent, "refused, with a code of Twilio's",
			"Twilio gave an answer, the answer was no, and it will be the same next time. With a code that is in the table, the code decides.", heeded,
		},
	}
}

// answeredOutcomes returns the answers to the other statuses.
func answeredOutcomes() []Outcome {
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
			Why: "Nothing of the message had left when the call failed, and nothing can leave later. The same again is safe and spends no attempt, until the text is too old.",
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
