package plan_test

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestText(t *testing.T) {
	prefix := "From +18585550111: "
	picture, unknown := sms.Media{URL: "https://api.twilio.com/1", ContentType: "image/jpeg"}, sms.Media{URL: "https://api.twilio.com/2"}
	endless := sms.Media{URL: "https://api.twilio.com/3", ContentType: strings.Repeat("y", 2000)}
	room, note := sms.MaxBody-len(prefix), " [1 attachment: image/jpeg]"
	for name, tt := range map[string]struct {
		message sms.Message
		want    string
	}{
		"text":                 {sms.Message{From: relaytest.Customer, Body: "Hello"}, prefix + "Hello"},
		"from nobody":          {sms.Message{Body: "Hello"}, "Hello"},
		"alphanumeric":         {sms.Message{From: "QuickDump", Body: "Hello"}, "From QuickDump: Hello"},
		"WhatsApp":             {sms.Message{From: "whatsapp:+18585550111", Body: "Hello"}, "From whatsapp:+18585550111: Hello"},
		"blanks and lines":     {sms.Message{From: relaytest.Customer, Body: " a \n b "}, prefix + " a \n b "},
		"one attachment alone": {sms.Message{From: relaytest.Customer, Media: []sms.Media{picture}}, prefix + "[1 attachment: image/jpeg]"},
		"text and attachments": {
			sms.Message{From: relaytest.Customer, Body: "Look", Media: []sms.Media{picture, unknown}},
			prefix + "Look [2 attachments: image/jpeg, unknown]",
		},
		"nobody's attachment": {sms.Message{Media: []sms.Media{picture}}, "[1 attachment: image/jpeg]"},
		"exactly the limit":   {sms.Message{From: relaytest.Customer, Body: strings.Repeat("x", room)}, prefix + strings.Repeat("x", room)},
		"one over": {
			sms.Message{From: relaytest.Customer, Body: strings.Repeat("x", room+1)},
			prefix + strings.Repeat("x", room-1) + "…",
		},
		"far over": {
			sms.Message{From: relaytest.Customer, Body: strings.Repeat("x", 70_000)},
			prefix + strings.Repeat("x", room-1) + "…",
		},
		"bytes over, units not": {sms.Message{Body: strings.Repeat("é", sms.MaxBody)}, strings.Repeat("é", sms.MaxBody)},
		"pairs at the limit":    {sms.Message{Body: strings.Repeat("🙂", sms.MaxBody/2)}, strings.Repeat("🙂", sms.MaxBody/2)},
		"a pair over":           {sms.Message{Body: strings.Repeat("🙂", sms.MaxBody/2+1)}, strings.Repeat("🙂", sms.MaxBody/2-1) + "…"},
		"a pair across the cut": {
			sms.Message{Body: "x" + strings.Repeat("🙂", sms.MaxBody/2)},
			"x" + strings.Repeat("🙂", sms.MaxBody/2-1) + "…",
		},
		"note at the limit": {
			sms.Message{From: relaytest.Customer, Body: strings.Repeat("x", room-len(note)), Media: []sms.Media{picture}},
			prefix + strings.Repeat("x", room-len(note)) + note,
		},
		"note kept, text not": {
			sms.Message{From: relaytest.Customer, Body: strings.Repeat("x", 1580), Media: []sms.Media{picture}},
			prefix + strings.Repeat("x", room-len(note)-1) + "…" + note,
		},
		"a family across it": {sms.Message{
			From: relaytest.Customer, Body: strings.Repeat("x", room-len(note)-4) + "👨‍👩‍👧‍👦!",
			Media: []sms.Media{picture},
		}, prefix + strings.Repeat("x", room-len(note)-4) + "…" + note},
		"an endless character": {
			sms.Message{From: relaytest.Customer, Body: "e" + strings.Repeat("\u0301", 2000), Media: []sms.Media{picture}},
			prefix + "…" + note,
		},
		"kinds too long": {
			sms.Message{From: relaytest.Customer, Body: strings.Repeat("x", 1580), Media: []sms.Media{picture, endless}},
			prefix + strings.Repeat("x", room-len(" [2 attachments]")-1) + "… [2 attachments]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := plan.Text(tt.message); got != tt.want {
				t.Errorf("Text:\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

// TestTextFits: the sender and the attachments are always mentioned in full, and the words between them end where a
// character does.
func TestTextFits(t *testing.T) {
	kinds := []string{"", "image/jpeg", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}
	parts := rapid.OneOf(rapid.StringN(1, 20, -1), rapid.SampledFrom([]string{
		"👨‍👩‍👧‍👦", "🇺🇸", "1️⃣", "👍🏽",
		"e\u0301", "\r\n", "\u0301", "\u1112\u1161\u11ab",
	}))
	rapid.Check(t, func(t *rapid.T) {
		m := sms.Message{
			From: sms.PhoneNumber(rapid.SampledFrom([]string{"", "+18585550111", "Ünïcode🙂"}).Draw(t, "from")),
			Body: rapid.String().Draw(t, "start") + strings.Repeat(parts.Draw(t, "part"), rapid.IntRange(0, 1700).Draw(t, "times")),
		}
		for range rapid.IntRange(0, 10).Draw(t, "attachments") {
			m.Media = append(m.Media, sms.Media{ContentType: rapid.SampledFrom(kinds).Draw(t, "kind")})
		}
		got := plan.Text(m)
		header, note := plan.Text(sms.Message{From: m.From}), plan.Text(sms.Message{Media: m.Media})
		if note != "" && m.Body != "" {
			note = " " + note
		}
		units := len(utf16.Encode([]rune(got)))
		if units > sms.MaxBody || !utf8.ValidString(got) || !strings.HasPrefix(got, header) || !strings.HasSuffix(got, note) {
			t.Fatalf("%d units, valid %v, %q without %q or %q", units, utf8.ValidString(got), got, header, note)
		}
		if got == header+m.Body+note {
			return
		}
		kept, cut := strings.CutSuffix(strings.TrimSuffix(strings.TrimPrefix(got, header), note), "…")
		if !cut || !strings.HasPrefix(m.Body, kept) || len(utf16.Encode([]rune(header+m.Body+note))) <= sms.MaxBody {
			t.Fatalf("%q was cut to %q (%d units)", m.Body, got, units)
		}
		at := 0
		for clusters := uniseg.NewGraphemes(m.Body); at < len(kept) && clusters.Next(); {
			_, at = clusters.Positions()
		}
		if at != len(kept) {
			t.Fatalf("%+q was cut inside a character, after %d bytes", m.Body, len(kept))
		}
	})
}

// An answer that is as long as Twilio takes has no room for the note that a picture is missing: the customer gets the words.
func TestALongAnswerIsNotCutForANote(t *testing.T) {
	words := strings.Repeat("x", sms.MaxBody-3)
	r := ledger.Record{
		Customer: relaytest.Customer, Destination: relaytest.Customer,
		Answer: ledger.Answer{Phone: relaytest.Destination, Verdict: ledger.AnswerSent, Words: words},
		Media:  []sms.Media{{URL: "https://api.twilio.com/1", ContentType: "image/jpeg", Left: true}},
	}
	if got := plan.TextOf(r, ""); got != words {
		t.Errorf("the customer gets %d characters that end %q, want the words", sms.Length(got), got[len(got)-40:])
	}
}
