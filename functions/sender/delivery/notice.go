package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// noticePrefix is what the MessageSids of notices begin with; 32 hexadecimal digits follow.
const noticePrefix = "NT"

// noticeSid returns the identity of the notice to a phone about a cause: there is one for each.
func noticeSid(number, phone sms.PhoneNumber, cause string) string {
	return noticePrefix + digestSid(number, phone, cause)
}

// digestSid returns what follows the prefix in the identity of a text of the relay itself.
func digestSid(number, to sms.PhoneNumber, cause string) string {
	sum := sha256.Sum256([]byte(string(number) + "\x00" + string(to) + "\x00" + cause))
	return hex.EncodeToString(sum[:16])
}

// notify tells a phone on duty something, once for each cause, from the number of the key. A phone is told only so much, from all
// numbers together: what is beyond that is left out, which the log shows.
func (h *Handler) notify(ctx context.Context, to conversation.PhoneKey, cause, text string) error {
	sid := noticeSid(to.TwilioNumber, to.Phone, cause)
	if isSent, err := h.isOnRecord(ctx, sid); isSent || err != nil {
		return err
	}
	of := conversation.PhoneKey{TwilioNumber: to.TwilioNumber, Phone: to.Phone}
	at, ok, err := h.takeRoom(ctx, of, conversation.Phone.TakeNotice)
	if err != nil || !ok {
		return err
	}
	return h.sendNotice(ctx, sms.Message{Sid: sid, From: to.Phone, To: to.Sender(), Body: text}, at)
}

// NoticeOf is the notice to a phone about a cause, for the queue that the texts come from.
func NoticeOf(to conversation.PhoneKey, cause, text string, at time.Time) queue.Envelope {
	sid := noticeSid(to.TwilioNumber, to.Phone, cause)
	return noticeOf(sms.Message{Sid: sid, From: to.Phone, To: to.Sender(), Body: text}, at)
}

func noticeOf(m sms.Message, at time.Time) queue.Envelope {
	return queue.Envelope{
		Version: queue.Version, Kind: queue.KindNotice, RelayID: m.Sid, ReceivedAt: at.UTC(), Message: &m, Destination: m.From,
	}
}

// tellLoss tells the phone that wrote an answer if the customer did not get it.
func (h *Handler) tellLoss(ctx context.Context, r ledger.Record) error {
	if !r.IsAnswer() || r.Destination == "" || !isLost(r.State) {
		return nil
	}
	text := conversation.NotDelivered(conversation.Tag(r.Answer.Tag), r.Customer, whyLost(r))
	return h.notify(ctx, keyOf(r, r.Answer.Phone), r.MessageSid+".lost", text)
}

// tellFormer tells a phone that wrote to a number which was a thread of its route and is none any more: nobody gets that, though the phone
// still shows what it was sent from there.
func (h *Handler) tellFormer(ctx context.Context, r ledger.Record) error {
	if r.State != ledger.Dropped || r.Reason != ledger.ReasonNoRoute || r.Destination != "" {
		return nil
	}
	way, ok, err := h.config.Routes.WithFormerThread(ctx, r.TwilioNumber, r.ReceivedAt)
	if err != nil || !ok || way.IsOptedOut(way.PhoneOf(r.Customer)) {
		return err
	}
	was := conversation.PhoneKey{TwilioNumber: way.TwilioNumber, SendingNumber: r.TwilioNumber, Phone: way.PhoneOf(r.Customer)}
	phone, err := h.config.Conversations.GetPhone(ctx, was)
	if err != nil || !phone.IsKnown(r.ReceivedAt) {
		return err
	}
	text := conversation.WriteTo(r.Body, way.TwilioNumber)
	if !way.IsPhone(r.Customer) && !phone.Removed.IsZero() {
		// An operator has ended what the phone may answer.
		text = conversation.NotOnDuty(r.Body)
	}
	was.SendingNumber = ""
	return h.notify(ctx, was, r.MessageSid+".no_thread", text)
}

// isLost reports whether a text in that state did not reach anybody, as far as we know.
func isLost(s ledger.State) bool {
	switch s {
	case ledger.Undelivered, ledger.Failed, ledger.Uncertain, ledger.Dropped, ledger.Dead:
		return true
	case ledger.Queued, ledger.Sending, ledger.Sent, ledger.Delivered:
	}
	return false
}

// whyLost says in a person's words why a customer did not get an answer.
func whyLost(r ledger.Record) string {
	last, _ := r.Current()
	switch {
	case r.State == ledger.Uncertain:
		return "nobody can tell whether it arrived. If it matters, call them."
	case r.Reason == ledger.ReasonOptOut:
		return conversation.WhyNotDelivered(conversation.CodeOptedOut)
	case r.Reason == ledger.ReasonExpired:
		return "it waited too long."
	}
	return conversation.WhyNotDelivered(last.ErrorCode)
}

// tellOthers tells the other phones of the route that one of them has texted STOP, so that it gets no texts any more. One that is
// unverified may be a stranger's, and is told nothing.
func (h *Handler) tellOthers(ctx context.Context, r ledger.Record) error {
	routes, err := h.config.Routes.Lookup(ctx, r.TwilioNumber.Spellings()...)
	if err != nil {
		return err
	}
	way, _ := route.Find(routes, r.TwilioNumber)
	for _, hop := range way.AllPhones() {
		if sms.Same(hop, way.PhoneOf(r.Customer)) || way.IsOptedOut(hop) || way.IsUnverified(hop) {
			continue
		}
		to := conversation.PhoneKey{TwilioNumber: r.TwilioNumber, Phone: hop}
		if err := h.notify(ctx, to, r.MessageSid+".stop", conversation.PhoneOptedOut(r.Customer)); err != nil {
			return err
		}
	}
	return nil
}
