package plan

import (
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// heard returns the keyword of a customer's text that is not recorded yet. Twilio's own OptOutType decides, which exists only for
// numbers of a Messaging Service with Advanced Opt-Out; otherwise Twilio's default keywords do. A keyword is decided once: the
// record has it from its first version on.
func heard(r ledger.Record, optOutType string) sms.Keyword {
	switch {
	case r.Version > 0, r.Keyword != "":
		return sms.Keyword{}
	case optOutType == "":
		return sms.KeywordOf(r.Body)
	}
	word := sms.KeywordOf(r.Body).Word
	if word == "" {
		// A Messaging Service may have its own words; only the meaning counts here.
		word = optOutType
	}
	return sms.Keyword{Type: optOutType, Word: word}
}

// ofKeyword decides about a customer's keyword. An opt-out word is sent on as a notice, if there is a phone to tell: CANCEL
// may have meant an appointment. Twilio has already answered everything else. ok is false if the text is not a keyword, or if
// it is not known yet whether it counts.
func ofKeyword(q Question, keyword sms.Keyword) (p Plan, ok bool) {
	way, routed := route.Find(q.Routes, q.Text.TwilioNumber)
	switch {
	case q.OptOutType != "":
		return Plan{Drop: dropOf(q.OptOutType), Keyword: keyword}, true
	case keyword.Type == sms.OptOutHelp:
		return Plan{Drop: ledger.ReasonKeyword, Keyword: keyword}, true
	case q.Text.Keyword == "":
		return Plan{}, false
	case !q.Text.TellsOptOut():
		return Plan{Drop: ledger.ReasonKeyword}, true
	case !routed || !way.Takes(q.Text.ReceivedAt):
		return Plan{Drop: ledger.ReasonOptOut}, true
	}
	return Plan{}, false
}

// isCustomer reports whether the text is a customer's, rather than an operator's, the relay's, a phone's on duty or one of our own
// numbers'.
func isCustomer(r ledger.Record, routes map[sms.PhoneNumber]route.Route) bool {
	way, _ := route.Find(routes, r.TwilioNumber)
	if r.Manual || r.Destination != "" || r.IsAnswer() || r.Customer == "" {
		return false
	}
	isOurs := sms.Same(r.Customer, r.TwilioNumber) || way.HasThread(r.Customer)
	return !isOurs && !isRouted(routes, r.Customer) && !way.IsPhone(r.Customer)
}

// dropOf names the reason for which a text that Twilio's Advanced Opt-Out has acted on goes no further: Twilio has answered it
// already.
func dropOf(optOutType string) ledger.Reason {
	if optOutType == sms.OptOutStop {
		return ledger.ReasonOptOut
	}
	return ledger.ReasonKeyword
}
