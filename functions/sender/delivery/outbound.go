package delivery

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// outbound returns the message that an attempt sends. Twilio gives up on it after validity; 0 leaves that to Twilio.
func (h *Handler) outbound(r ledger.Record, attempt ledger.Attempt, validity time.Duration) sms.Outbound {
	message := sms.Outbound{From: r.SentFrom(attempt), To: attempt.To, Body: plan.TextOf(r, attempt.Header)}
	if plan.TakesMedia(r) {
		message.MediaURLs = media.URLs(h.config.MediaBaseURL, r.Media)
	}
	if validity > 0 {
		message.ValidityPeriod = min(max(validity.Truncate(time.Second), time.Second), sms.MaxValidityPeriod)
	}
	if h.config.PublicBaseURL != "" {
		ref := sms.CallbackRef{RelayID: r.MessageSid, Hop: attempt.Hop, Attempt: attempt.Number}
		message.StatusCallback = ref.URL(h.config.PublicBaseURL)
	}
	return message
}
