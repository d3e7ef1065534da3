package plan

import (
	"strconv"
	"strings"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// MessageOf returns the text's own message, as far as the ledger keeps it.
func MessageOf(r ledger.Record) sms.Message {
	return sms.Message{Sid: r.MessageSid, From: r.Customer, To: r.TwilioNumber, Body: r.Body, Media: r.Media}
}

// Text returns what the destination reads: "From <customer>: <text>". A note after it mentions attachments, which are not
// forwarded. If it is longer than Twilio's limit of 1,600 characters, the customer's words are shortened and end with an ellipsis;
// the sender and the note remain. The ledger keeps the whole text.
func Text(m sms.Message) string {
	header := ""
	if m.From != "" {
		header = "From " + string(m.From) + ": "
	}
	note := noteOf(m.Media)
	if sms.Length(header+note) > sms.MaxBody/2 {
		note = briefNoteOf(m.Media)
	}
	if note != "" && m.Body != "" {
		note = " " + note
	}
	body := sms.Shorten(m.Body, max(sms.MaxBody-sms.Length(header+note), 0))
	return sms.Shorten(header+body+note, sms.MaxBody)
}

// noteOf mentions the attachments and their kinds: "[1 attachment: image/jpeg]". It is empty without any.
func noteOf(media []sms.Media) string {
	if len(media) == 0 {
		return ""
	}
	kinds := make([]string, len(media))
	for i, attachment := range media {
		kinds[i] = attachment.ContentType
		if kinds[i] == "" {
			kinds[i] = "unknown"
		}
	}
	return "[" + count(media) + ": " + strings.Join(kinds, ", ") + "]"
}

// briefNoteOf mentions only how many attachments there are, because the names of their kinds would need too much room.
func briefNoteOf(media []sms.Media) string {
	if len(media) == 0 {
		return ""
	}
	return "[" + count(media) + "]"
}

// count is "1 attachment", "2 attachments".
func count(media []sms.Media) string {
	if len(media) == 1 {
		return "1 attachment"
	}
	return strconv.Itoa(len(media)) + " attachments"
}
