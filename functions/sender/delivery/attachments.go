package delivery

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Attachments copies the pictures and other attachments of a text to where Twilio can fetch them, see [media.Keeper].
type Attachments interface {
	// Keep returns the attachments with their copies. What it returns with an error is to be given to it again.
	Keep(ctx context.Context, attachments []sms.Media) ([]sms.Media, error)
}

const (
	// mediaPatience is how long the words of a text wait for an attachment that cannot be had now, mediaPause how long until it is
	// tried again.
	mediaPatience = time.Minute
	mediaPause    = 10 * time.Second
)

// gather has the text's attachments copied before its first claim, which writes down where the copies are. The words go without those
// that cannot be had within a minute, or do not fit, and mention them.
func (h *Handler) gather(ctx context.Context, j *job) verdict {
	if h.config.Attachments == nil || len(j.text.Media) == 0 || !plan.TakesMedia(j.text) {
		return verdict{}
	}
	keepCtx, cancel := context.WithTimeout(ctx, h.config.SendTimeout)
	kept, err := h.config.Attachments.Keep(keepCtx, j.text.Media)
	cancel()
	switch {
	case err == nil:
	case h.mayWaitForMedia(j.since()):
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "text waits for an attachment", textAttrs(j.text, err)...)
		return again(retry.Spread(mediaPause, h.config.Spread()))
	default:
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "text goes without an attachment", textAttrs(j.text, err)...)
		kept = media.Leave(kept)
	}
	j.text = j.text.WithMedia(kept)
	return verdict{}
}

// keepHeld has the attachments of held words copied while they are held: when the phone says whom they are for, Twilio may not have
// them any more. What cannot be had now is tried again for a minute, while the phone has its question; after that, delivery asks for it.
func (h *Handler) keepHeld(ctx context.Context, j *job) error {
	if h.config.Attachments == nil || !j.text.IsHeld() || !j.text.LacksMedia() {
		return nil
	}
	if err := h.rehold(ctx, j); err != nil {
		return err
	}
	keepCtx, cancel := context.WithTimeout(ctx, h.config.SendTimeout)
	kept, missing := h.config.Attachments.Keep(keepCtx, j.text.Media)
	cancel()
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.HoldMedia(kept, h.config.Now())
		return r, changed, nil
	})
	if err != nil || missing == nil {
		return err
	}
	j.text = stored
	h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "held words have no copy of an attachment", textAttrs(j.text, missing)...)
	if !h.mayWaitForMedia(j.text.Answer.At) {
		return nil
	}
	return h.remind(ctx, j.text.MessageSid, j.text.Upcoming(), h.config.Now().Add(mediaPause))
}

// mayWaitForMedia reports whether words that have waited since then may wait on for an attachment. A time to come is of a clock that was
// ahead, and nobody knows how long they have waited.
func (h *Handler) mayWaitForMedia(since time.Time) bool {
	now := h.config.Now()
	return now.Sub(since) < mediaPatience && !clock.Ahead(since, now)
}

// isForItsMedia reports whether Twilio may have refused a message because of its attachments: from a number that cannot send MMS, say.
// No message exists then, and the words are sent without them.
func isForItsMedia(r ledger.Record, decision retry.Decision, f *fault.Error) bool {
	isRefusal := decision.Answer == retry.NextHop || decision.Answer == retry.Failed
	return isRefusal && f.Kind != fault.OptedOut && plan.NumMedia(r) > 0 &&
		f.HTTPStatus >= http.StatusBadRequest && f.HTTPStatus < http.StatusInternalServerError
}

// lostItsMedia reports whether an attempt's message was not delivered because of its attachments, and can go without them.
func (h *Handler) lostItsMedia(r ledger.Record, to sms.PhoneNumber, f *fault.Error) bool {
	return f != nil && slices.Contains([]fault.Kind{fault.Unreachable, fault.Permanent}, f.Kind) && f.OfMedia && plan.NumMedia(r) > 0 &&
		r.AttemptsSpentOn(to) < h.config.Policy.MaxAttempts
}
