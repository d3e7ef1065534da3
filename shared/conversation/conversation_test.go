package conversation_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestHear(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	stop, start := sms.Keyword{Type: sms.OptOutStop, Word: "CANCEL"}, sms.Keyword{Type: sms.OptOutStart, Word: "YES"}
	out := conversation.OptOut{OptedOut: true, Word: "CANCEL", Since: at, MessageSid: "SM1"}
	in := conversation.OptOut{Word: "YES", Since: at, MessageSid: "SM2"}
	for name, tt := range map[string]struct {
		before          conversation.OptOut
		word            sms.Keyword
		sid             string
		after           conversation.OptOut
		changed, counts bool
	}{
		"out":                              {conversation.OptOut{}, stop, "SM1", out, true, true},
		"out, heard before":                {out, stop, "SM1", out, false, true},
		"out, and again":                   {out, stop, "SM9", out, false, true},
		"in":                               {out, start, "SM2", in, true, true},
		"in, heard before":                 {in, start, "SM2", in, false, true},
		"in, and was not out":              {conversation.OptOut{}, start, "SM2", conversation.OptOut{}, false, false},
		"in, and is in":                    {in, start, "SM9", in, false, false},
		"out after in":                     {in, stop, "SM1", out, true, true},
		"help":                             {out, sms.Keyword{Type: sms.OptOutHelp, Word: "HELP"}, "SM3", out, false, false},
		"one sid that said out says start": {out, start, "SM1", conversation.OptOut{Word: "YES", Since: at, MessageSid: "SM1"}, true, true},
	} {
		heard, changed, counts := conversation.Conversation{Version: 3, OptOut: tt.before}.Hear(tt.word, tt.sid, at)
		if heard.OptOut != tt.after || heard.Version != 3 || changed != tt.changed || counts != tt.counts {
			t.Errorf("%s: %+v, changed %v, counts %v; want %+v, %v, %v", name, heard.OptOut, changed, counts, tt.after, tt.changed, tt.counts)
		}
	}
}
