package sms_test

import (
	"testing"

	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestKeywordOf(t *testing.T) {
	stop := func(word string) sms.Keyword { return sms.Keyword{Type: sms.OptOutStop, Word: word} }
	for body, want := range map[string]sms.Keyword{
		"STOP": stop("STOP"), "stop.": stop("STOP"), " Stop .\n": stop("STOP"), "StopAll": stop("STOPALL"), "Unsubscribe": stop("UNSUBSCRIBE"),
		"Cancel": stop("CANCEL"), "end": stop("END"), "QUIT": stop("QUIT"), "revoke": stop("REVOKE"), "OptOut": stop("OPTOUT"),
		"Start": {Type: sms.OptOutStart, Word: "START"}, "yes": {Type: sms.OptOutStart, Word: "YES"},
		"UNSTOP.": {Type: sms.OptOutStart, Word: "UNSTOP"},
		"help":    {Type: sms.OptOutHelp, Word: "HELP"}, "Info": {Type: sms.OptOutHelp, Word: "INFO"},
		"Stop by at 5": {}, "STOP PLEASE": {}, "stop..": {}, "YES!": {}, "yes, please": {}, "\"STOP\"": {}, "opt out": {},
		".": {}, "": {}, "ſtop": {},
	} {
		if got := sms.KeywordOf(body); got != want {
			t.Errorf("KeywordOf(%q) is %v, want %v", body, got, want)
		}
	}
}
