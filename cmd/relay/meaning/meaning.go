// Package meaning says in plain words what each state and each reason in the ledger means, and what to do about it. It knows nothing of
// error codes: those are explained in explain.
package meaning

import (
	"slices"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// Word says what a state or a reason of the ledger means, and what to do about it.
type Word struct{ Meaning, Advice string }

// OfState returns what a state means; ok is false if the ledger has no such state.
func OfState(s ledger.State) (w Word, ok bool) {
	switch s {
	case ledger.Queued:
		return Word{
			"waits on the queue for its next attempt",
			"Nothing to do: the relay sends it by itself. The reason, if there is one, says what it waits for.",
		}, true
	case ledger.Sending:
		return Word{
			"an attempt has no answer yet, or the relay is finding out what happened to it",
			"Nothing to do: Twilio's answer, a receipt or Twilio's list of messages decides what comes next.",
		}, true
	case ledger.Sent:
		return Word{
			"Twilio accepted the message; the relay waits for receipts",
			"Nothing to do. If no receipt comes, it stays here; with a DeliveryTimeout on the route, the relay then tries the next phone.",
		}, true
	case ledger.Delivered:
		return Word{"reached the phone", "Nothing to do."}, true
	case ledger.Undelivered:
		return Word{
			"Twilio accepted the message, but it did not reach the last phone",
			"The attempt's code says why: relay explain receipt CODE. When a phone can get it, relay resend SID sends it again. relay doctor " +
				"counts such texts for a day.",
		}, true
	case ledger.Failed:
		return Word{
			"refused for good; the relay itself works",
			"The attempt's code says why: relay explain code CODE. Correct the number or its registration, then send the text again with relay " +
				"resend SID. relay doctor counts such texts for a day.",
		}, true
	case ledger.Uncertain:
		return Word{
			"may or may not have been sent",
			"Look for it in Twilio's own log of messages, and say what you found: relay uncertain resolve SID --sent, --resend or --give-up. The " +
				"relay does not send it again by itself, because somebody might get it twice. If a receipt still comes, it decides. With " +
				"OnUncertain resend on the route, a text comes here only when its attempts are used up.",
		}, true
	case ledger.Dropped:
		return Word{
			"not sent on; the reason says why",
			"The reason says why: relay explain reason REASON. If somebody should have got the text, fix the cause, then send it with relay " +
				"resend SID.",
		}, true
	case ledger.Dead:
		return Word{
			"its attempts are used up, or it became too old during a failure; it is on the dead-letter queue",
			"Something was broken for longer than the text could wait: the dead letter has the last error. Fix that, then move the letter back " +
				"to the queue with relay dlq redrive. The relay tries the text again, or marks it as sent if Twilio has it. Nothing leaves this " +
				"state by itself.",
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
// without success and the text was then not sent to the next.
func Reasons() []Reason {
	return slices.Concat(unsentReasons(), answerReasons(), queuedReasons(), endReasons())
}

// unsentReasons are the reasons for not sending a text on.
func unsentReasons() []Reason {
	dropped := []ledger.State{ledger.Dropped}
	unsent := []ledger.State{ledger.Dropped, ledger.Undelivered}
	return []Reason{
		{ledger.ReasonNoRoute, unsent, Word{
			"the number that the customer texted has no route",
			"Make a route for it (relay route set), then send the text with relay resend SID.",
		}},
		{ledger.ReasonInactive, unsent, Word{"came in after its route was switched off, or was waiting when somebody switched it off with " +
			"--drop-waiting", "If the route should be on, switch it on (relay route on), then send the text with relay resend SID."}},
		{ledger.ReasonBlocked, dropped, Word{
			"an operator, or a phone on duty, has blocked the customer",
			"Nothing to do. relay block ls shows who is blocked, and relay block rm NUMBER CUSTOMER lets the customer's later texts through again.",
		}},
		{ledger.ReasonForgotten, dropped, Word{
			"the customer was forgotten, and the text came back with an older backup",
			"Nothing to do. relay forget ls shows who was forgotten.",
		}},
		{ledger.ReasonLoop, unsent, Word{
			"the text would have come back to the relay",
			"It came from a number that has a route itself, or was for one. Take that number out of the routes, if it is a person's phone.",
		}},
		{ledger.ReasonOptOut, dropped, Word{
			"a customer opted out with a word such as STOP or CANCEL and no phone was on duty to be told, or an operator's text was for a " +
				"customer who had opted out",
			"Twilio sends the customer nothing until they text START. If the word may have been about an appointment, call them.",
		}},
		{ledger.ReasonExpired, append(unsent, ledger.Dead), Word{
			"was older than the route's MaxAge before it could be sent",
			"Find out what held it back: the pace, the account, a quota or a failure. If it is dead, its dead letter has the last error, and " +
				"relay dlq redrive sends it. If it is dropped, relay resend SID sends it. If texts stay useful for longer, raise MaxAge.",
		}},
		{ledger.ReasonKeyword, dropped, Word{
			"a keyword that Twilio has answered, such as HELP, or START from a customer who had opted out",
			"Nothing to do.",
		}},
	}
}

// answerReasons are the reasons for not sending on what a phone on duty wrote.
func answerReasons() []Reason {
	dropped := []ledger.State{ledger.Dropped}
	return []Reason{
		{ledger.ReasonUnaddressed, dropped, Word{
			"a phone on duty wrote it, and did not say which customer it is for",
			"The phone was told that it was not sent. Its owner writes it again, and begins with the customer's tag, such as A05.",
		}},
		{ledger.ReasonAutoReply, dropped, Word{
			"a phone on duty wrote it by itself, as phones do while their owner drives",
			"If a person wrote it, the person writes it again, and begins with the customer's tag. The phone is told once a day that such texts " +
				"are not sent.",
		}},
		{ledger.ReasonNotStaff, dropped, Word{
			"the phone that wrote it is not on duty any more, or has yet to be verified",
			"The phone was told. relay phone ls NUMBER shows which phones may answer. If it should be on duty, put it into the route: relay " +
				"route set NUMBER --fallback PHONE; if it is not verified, text it a code: relay phone verify NUMBER PHONE.",
		}},
		{ledger.ReasonInstruction, dropped, Word{
			"a phone on duty wrote it to the relay: a tag alone asks who that is, or says which customer held words are for",
			"Nothing to do: the phone was answered.",
		}},
		{ledger.ReasonNoFirstPart, dropped, Word{
			"it is the second part of a long text, and its phone did not get the first part: both go to another phone, or to none",
			"Nothing to do here: look at the text itself, whose id has no /p2 (relay status SID).",
		}},
		{ledger.ReasonAnswered, dropped, Word{
			"it was to go out to another phone because nobody had answered the customer, and somebody did meanwhile",
			"Nothing to do. relay conversation show NUMBER CUSTOMER shows who has the customer.",
		}},
		{ledger.ReasonReaction, dropped, Word{
			"a phone on duty acknowledged a customer's text by a reaction, such as a thumb; or a customer reacted to a picture",
			"Nothing to do: customers get no reactions of phones, and a reaction to a picture does not say to which.",
		}},
	}
}

// queuedReasons are what a text on the queue waits for.
func queuedReasons() []Reason {
	queued := []ledger.State{ledger.Queued}
	return []Reason{
		{ledger.ReasonPace, queued, Word{
			"waits because of the pace limits",
			"Nothing to do: waiting does not use up an attempt. RELAY_PACE_PAIR and RELAY_PACE_NUMBER set the limits.",
		}},
		{ledger.ReasonHeld, queued, Word{
			"a phone on duty wrote it, and has been asked which customer it is for",
			"Nothing to do: the phone answers with the customer's tag. After the route's HoldTime the text is dropped as unaddressed.",
		}},
		{ledger.ReasonPingPong, queued, Word{
			"waits because too many texts went back and forth between this customer and a phone: 40, and one more every 3 minutes",
			"If people wrote them: the text is sent a little later, or at once after relay conversation resume NUMBER CUSTOMER. If two " +
				"machines answer each other, switch one of them off.",
		}},
		{ledger.ReasonClosed, queued, Word{
			"nobody is on duty, and the route holds texts until somebody is, for 14 days at most",
			"Nothing to do: relay status SID says until when. To let it go earlier, put somebody on duty: relay duty set NUMBER --phone PHONE " +
				"--until TIME. It then goes out within 15 minutes.",
		}},
		{ledger.ReasonUnverified, queued, Word{
			"each phone on duty has yet to be verified, and the text is held until one is; after a day it begins to age",
			"Text a code to the phone: relay phone verify NUMBER PHONE. Its person answers with it, and the text goes out.",
		}},
		{ledger.ReasonRing, queued, Word{
			"all phones on duty are being texted, and one of them still waits for its turn or another try",
			"Nothing to do. relay status SID shows the text to each phone. The customer's next text comes after it.",
		}},
		{ledger.ReasonExpiring, queued, Word{
			"became too old during a failure, and is about to become a dead letter",
			"Nothing to do yet: when the failure is over, relay dlq redrive sends it.",
		}},
		{ledger.ReasonNextHop, queued, Word{
			"a phone refused it or did not get it, and the relay tries the next phone",
			"Nothing to do. The attempt's code says what was wrong: relay explain code CODE.",
		}},
		{ledger.ReasonDeliveryTimeout, queued, Word{"no receipt said delivered within the route's DeliveryTimeout, and the relay tries the " +
			"next phone", "Nothing to do. If a late receipt says delivered, the relay stops trying, if it still can."}},
		{ledger.ReasonResend, queued, Word{
			"may or may not have been sent, and is sent again because the route says so",
			"Nothing to do. To never send a text twice, set OnUncertain to park.",
		}},
		{ledger.ReasonResendOrder, queued, Word{
			"reached nobody, or may or may not have been sent, and is sent again because an operator said so",
			"Nothing to do: it has all its attempts again. The decision in its record says who did it and why.",
		}},
		{ledger.ReasonRedrive, queued, Word{
			"was dead, and an operator moved its dead letter back to the queue",
			"Nothing to do: it has all its attempts again.",
		}},
	}
}

// endReasons are the reasons of failed, uncertain and dead texts.
func endReasons() []Reason {
	failed := []ledger.State{ledger.Failed}
	uncertain := []ledger.State{ledger.Uncertain}
	return []Reason{
		{ledger.ReasonRefused, failed, Word{
			"Twilio refused the message for every phone that was tried",
			"The attempt's code says why: relay explain code CODE.",
		}},
		{ledger.ReasonReceipt, failed, Word{
			"Twilio accepted the message, and a receipt then said failed or canceled",
			"The attempt's code says why: relay explain receipt CODE.",
		}},
		{ledger.ReasonNoAddress, failed, Word{
			"Twilio's request lacked the sender or the number that was texted",
			"Look for the text in Twilio's own log of messages by its SID. If more of them come, a proxy in front of the relay changes the " +
				"requests, or they do not come from a number of yours.",
		}},
		{ledger.ReasonUnknownOutcome, uncertain, Word{
			"Twilio's answer was lost, and Twilio does not list the message",
			"It was probably not sent. Look for it in Twilio's own log of messages before you send it again.",
		}},
		{ledger.ReasonUnreadableList, uncertain, Word{"Twilio's answer was lost, or the data folder is a copy, and the relay could not read " +
			"Twilio's list for two hours", "Look for it in Twilio's own log of messages before you send it again. The sender's log says why " +
			"Twilio refused the list."}},
		{ledger.ReasonAmbiguous, uncertain, Word{
			"Twilio's answer was lost, or the data folder is a copy, and Twilio lists messages with the " +
				"same words that may be this text or another",
			"Compare their number in Twilio's own log with the customer's texts before you send it again.",
		}},
		{ledger.ReasonGivenUp, uncertain, Word{
			"an operator looked at it and decided to leave it",
			"Nothing to do. You can still decide otherwise with relay uncertain resolve. If a receipt still comes, it decides.",
		}},
		{ledger.ReasonAttemptsExhausted, []ledger.State{ledger.Dead}, Word{
			"each attempt failed for a passing reason, up to the last",
			"The dead letter has the last error. RELAY_MAX_ATTEMPTS and RELAY_RETRY_BASE set how long the relay keeps trying.",
		}},
		{ledger.ReasonUndecodable, nil, Word{
			"the queue held something that is not a text of the relay",
			"It has no record: it is only on the dead-letter queue, unchanged. Another program writes to the queue, or a newer version of the " +
				"relay wrote it.",
		}},
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
