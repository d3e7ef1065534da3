package plan

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// MessageOf returns the text's own message, as far as the ledger keeps it.
func MessageOf(r ledger.Record) sms.Message {
	return sms.Message{Sid: r.MessageSid, From: r.Customer, To: r.TwilioNumber, Body: r.Body, Media: r.Media}
}

// Text returns what the destination reads: "From <customer>: <text>". Attachments are told of, not passed on. What
// goes beyond Twilio's limit of 1,600 characters is cut, and an ellipsis says so; the ledger keeps the whole text.
func Text(m sms.Message) string {
	var text strings.Builder
	if m.From != "" {
		text.WriteString("From " + string(m.From) + ": ")
	}
	text.WriteString(m.Body)
	if len(m.Media) > 0 {
		if m.Body != "" {
			text.WriteByte(' ')
		}
		text.WriteString("[" + attachments(m.Media) + "]")
	}
	return shorten(text.String(), sms.MaxBody)
}

// attachments names the kinds of the attachments: "1 attachment: image/jpeg".
func attachments(media []sms.Media) string {
	kinds := make([]string, len(media))
	for i, attachment := range media {
		kinds[i] = attachment.ContentType
		if kinds[i] == "" {
			kinds[i] = "unknown"
		}
	}
	noun := " attachments: "
	if len(media) == 1 {
		noun = " attachment: "
	}
	return strconv.Itoa(len(media)) + noun + strings.Join(kinds, ", ")
}

// shorten cuts text to at most limit characters, counted as Twilio counts them: in UTF-16 units.
func shorten(text string, limit int) string {
	if len(text) <= limit || sms.Length(text) <= limit {
		return text
	}
	const ellipsis = "…"
	left := limit - sms.Length(ellipsis)
	for i, r := range text {
		if left -= utf16.RuneLen(r); left < 0 {
			return text[:i] + ellipsis
		}
	}
	return text
}
