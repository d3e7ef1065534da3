package dashboards

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// The words of a text say what becomes of it, so that the run can be read.
const (
	plain         = "Is the gate open?"
	unreachable   = "To a phone that does not exist."
	optedOut      = "To a phone that said STOP."
	notDelivered  = "To a phone that is off."
	neverDeliver  = "To phones that are all off."
	silent        = "To a carrier that reports nothing."
	tooLong       = "Longer than Twilio accepts."
	poison        = "Twilio always fails on this."
	lost          = "Lost on the way to Twilio."
	lostAnswer    = "Twilio's answer is lost."
	lostForever   = "Lost while the list is down."
	twin          = "The same words twice."
	errorBusy     = 20429
	errorQuota    = 63038
	errorAccount  = 20003
	errorHandset  = 30003
	errorOptedOut = 21610
	errorMobile   = 21614
	errorLong     = 21617
)

// twilio is Twilio's Messages resource.
type twilio struct {
	relaytest.Twilio

	s *stage
	// busy, down and refusing are the hours it has: too much at once, out of order, and not for this account. unlisted: the
	// list cannot be read.
	busy, down, refusing, unlisted bool
	// turned counts those that were turned away while it had too much at once, or was out of order.
	turned int
	// cured: it fails on nothing any more.
	cured bool
	// twins counts the POSTs of the texts that say the same to the second phone.
	twins int
}

func failure(kind fault.Kind, code, status int) error {
	return &fault.Error{Kind: kind, Code: code, HTTPStatus: status, Err: errors.New("refused, as the run has it")}
}

// answer is what it does about a POST.
func (w *twilio) answer(_ int, m sms.Outbound) relaytest.TwilioAnswer {
	w.s.clock.Advance(time.Duration(120+w.s.chance.IntN(400)) * time.Millisecond)
	first := m.To == phoneA || m.To == phoneB
	if err := w.refusal(m, first); err != nil {
		return relaytest.TwilioAnswer{Err: err}
	}
	again := strings.Contains(m.Body, twin) && !first
	if again {
		w.twins++
	}
	switch {
	case strings.Contains(m.Body, lost) || strings.Contains(m.Body, lostForever) || again && w.twins == 1:
		return relaytest.TwilioAnswer{Err: failure(fault.Unknown, 0, 0)}
	case strings.Contains(m.Body, lostAnswer) || again:
		return relaytest.TwilioAnswer{Err: failure(fault.Unknown, 0, 0), Taken: true}
	}
	return relaytest.TwilioAnswer{Meanwhile: func() {
		posts := w.Posts()
		w.report(m, posts[len(posts)-1].Message.Sid, first)
	}}
}

// failing says that the list cannot be read.
func (w *twilio) failing(op string) error {
	if w.unlisted && op == "before List" {
		return failure(fault.Transient, 0, 503)
	}
	return nil
}

// refusal returns what Twilio has against a message.
func (w *twilio) refusal(m sms.Outbound, first bool) error {
	switch {
	case w.refusing:
		return failure(fault.Fatal, errorAccount, 401)
	case w.busy && w.s.chance.IntN(2) == 0:
		if w.turned++; w.turned%5 == 0 {
			return failure(fault.Quota, errorQuota, 429)
		}
		return failure(fault.Throttled, errorBusy, 429)
	case w.down && w.s.chance.IntN(2) == 0, strings.Contains(m.Body, poison) && !w.cured:
		if w.turned++; w.turned%4 == 0 && w.down {
			return failure(fault.NotSent, 0, 0)
		}
		return failure(fault.Transient, 0, 503)
	case strings.Contains(m.Body, tooLong):
		return failure(fault.Permanent, errorLong, 400)
	case strings.Contains(m.Body, unreachable) && first:
		return failure(fault.Unreachable, errorMobile, 400)
	case strings.Contains(m.Body, optedOut) && first:
		return failure(fault.OptedOut, errorOptedOut, 400)
	}
	return nil
}

// report decides which receipts of a message come, and when.
func (w *twilio) report(m sms.Outbound, sid string, first bool) {
	if strings.Contains(m.Body, silent) && first {
		return
	}
	now := w.s.clock.Now()
	w.callback(m, sid, sms.StatusSent, 0, now.Add(time.Duration(1+w.s.chance.IntN(2))*time.Second))
	ended := now.Add(3*time.Second + time.Duration(w.s.chance.ExpFloat64()*4*float64(time.Second)))
	off := strings.Contains(m.Body, neverDeliver) || first && (strings.Contains(m.Body, notDelivered) || strings.Contains(m.Body, twin))
	if off {
		w.callback(m, sid, sms.StatusUndelivered, errorHandset, ended)
		return
	}
	w.callback(m, sid, sms.StatusDelivered, 0, ended)
}

// callback lets Twilio call the status callback of a message.
func (w *twilio) callback(m sms.Outbound, sid string, status sms.Status, code int, at time.Time) {
	form := url.Values{"MessageSid": {sid}, "MessageStatus": {string(status)}}
	if code != 0 {
		form.Set("ErrorCode", strconv.Itoa(code))
	}
	_, query, _ := strings.Cut(m.StatusCallback, "?")
	w.s.webhooks = append(w.s.webhooks, called{at: at, path: webhook.PathStatusCallback, query: query, form: form})
}
