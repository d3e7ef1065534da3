package sms

import (
	"strings"
	"unicode"
)

// Twilio's OptOutTypes, of a text with which someone ends, or takes up again, the texts from a number, or asks for help.
const (
	OptOutStop  = "STOP"
	OptOutStart = "START"
	OptOutHelp  = "HELP"
)

// Keyword is a text that Twilio acts on by itself.
type Keyword struct {
	// Type is one of Twilio's OptOutTypes, empty of a text that is no keyword.
	Type string
	// Word is the keyword in capitals.
	Word string
}

// typeOf returns what one of Twilio's default keywords, in capitals, does; empty for any other word. Twilio acts on them for a long code
// or toll-free number without Advanced Opt-Out, answers the sender, and passes the text on all the same.
//
// Sources, as of November 2026: https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out (the opt-out words) and
// https://help.twilio.com/articles/223134027 (opt-in and help, and that the text must be the keyword alone).
func typeOf(word string) string {
	switch word {
	case "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT":
		return OptOutStop
	case "START", "YES", "UNSTOP":
		return OptOutStart
	case "HELP", "INFO":
		return OptOutHelp
	}
	return ""
}

// longestKeyword is how long the longest of them is.
const longestKeyword = len("UNSUBSCRIBE")

// KeywordOf returns the default keyword that a text is: the keyword alone, in any case, with or without spaces around it
// and one full stop at its end. It is empty for any other text. A Messaging Service with Advanced Opt-Out has keywords of
// its own, and says in the webhook what it took the text for.
func KeywordOf(body string) Keyword {
	word := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(body), "."))
	isBeyondASCII := func(r rune) bool { return r > unicode.MaxASCII }
	if len(word) > longestKeyword || strings.ContainsFunc(word, isBeyondASCII) {
		// Some letters beyond ASCII have an ASCII capital.
		return Keyword{}
	}
	word = strings.ToUpper(word)
	if kind := typeOf(word); kind != "" {
		return Keyword{Type: kind, Word: word}
	}
	return Keyword{}
}
