package simulation_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

const publicBaseURL = "https://relay.example.com"

// trusting replaces the check of signatures, which has tests of its own.
type trusting struct{}

func (trusting) Validate(signature.Request) error { return nil }

func (s *schedule) newFront() *webhook.Handler {
	return webhook.New(webhook.Config{
		Queue: queueDoor{s, s.fifo}, Verifier: trusting{}, Now: s.wall, Started: time.Now(), Build: telemetry.Build{Version: "v1.2.3"},
		Logger: s.logger, Emit: telemetry.Discard,
	})
}

// webhookOf is a webhook that Twilio has still to call.
type webhookOf struct {
	due time.Time
	// text is set of a customer's text, counted from 1, writing of a phone's; message of a receipt with status.
	text    int
	writing *writing
	message *message
	status  sms.Status
	// tries counts how often Twilio has called it.
	tries int
}

// plan decides which receipts of a message come, and when.
func (s *schedule) plan(m *message) {
	for _, w := range []webhookOf{{due: m.sentAt, status: sms.StatusSent}, {due: m.finalAt, status: m.final}} {
		w.message = m
		if w.status == "" || s.chance.odds(s.Twilio.Drop) {
			continue
		}
		if s.chance.odds(s.Twilio.Delay) {
			w.due = w.due.Add(one(s.chance, 3*time.Second, 30*time.Second, 10*time.Minute))
		}
		s.webhooks = append(s.webhooks, w)
		if s.chance.odds(s.Twilio.Twice) {
			w.due = w.due.Add(one(s.chance, 0, 20*time.Second, 7*time.Minute))
			s.webhooks = append(s.webhooks, w)
		}
	}
}

// dueWebhooks returns the places of the webhooks that may be called now. The texts of a customer are first called in order.
func (s *schedule) dueWebhooks() []int {
	now := time.Now()
	var due []int
	var waiting []int
	for i, w := range s.webhooks {
		if w.text > 0 {
			from := s.Texts[w.text-1].Customer
			if slices.Contains(waiting, from) {
				continue
			}
			waiting = append(waiting, from)
		}
		if !now.Before(w.due) {
			due = append(due, i)
		}
	}
	return due
}

// ring lets Twilio call a webhook: a process of the front door's own takes the request.
func (s *schedule) ring(i int) {
	w := s.webhooks[i]
	s.webhooks = slices.Delete(s.webhooks, i, i+1)
	s.call(w)
}

// call calls a webhook.
func (s *schedule) call(w webhookOf) {
	w.tries++
	s.rung++
	name := fmt.Sprintf("front-%d", s.rung)
	s.spawn(&process{name: name}, name, func(ctx context.Context, a *actor) {
		status := 0
		defer func() { s.answered(w, status) }()
		handle, request := s.front.Handle, s.request
		if w.text > 0 && s.Texts[w.text-1].Manual {
			handle, request = s.operations.Handle, s.manual
		}
		response, err := handle(ctx, request(w))
		if err != nil {
			s.violated("front door returned an error: %v", err)
		}
		status = response.StatusCode
	})
}

// answered is what Twilio makes of the front door's answer; 0 means no answer.
func (s *schedule) answered(w webhookOf, status int) {
	if s.over {
		return
	}
	accepted := status == http.StatusOK || status == http.StatusNoContent || status == http.StatusAccepted
	switch {
	case w.message != nil && accepted:
		w.message.heard = append(w.message.heard, w.status)
	case w.message != nil:
		// A receipt is lost.
	case accepted:
		s.accepted[s.messageOf(w).Sid] = true
		if w.tries < 3 && s.chance.odds(s.Twilio.Twice) {
			s.again(w)
		}
	case w.tries < 3:
		s.again(w)
	}
}

func (s *schedule) again(w webhookOf) {
	w.due = time.Now().Add(one(s.chance, time.Second, 15*time.Second, 6*time.Minute))
	s.webhooks = append(s.webhooks, w)
}

// request writes a webhook as API Gateway hands it over.
func (s *schedule) request(w webhookOf) events.APIGatewayV2HTTPRequest {
	form, path, query := url.Values{}, webhook.PathInbound, ""
	if w.message == nil {
		message := s.messageOf(w)
		form.Set("MessageSid", message.Sid)
		form.Set("From", string(message.From))
		form.Set("To", string(message.To))
		form.Set("Body", message.Body)
		form.Set("NumMedia", strconv.Itoa(len(message.Media)))
		for i, attachment := range message.Media {
			form.Set("MediaUrl"+strconv.Itoa(i), attachment.URL)
			form.Set("MediaContentType"+strconv.Itoa(i), attachment.ContentType)
		}
	} else {
		path = webhook.PathStatusCallback
		if callback, err := url.Parse(w.message.post.out.StatusCallback); err == nil {
			query = callback.RawQuery
		}
		form.Set("MessageSid", w.message.sid)
		form.Set("MessageStatus", string(w.status))
		if w.status.Lost() {
			form.Set("ErrorCode", strconv.Itoa(w.message.code))
		}
	}
	return events.APIGatewayV2HTTPRequest{
		RawPath: path, RawQueryString: query, Body: form.Encode(),
		Headers: map[string]string{"content-type": "application/x-www-form-urlencoded"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodPost},
		},
	}
}

// messageOf returns the text of a webhook that is not a receipt.
func (s *schedule) messageOf(w webhookOf) sms.Message {
	if w.writing == nil {
		return s.inbound(w.text)
	}
	return sms.Message{
		Sid: w.writing.sid(), From: w.writing.by.phone, To: w.writing.to, Body: w.writing.body, NumSegments: 1,
		Media: s.picturesOf(w.writing.sid(), w.writing.pictures),
	}
}

// inbound returns the nth text as its customer sent it. Texts of the same body are the same words.
func (s *schedule) inbound(n int) sms.Message {
	t := s.Texts[n-1]
	body := fmt.Sprintf("Is gate %d open?", t.Body)
	if t.Long {
		body += more
	}
	return sms.Message{
		Sid: s.sidOf(n), From: customer(t.Customer), To: twilioNumber, Body: body, NumSegments: 1, Media: s.picturesOf(s.sidOf(n), t.Pictures),
	}
}
