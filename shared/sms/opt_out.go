package sms

import "strings"

// Twilio's OptOutTypes, of a text with which someone ends, or takes up again, the texts from a number, or asks for help.
const (
	OptOutStop  = "STOP"
	OptOutStart = "START"
	OptOutHelp  = "HELP"
)

// OptOutType returns what Twilio takes a text for by its default keywords: the text must be the keyword alone, in any
// case. It is empty for any other text. A Messaging Service with Advanced Opt-Out has keywords of its own, and says in the
// webhook what it took the text for.
func OptOutType(body string) string {
	switch strings.ToUpper(strings.TrimSpace(body)) {
	case "STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL":
		return OptOutStop
	case "START", "YES", "UNSTOP":
		return OptOutStart
	case "HELP", "INFO":
		return OptOutHelp
	default:
		return ""
	}
}
