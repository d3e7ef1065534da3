package sms_test

import (
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestReactionOf(t *testing.T) {
	for body, want := range map[string]sms.Reaction{
		"Liked “See you at three”":                     {Emoji: "👍", Quote: "See you at three"},
		"Loved \"See you at three\"":                   {Emoji: "❤️", Quote: "See you at three"},
		"Laughed at “See you”":                         {Emoji: "😂", Quote: "See you"},
		"Emphasized “See you”":                         {Emoji: "‼️", Quote: "See you"},
		"Questioned “See you”":                         {Emoji: "❓", Quote: "See you"},
		"Disliked “See you”":                           {Emoji: "👎", Quote: "See you"},
		"Reacted 👍 to “See you at three”":              {Emoji: "👍", Quote: "See you at three"},
		"Reacted 👍🏽 to “See you”":                      {Emoji: "👍🏽", Quote: "See you"},
		"👍 to “See you”":                               {Emoji: "👍", Quote: "See you"},
		"Removed a like from “See you”":                {Emoji: "👍", Quote: "See you", IsRemoved: true},
		"Removed 👍 from “See you”":                     {Emoji: "👍", Quote: "See you", IsRemoved: true},
		"\u200eLiked\u00a0“\u200eSee you\u200e”\u200b": {Emoji: "👍", Quote: "See you\u200e"},
		"Liked „See you“":                              {Emoji: "👍", Quote: "See you"},
		"Liked «See you»":                              {Emoji: "👍", Quote: "See you"},
		"Liked “See you at thr":                        {Emoji: "👍", Quote: "See you at thr"},
		"Liked “See you at thr…":                       {Emoji: "👍", Quote: "See you at thr…"},
		"Liked “See you at thr…”":                      {Emoji: "👍", Quote: "See you at thr…"},
		"Liked “He said “yes” twice”":                  {Emoji: "👍", Quote: "He said “yes” twice"},
		"Liked “Don’t”":                                {Emoji: "👍", Quote: "Don’t"},
		"Liked an image":                               {Emoji: "👍"},
		"Loved a video":                                {Emoji: "❤️"},
		"LIKED “See you”":                              {Emoji: "👍", Quote: "See you"},
		"Removed a heart from an image":                {Emoji: "❤️", IsRemoved: true},
	} {
		if got, ok := sms.ReactionOf(body); !ok || got != want {
			t.Errorf("%q: %+v, %v; want %+v", body, got, ok, want)
		}
	}
	for _, body := range []string{
		"Loved “Dune” and the soundtrack", "Liked it", "Liked", "Loved your work, “Ann”, thanks", "I liked “Dune”", "Reacted badly to “it”",
		"Reacted 2 to “it”", "Liked “”", "“See you”", "Removed a sofa from “the hall”", "",
		"liked an image of it", "to “it”", "Yes", "Liked “Don’t” a lot",
	} {
		if got, ok := sms.ReactionOf(body); ok {
			t.Errorf("%q: %+v, want ordinary words", body, got)
		}
	}
}

func TestReactionIsAbout(t *testing.T) {
	const text = "A47 Ann: Could you come at three, please?"
	for quote, want := range map[string]bool{
		text: true, text[:25]: true, text[:25] + "…": true, text[:20]: true, text[:19]: false,
		"A47 Ann: Could you stay": false, "B73 Ann: Could you come at": false, "Could you come at three": false, "": false, "…": false,
		"A47\u00a0Ann: Could you come at\u200b": true, text + " And more": false,
	} {
		if got := (sms.Reaction{Quote: quote}).IsAbout(text); got != want {
			t.Errorf("%q: %v, want %v", quote, got, want)
		}
	}
	if !(sms.Reaction{Quote: "A47: ok"}).IsAbout("A47: ok") || (sms.Reaction{Quote: "A47: o"}).IsAbout("A47: ok") {
		t.Error("a short text is quoted whole")
	}
	if !(sms.Reaction{Quote: "A47: “yes” or no, tell me"}).IsAbout("A47: \"yes\" or no, tell me") {
		t.Error("quotes are quotes")
	}
}

func FuzzReactionOf(f *testing.F) {
	f.Add("Liked “See you”")
	f.Add("Removed 👍 from “")
	f.Fuzz(func(t *testing.T, body string) {
		r, ok := sms.ReactionOf(body)
		if ok && (r.Emoji == "" || !strings.Contains(body, r.Quote)) {
			t.Errorf("%q: %+v", body, r)
		}
	})
}
