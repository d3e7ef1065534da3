// Package meaning says in plain words what each state and each reason in the ledger means, and what to do about it. It knows nothing of
// error codes: those are explained in explain.
package meaning

import (
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// Word says what a state or a reason of the ledger means, and what is to be done about it.
type Word struct{ Meaning, Advice string }

// OfState returns what a state means; ok is false if it is none of the ledger's.
func OfState(s ledger.State) (w Word, ok bool) {
	switch s {
	case ledger.Queued:
		return Word{"waits on the queue for its next attempt", "Nothing to do: it goes out by itself. Its reason, if it has one, says what it waits for."}, true
	case ledger.Sending:
		return Word{
			"an attempt is open, or its outcome is being found out",
			"Nothing to do: Twilio's answer, a receipt, or a look at Twilio's list of messages moves it on.",
		}, true
	case ledger.Sent:
		return Word{
			"Twilio took the message; receipts are awaited",
			"Nothing to do. It stays here if no receipt ever comes; a DeliveryTimeout on the route has the next phone tried then.",
		}, true
	case ledger.Delivered:
		return Word{"reached the phone", "Nothing to do."}, true
	case ledger.Undelivered:
		return Word{
			"Twilio took the message, but it did not reach the last phone that was tried",
			"The attempt's code says why: relay explain receipt CODE. Once a phone can get it, relay resend SID sends it again. relay doctor counts such texts for a day.",
		}, true
	case ledger.Failed:
		return Word{
			"refused for good; nothing of the relay's is broken",
			"The attempt's code says why: relay explain code CODE. Correct the number or its registration; then relay resend SID sends the text again. relay doctor counts such texts for a day.",
		}, true
	case ledger.Uncertain:
		return Word{
			"may or may not have been sent",
			"Look for it in Twilio's own log of messages, and say what you found: relay uncertain resolve SID --sent, --resend or --give-up. The relay does not send it again by itself, lest somebody gets it twice; a receipt that comes after all settles it. Routes with OnUncertain resend never park a text here before its attempts are used up.",
		}, true
	case ledger.Dropped:
		return Word{
			"not relayed, for its reason",
			"The reason says why: relay explain reason REASON. If the text was meant for somebody, remove the reason; then relay resend SID sends it.",
		}, true
	case ledger.Dead:
		return Word{
			"its attempts are used up, or it became too old while trouble lasted; it lies on the dead-letter queue",
			"Something was broken for longer than the text could wait: the dead letter has the last error. Once that is mended, move it back to the queue (relay dlq redrive): the text is tried anew, under the same record, or settled if Twilio turns out to have it. Nothing leaves this state by itself.",
		}, true
	default:
		return Word{}, false
	}
}

// Reason is a reason with the states that it is given for.
type Reason struct {
	Name   ledger.Reason
	States []ledger.State
	Word
}

// Reasons lists every reason. Those for dropping a text are also given for undelivered, if an earlier phone was texted
// in vain and the text was then not sent to the next.
func Reasons() []Reason {
	dropped := []ledger.State{ledger.Dropped}
	unsent := []ledger.State{ledger.Dropped, ledger.Undelivered}
	queued := []ledger.State{ledger.Queued}
	uncertain := []ledger.State{ledger.Uncertain}
	return []Reason{
		{ledger.ReasonNoRoute, unsent, Word{"the number that was texted has no route", "Put a route for it. Then relay resend SID sends the text."}},
		{ledger.ReasonInactive, unsent, Word{"came in after its route was switched off, or waited when somebody switched it off with --drop-waiting", "Switch the route on if that was not meant. Then relay resend SID sends the text."}},
		{ledger.ReasonLoop, unsent, Word{
			"the text would have come back",
			"It came from one of the route's own phones, or from a number that is itself routed. If a phone of the business is to answer customers, it is not by texting the number it serves.",
		}},
		{ledger.ReasonOptOut, dropped, Word{
			"a customer opted out by a word such as STOP or CANCEL and nobody was on duty to be told, or an operator's text was for a customer who had opted out",
			"Twilio lets nothing through to the customer until they text START. If the word may have meant an appointment, call them.",
		}},
		{ledger.ReasonExpired, append(unsent, ledger.Dead), Word{"was older than the route's MaxAge before it could be sent", "Find out what held it back: the pace, the account, a quota, or a failure. A dead one has the last error in its dead letter, and relay dlq redrive sends it. Raise MaxAge if texts are of use for longer. relay resend SID sends a dropped one all the same."}},
		{ledger.ReasonKeyword, dropped, Word{"a keyword such as HELP, or START from a customer who had opted out, which Twilio has answered", "Nothing to do."}},
		{ledger.ReasonPace, queued, Word{"waits for its turn under the pace limits", "Nothing to do: waiting is no attempt. RELAY_PACE_PAIR and RELAY_PACE_NUMBER set the limits."}},
		{ledger.ReasonExpiring, queued, Word{"became too old while trouble lasted, and is about to be put with the dead letters", "Nothing to do yet: relay dlq redrive sends it once the trouble is over."}},
		{ledger.ReasonNextHop, queued, Word{"a phone refused it or did not get it, and the next one is tried", "Nothing to do. The attempt's code says what was wrong: relay explain code CODE."}},
		{ledger.ReasonDeliveryTimeout, queued, Word{"no receipt said delivered within the route's DeliveryTimeout, and the next phone is tried", "Nothing to do. A delivery that is reported late stops it where that is still possible."}},
		{ledger.ReasonResend, queued, Word{"may or may not have been sent, and goes out again because the route says so", "Nothing to do. OnUncertain park keeps a text from ever going out twice."}},
		{ledger.ReasonResendOrder, queued, Word{"reached nobody, or may or may not have been sent, and goes out again because an operator said so", "Nothing to do: it has all its attempts again. The record's decision says who, and why."}},
		{ledger.ReasonRedrive, queued, Word{"was dead, and an operator moved its dead letter back to the queue", "Nothing to do: it has all its attempts again."}},
		{ledger.ReasonRefused, []ledger.State{ledger.Failed}, Word{"Twilio refused the message for every phone that was tried", "The attempt's code says why: relay explain code CODE."}},
		{ledger.ReasonReceipt, []ledger.State{ledger.Failed}, Word{"Twilio took the message, and a receipt then said failed or canceled", "The attempt's code says why: relay explain receipt CODE."}},
		{ledger.ReasonNoAddress, []ledger.State{ledger.Failed}, Word{
			"Twilio's request named no sender, or no number that was texted",
			"Look the text up in Twilio's own log of messages by its SID. If more of them come, a proxy before the relay changes the requests, or something other than a number of yours sends them.",
		}},
		{ledger.ReasonUnknownOutcome, uncertain, Word{"Twilio's answer was lost, and Twilio does not list the message", "It was probably not sent. Look for it in Twilio's own log of messages before it is sent again."}},
		{ledger.ReasonUnreadableList, uncertain, Word{"Twilio's answer was lost, or the data folder is a copy, and for two hours Twilio's list could not be read either", "Look for it in Twilio's own log of messages before it is sent again. The sender's log says why the list was refused."}},
		{ledger.ReasonAmbiguous, uncertain, Word{"Twilio's answer was lost, or the data folder is a copy, and Twilio lists messages of the same words that may be this one or another", "Count them in Twilio's own log against the customer's texts before it is sent again."}},
		{ledger.ReasonGivenUp, uncertain, Word{"an operator has looked, and nothing more is done about it", "Nothing to do. relay uncertain resolve still takes another decision, and a receipt that comes after all settles it."}},
		{ledger.ReasonAttemptsExhausted, []ledger.State{ledger.Dead}, Word{"Twilio answered each attempt with passing trouble, through to the last", "The dead letter has the last error. RELAY_MAX_ATTEMPTS and RELAY_RETRY_BASE set how long the relay tries."}},
		{ledger.ReasonUndecodable, nil, Word{"the queue held something that is no text of the relay's", "It is in no record, only on the dead-letter queue, as it came. Something else writes to the queue, or a newer version of the relay did."}},
	}
}

// ReasonNames are the names of the reasons.
func ReasonNames() []string {
	var names []string
	for _, r := range Reasons() {
		names = append(names, string(r.Name))
	}
	return names
}
