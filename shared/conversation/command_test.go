package conversation_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestCommandOf(t *testing.T) {
	for body, want := range map[string]conversation.Command{
		"/?":                 {Verb: conversation.VerbHelp},
		" /OPEN ":            {Verb: conversation.VerbOpen},
		"/open now":          {},
		"/mine a05":          {Verb: conversation.VerbMine, Tag: "A05"},
		"/mine":              {},
		"/give A05 Bo Lee":   {Verb: conversation.VerbGive, Tag: "A05", Name: "Bo Lee"},
		"/off":               {Verb: conversation.VerbOff},
		"/off 2h":            {Verb: conversation.VerbOff, Time: "2h"},
		"/Off 2 H":           {Verb: conversation.VerbOff, Time: "2h"},
		"/off until 18:00":   {Verb: conversation.VerbOff, Time: "18:00"},
		"/off for 1h 30m":    {Verb: conversation.VerbOff, Time: "1h30m"},
		"/on":                {Verb: conversation.VerbOn},
		"/on A05":            {},
		"/undo":              {Verb: conversation.VerbUndo},
		"/":                  {},
		"/offer him a price": {},
	} {
		got, ok := conversation.CommandOf(body)
		if want.Verb == "" {
			got.Tag, got.Name, got.Time = "", "", ""
		}
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%q is a command: %v (-want +got):\n%s", body, ok, diff)
		}
	}
	if _, ok := conversation.CommandOf("off 2h"); ok {
		t.Error("ordinary words are taken for a command")
	}
}

// Whoever goes off lets go of a customer once, and only if he has him.
func TestLetGo(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	by := conversation.Claiming{Time: 4 * time.Hour}
	const ann, bo = "+18585550122", "+18585550133"
	waiting := func(due time.Duration) conversation.Conversation {
		return conversation.Conversation{
			Claim: conversation.Claim{Phone: ann, Since: at.Add(-time.Hour), ActedAt: at.Add(-time.Hour)},
			Spell: conversation.Spell{MessageSid: "SM1", NewestAt: at.Add(-time.Minute), DueAt: at.Add(due)},
		}
	}
	for _, tt := range []struct {
		name        string
		c           conversation.Conversation
		phone       sms.PhoneNumber
		at          time.Time
		changed, ok bool
		due         time.Duration
	}{
		{"who has the customer", waiting(time.Minute), ann, at, true, true, 0},
		{"whose next stage is over already", waiting(-time.Minute), ann, at, true, true, -time.Minute},
		{"who does not have him", waiting(time.Minute), bo, at, false, false, time.Minute},
		{"whose claim is over", waiting(time.Minute), ann, at.Add(3 * time.Hour), false, false, time.Minute},
		{"before he took him", waiting(time.Minute), ann, at.Add(-2 * time.Hour), false, false, time.Minute},
	} {
		act := conversation.Act{Phone: tt.phone, MessageSid: "SM2", At: tt.at}
		left, changed, ok := tt.c.LetGo(act, by)
		if changed != tt.changed || ok != tt.ok || !left.Spell.DueAt.Equal(at.Add(tt.due)) || left.Claim.EndedAt.IsZero() == tt.ok {
			t.Errorf("%s: changed %v, ok %v, next stage at %s, claim %+v", tt.name, changed, ok, left.Spell.DueAt, left.Claim)
		}
		if _, changed, again := left.LetGo(act, by); changed || again != tt.ok {
			t.Errorf("%s: the second time: changed %v, ok %v", tt.name, changed, again)
		}
	}
}
