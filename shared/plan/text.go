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

// TextOf returns what an attempt's destination reads of a text: its words behind the header, or a notice that a customer has opted
// out. A customer gets the words of an answer as they are.
func TextOf(r ledger.Record, header string) string {
	switch {
	case r.IsAnswer():
		return sms.Shorten(r.Answer.Words, sms.MaxBody)
	case r.Notice:
		return sms.Shorten(r.Body, sms.MaxBody)
	}
	m := toldOf(r)
	switch {
	case header == "":
		return Text(m)
	case r.SecondPart:
		return sms.Shorten(header+m.Body+secondOfTwo, sms.MaxBody)
	}
	first, _ := parts(header, m)
	return first
}

// RestOf returns what does not fit into an attempt's message behind the header: the words of the second part. It is empty if the text
// fits.
func RestOf(r ledger.Record, header string) string {
	if r.IsAnswer() || r.Notice || r.SecondPart || header == "" || !r.TellsOptOut() && Fits(r, header) {
		return ""
	}
	_, rest := parts(header, toldOf(r))
	return rest
}

// toldOf returns the message that a phone on duty gets in place of a customer's: that he has opted out, if it is that.
func toldOf(r ledger.Record) sms.Message {
	m := MessageOf(r)
	if r.TellsOptOut() {
		m.Body = r.Keyword + ". Twilio lets no more texts through to this customer until they text START. " +
			"If they meant an appointment, call them."
	}
	return m
}

// The ends of the messages of a text that needs two.
const (
	firstOfTwo  = " (1/2)"
	secondOfTwo = " (2/2)"
)

// parts returns the header and the words, and what of them does not fit.
func parts(header string, m sms.Message) (first, rest string) {
	note := noteOf(m.Media)
	if note != "" && m.Body != "" {
		note = " " + note
	}
	if whole := header + m.Body + note; sms.Length(whole) <= sms.MaxBody {
		return whole, ""
	}
	first, rest = sms.Split(m.Body, max(sms.MaxBody-sms.Length(header+firstOfTwo), 0))
	return header + first + firstOfTwo, rest + note
}

// Text returns what the destination reads of a text that is shown as from its customer's number: "From <customer>: <text>", see
// [TextOf].
func Text(m sms.Message) string {
	if m.From == "" {
		return behind("", m)
	}
	return behind("From "+string(m.From)+": ", m)
}

// behind returns a header and the words. A note after them mentions attachments, which are not forwarded. If all that is longer than
// Twilio's limit of 1,600 characters, the words are shortened and end with an ellipsis; the header and the note remain. The ledger
// keeps the whole text.
func behind(header string, m sms.Message) string {
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

// Fits reports whether nothing of the text has to be left out behind the header.
func Fits(r ledger.Record, header string) bool {
	note := noteOf(r.Media)
	return sms.Length(header)+sms.Length(r.Body)+sms.Length(note)+1 <= sms.MaxBody
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
