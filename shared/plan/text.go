package plan

import (
	"strconv"
	"strings"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
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
		return withNote(r.Answer.Words, media.CustomerNote(media.LeftOf(r.Media)))
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

// toldOf returns the message that a phone on duty gets in place of a customer's: that he has opted out, or reacted to a text, if it is
// that.
func toldOf(r ledger.Record) sms.Message {
	m := MessageOf(r)
	if reaction, ok := sms.ReactionOf(r.Body); ok && !r.Manual && !r.SecondPart && reaction.Quote != "" {
		m.Body = reacted(reaction)
	}
	if r.TellsOptOut() {
		m.Body = r.Keyword + ". Twilio lets no more texts through to this customer until they text START. " +
			"If they meant an appointment, call them."
	}
	return m
}

// quotedLength is how much of a text that a customer reacted to is quoted.
const quotedLength = 40

// reacted says what a customer's reaction is about.
func reacted(r sms.Reaction) string {
	what := "reacted " + r.Emoji + " to"
	if r.IsRemoved {
		what = "took back " + r.Emoji + " from"
	}
	return what + " “" + sms.Shorten(r.Quote, quotedLength) + "”"
}

// The ends of the messages of a text that needs two.
const (
	firstOfTwo  = " (1/2)"
	secondOfTwo = " (2/2)"
)

// parts returns the header and the words, and what of them does not fit.
func parts(header string, m sms.Message) (first, rest string) {
	note := noteOf(m)
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

// behind returns a header and the words. A note after them mentions the attachments that do not come along. If all that is longer than
// Twilio's limit of 1,600 characters, the words are shortened and end with an ellipsis; the header and the note remain. The ledger
// keeps the whole text.
func behind(header string, m sms.Message) string {
	note := noteOf(m)
	if sms.Length(header+note) > sms.MaxBody/2 {
		note = briefNoteOf(m)
	}
	if note != "" && m.Body != "" {
		note = " " + note
	}
	body := sms.Shorten(m.Body, max(sms.MaxBody-sms.Length(header+note), 0))
	return sms.Shorten(header+body+note, sms.MaxBody)
}

// Fits reports whether nothing of the text has to be left out behind the header.
func Fits(r ledger.Record, header string) bool {
	note := noteOf(MessageOf(r))
	return sms.Length(header)+sms.Length(r.Body)+sms.Length(note)+1 <= sms.MaxBody
}

// noteOf mentions the attachments that do not come along: "[picture image/jpeg 6.1 MB: relay media get MM… 2]" if that was decided, and
// "[1 attachment: image/jpeg]" if it was not. It is empty without any.
func noteOf(m sms.Message) string {
	left, open := mentioned(m)
	note := media.Note(m.Sid, left)
	if len(open) == 0 {
		return note
	}
	kinds := make([]string, len(open))
	for i, attachment := range open {
		kinds[i] = attachment.ContentType
		if kinds[i] == "" {
			kinds[i] = "unknown"
		}
	}
	return joined(note, "["+count(open)+": "+strings.Join(kinds, ", ")+"]")
}

// briefNoteOf mentions only how many attachments there are, because the names of their kinds would need too much room.
func briefNoteOf(m sms.Message) string {
	left, open := mentioned(m)
	note := media.BriefNote(m.Sid, left)
	if len(open) == 0 {
		return note
	}
	return joined(note, "["+count(open)+"]")
}

// mentioned returns the attachments that the text goes without, and those of which nothing has been decided.
func mentioned(m sms.Message) (left []media.Left, open []sms.Media) {
	for _, one := range media.LeftOf(m.Media) {
		if attachment := m.Media[one.Number-1]; attachment.Left {
			left = append(left, one)
		} else {
			open = append(open, attachment)
		}
	}
	return left, open
}

// joined puts two notes next to each other; the first may be empty.
func joined(first, second string) string {
	if first == "" {
		return second
	}
	return first + " " + second
}

// withNote returns the words and a note, which may be empty. If there is no room for both, the note is left out.
func withNote(words, note string) string {
	switch {
	case note == "", words != "" && sms.Length(words)+1+sms.Length(note) > sms.MaxBody:
		return sms.Shorten(words, sms.MaxBody)
	case words == "":
		return note
	}
	return words + " " + note
}

// count is "1 attachment", "2 attachments".
func count(attachments []sms.Media) string {
	if len(attachments) == 1 {
		return "1 attachment"
	}
	return strconv.Itoa(len(attachments)) + " attachments"
}

// TakesMedia reports whether the messages of a text have its attachments: a notice and a second part have none.
func TakesMedia(r ledger.Record) bool { return !r.Notice && !r.SecondPart && !r.TellsOptOut() }

// NumMedia returns how many attachments an attempt's message has.
func NumMedia(r ledger.Record) int {
	if !TakesMedia(r) {
		return 0
	}
	return len(r.Media) - len(media.LeftOf(r.Media))
}

// Segments returns how many segments an attempt's message is billed as. One with attachments is one.
func Segments(r ledger.Record, header string) int {
	if NumMedia(r) > 0 {
		return 1
	}
	return sms.Segments(TextOf(r, header))
}
