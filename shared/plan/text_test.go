package plan_test

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/relaytest"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestText(t *testing.T) {
	prefix := "From +18585550111: "
	picture, unknown := sms.Media{URL: "https://api.twilio.com/1", ContentType: "image/jpeg"}, sms.Media{URL: "https://api.twilio.com/2"}
	room := sms.MaxBody - len(prefix)
	for name, tt := range map[string]struct {
		message sms.Message
		want    string
	}{
		"text":                   {sms.Message{From: relaytest.Customer, Body: "Hello"}, prefix + "Hello"},
		"from nobody":            {sms.Message{Body: "Hello"}, "Hello"},
		"alphanumeric":           {sms.Message{From: "QuickDump", Body: "Hello"}, "From QuickDump: Hello"},
		"WhatsApp":               {sms.Message{From: "whatsapp:+18585550111", Body: "Hello"}, "From whatsapp:+18585550111: Hello"},
		"blanks and lines":       {sms.Message{From: relaytest.Customer, Body: " a \n b "}, prefix + " a \n b "},
		"one attachment alone":   {sms.Message{From: relaytest.Customer, Media: []sms.Media{picture}}, prefix + "[1 attachment: image/jpeg]"},
		"text and attachments":   {sms.Message{From: relaytest.Customer, Body: "Look", Media: []sms.Media{picture, unknown}}, prefix + "Look [2 attachments: image/jpeg, unknown]"},
		"nobody's attachment":    {sms.Message{Media: []sms.Media{picture}}, "[1 attachment: image/jpeg]"},
		"exactly the limit":      {sms.Message{From: relaytest.Customer, Body: strings.Repeat("x", room)}, prefix + strings.Repeat("x", room)},
		"one over":               {sms.Message{From: relaytest.Customer, Body: strings.Repeat("x", room+1)}, prefix + strings.Repeat("x", room-1) + "…"},
		"far over":               {sms.Message{From: relaytest.Customer, Body: strings.Repeat("x", 70_000)}, prefix + strings.Repeat("x", room-1) + "…"},
		"bytes over, units not":  {sms.Message{Body: strings.Repeat("é", sms.MaxBody)}, strings.Repeat("é", sms.MaxBody)},
		"pairs at the limit":     {sms.Message{Body: strings.Repeat("🙂", sms.MaxBody/2)}, strings.Repeat("🙂", sms.MaxBody/2)},
		"a pair over":            {sms.Message{Body: strings.Repeat("🙂", sms.MaxBody/2+1)}, strings.Repeat("🙂", sms.MaxBody/2-1) + "…"},
		"a pair across the cut":  {sms.Message{Body: "x" + strings.Repeat("🙂", sms.MaxBody/2)}, "x" + strings.Repeat("🙂", sms.MaxBody/2-1) + "…"},
		"attachments cut as all": {sms.Message{Body: strings.Repeat("x", sms.MaxBody), Media: []sms.Media{picture}}, strings.Repeat("x", sms.MaxBody-1) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := plan.Text(tt.message); got != tt.want {
				t.Errorf("Text:\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

func TestTextFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringN(1, 20, -1).Draw(t, "part")
		m := sms.Message{
			From: sms.PhoneNumber(rapid.SampledFrom([]string{"", "+18585550111", "Ünïcode🙂"}).Draw(t, "from")),
			Body: rapid.String().Draw(t, "start") + strings.Repeat(part, rapid.IntRange(0, 1700).Draw(t, "times")),
		}
		got := plan.Text(m)
		whole := m.Body
		if m.From != "" {
			whole = "From " + string(m.From) + ": " + m.Body
		}
		units := len(utf16.Encode([]rune(got)))
		if units > sms.MaxBody || !utf8.ValidString(got) {
			t.Fatalf("%d units, valid %v", units, utf8.ValidString(got))
		}
		if got == whole {
			return
		}
		kept, cut := strings.CutSuffix(got, "…")
		if !cut || !strings.HasPrefix(whole, kept) || len(utf16.Encode([]rune(whole))) <= sms.MaxBody || units < sms.MaxBody-1 {
			t.Fatalf("cut %q to %q (%d units)", whole, got, units)
		}
	})
}
