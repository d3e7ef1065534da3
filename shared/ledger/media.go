package ledger

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// WithMedia returns r with its attachments as it was decided about them.
func (r Record) WithMedia(attachments []sms.Media) Record {
	r.Media = slices.Clone(attachments)
	return r
}

// The marks of [Attempt] about an attachment.
const (
	markKept = 'k'
	markLeft = 'l'
	markOpen = 'o'
)

// marksOf returns the marks of a message that is sent now.
func marksOf(attachments []sms.Media) string {
	marks := make([]byte, len(attachments))
	for i, one := range attachments {
		switch {
		case one.Token != "":
			marks[i] = markKept
		case one.Left:
			marks[i] = markLeft
		default:
			marks[i] = markOpen
		}
	}
	return string(marks)
}

// formerToken is in the place of a token that the ledger does not have any more.
const formerToken = "former"

// AsSent returns r with its attachments as the attempt's message had them, to compare with: later attempts may have gone without some
// of them, and then their words mention them. Its tokens are not for sending.
func (r Record) AsSent(a Attempt) Record {
	if len(a.Media) != len(r.Media) || len(a.Media) == 0 {
		return r
	}
	r.Media = slices.Clone(r.Media)
	for i := range r.Media {
		one := &r.Media[i]
		if one.Left = a.Media[i] == markLeft; a.Media[i] != markKept {
			one.Token = ""
		} else if one.Token == "" {
			one.Token = formerToken
		}
	}
	return r
}

// LacksMedia reports whether it is still to be decided about one of the text's attachments.
func (r Record) LacksMedia() bool {
	return slices.ContainsFunc(r.Media, func(one sms.Media) bool { return one.Token == "" && !one.Left })
}

// HoldMedia returns r with its attachments as they are kept while the text is held. changed is false if it is not held any more, or if
// nothing new was decided about them.
func (r Record) HoldMedia(attachments []sms.Media, now time.Time) (held Record, changed bool) {
	if !r.IsHeld() || slices.Equal(r.Media, attachments) {
		return r, false
	}
	return r.copy(now).WithMedia(attachments), true
}
