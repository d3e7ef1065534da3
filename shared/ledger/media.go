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
