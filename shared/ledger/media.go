package ledger

import (
	"slices"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// WithMedia returns r with its attachments as it was decided about them.
func (r Record) WithMedia(attachments []sms.Media) Record {
	r.Media = slices.Clone(attachments)
	return r
}
