package dashboards

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// The numbers of the run: A has two phones, B one and no patience, C is switched off, and nobody serves D.
const (
	numberA   sms.PhoneNumber = "+18585550100"
	phoneA    sms.PhoneNumber = "+16195550101"
	fallbackA sms.PhoneNumber = "+16195550102"
	numberB   sms.PhoneNumber = "+18585550110"
	phoneB    sms.PhoneNumber = "+16195550111"
	numberC   sms.PhoneNumber = "+18585550120"
	phoneC    sms.PhoneNumber = "+16195550121"
	numberD   sms.PhoneNumber = "+18585550130"
	// regular is a customer who writes more than once.
	regular sms.PhoneNumber = "+13125550140"
)

const formType = "application/x-www-form-urlencoded"

// called is a webhook that Twilio calls at its time.
type called struct {
	at          time.Time
	path, query string
	form        url.Values
}

// happening is something that is not everyday, at its minute.
type happening struct {
	minute int
	what   func(s *stage)
}

// story is what happens in the run besides the usual texts.
func story() []happening {
	text := func(to sms.PhoneNumber, words string) func(*stage) {
		return func(s *stage) { s.text(s.customer(), to, words, "") }
	}
	return append(answers(), []happening{
		{2, text(numberA, unreachable)},
		{4, text(numberA, notDelivered)},
		{6, text(numberA, optedOut)},
		{7, func(s *stage) {
			s.request("POST", operations.PathRelay, `{"twilio_number":"+18585550100","body":"We are on our way."}`, "")
		}},
		// Until its phone texts START, the number's texts go to the other one.
		{8, func(s *stage) { s.text(phoneA, numberA, sms.OptOutStart, "") }},
		{8, text(numberB, tooLong)},
		{9, text(numberA, neverDeliver)},
		{10, text(numberA, silent)},
		{12, text(numberC, plain)},
		{13, func(s *stage) { s.text(numberB, numberA, plain, "") }},
		{14, func(s *stage) { s.text(s.customer(), numberA, "STOP", sms.OptOutStop) }},
		{15, func(s *stage) { s.text(s.customer(), numberA, "HELP", "HELP") }},
		{18, func(s *stage) { s.serial--; s.text(s.customer(), numberA, plain, "") }},
		{20, func(s *stage) { s.twilio.busy = true }},
		{24, func(s *stage) { s.twilio.busy, s.twilio.down = false, true }},
		{27, func(s *stage) { s.twilio.down = false }},
		{40, func(s *stage) { s.burst(45) }},
		{44, func(s *stage) { s.burst(30) }},
		{55, text(numberA, poison)},
		{58, (*stage).acquaint},
		{62, func(s *stage) { s.twilio.refusing = true }},
		{71, func(s *stage) { s.twilio.refusing = false }},
		{84, text(numberA, lost)},
		{85, text(numberA, lostAnswer)},
		{86, (*stage).twins},
		{88, text(numberB, lostForever)},
		{89, func(s *stage) { s.twilio.unlisted = true }},
		{93, func(s *stage) { s.twilio.unlisted = false }},
		{100, (*stage).strangers},
		{101, (*stage).strangers},
		{102, (*stage).mistakes},
		{110, text(numberD, plain)},
		{111, text(numberD, plain)},
		{120, func(s *stage) { s.broken["queue"] = true }},
		{121, func(s *stage) { s.broken["queue"] = false }},
		{130, func(s *stage) { s.broken["audit log"] = true }},
		{138, func(s *stage) { s.broken["audit log"] = false }},
		{145, (*stage).undecodable},
		{148, (*stage).unreadable},
		{155, (*stage).redrive},
		{150, func(s *stage) { s.burst(20) }},
		{160, text(numberA, notDelivered)},
		{161, text(numberA, unreachable)},
		{162, text(numberA, notDelivered)},
	}...)
}

// play plays the run, second by second.
func (s *stage) play() {
	s.open()
	happenings := story()
	slices.SortStableFunc(happenings, func(a, b happening) int { return cmp.Compare(a.minute, b.minute) })
	for at := began; at.Before(began.Add(played)); at = at.Add(time.Second) {
		if early := at.Sub(s.clock.Now()); early > 0 {
			s.clock.Advance(early)
		}
		for len(happenings) > 0 && !at.Before(began.Add(time.Duration(happenings[0].minute)*time.Minute)) {
			happenings[0].what(s)
			happenings = happenings[1:]
		}
		if s.chance.IntN(14) == 0 {
			s.text(s.customer(), [...]sms.PhoneNumber{numberA, numberA, numberB}[s.chance.IntN(3)], fmt.Sprintf("%s (%d)", plain, s.serial), "")
		}
		s.ring()
		s.pump(s.texts)
		s.pump(s.timers)
		s.stream()
		if at.Second() == 59 {
			s.observe()
		}
	}
}

// open puts the routes.
func (s *stage) open() {
	for _, r := range []route.Route{
		{
			TwilioNumber: numberA, DestinationCarrier: phoneA, FallbackCarriers: []sms.PhoneNumber{fallbackA}, Active: true,
			DeliveryTimeout: route.Duration(2 * time.Minute),
		},
		{TwilioNumber: numberB, DestinationCarrier: phoneB, Active: true, MaxAge: route.Duration(5 * time.Minute)},
		{TwilioNumber: numberC, DestinationCarrier: phoneC},
		{TwilioNumber: numberE, DestinationCarrier: phoneE, Active: true},
		{
			TwilioNumber: numberF, DestinationCarrier: phoneF, FallbackCarriers: []sms.PhoneNumber{secondF, thirdF}, Active: true,
			AnswerTimeout: route.Duration(5 * time.Minute), Owner: string(ownerF),
			AutoAnswer: route.AutoAnswer{NoOne: "Nobody can answer now."},
		},
	} {
		_, err := s.routes.Put(s.t.Context(), r)
		s.must(err)
	}
}

// customer returns one of a hundred customers.
func (s *stage) customer() sms.PhoneNumber {
	return sms.PhoneNumber(fmt.Sprintf("+1%d55501%02d", [...]int{442, 760, 925, 951}[s.chance.IntN(4)], s.chance.IntN(25)))
}

// text lets a customer text a number now.
func (s *stage) text(from, to sms.PhoneNumber, words, optOutType string) {
	s.textIn(0, from, to, words, optOutType)
}

// textIn lets a customer text a number after a while.
func (s *stage) textIn(wait time.Duration, from, to sms.PhoneNumber, words, optOutType string) {
	s.serial++
	form := url.Values{
		"MessageSid": {relaytest.MessageSid(s.serial)}, "AccountSid": {"AC00000000000000000000000000000001"},
		"From": {string(from)}, "To": {string(to)}, "Body": {words}, "NumSegments": {"1"},
	}
	if optOutType != "" {
		form.Set("OptOutType", optOutType)
	}
	s.webhooks = append(s.webhooks, called{at: s.clock.Now().Add(wait), path: webhook.PathInbound, form: form})
}

// burst lets many customers text at once.
func (s *stage) burst(n int) {
	for range n {
		s.text(s.customer(), numberA, fmt.Sprintf("%s (%d)", plain, s.serial), "")
	}
}

// acquaint makes both phones of the number know a customer: they get his later texts with the same header.
func (s *stage) acquaint() { s.text(regular, numberA, notDelivered, "") }

// twins are two texts of one customer that say the same. Both go on to the next phone, side by side, and both answers are
// lost, while Twilio has only one of the messages.
func (s *stage) twins() {
	s.text(regular, numberA, twin, "")
	s.text(regular, numberA, twin, "")
}

// strangers call the webhook without a signature.
func (s *stage) strangers() {
	for range 25 {
		s.post(called{path: webhook.PathInbound, form: url.Values{"From": {"+18585550199"}}}, "forged")
	}
}

// mistakes are what else comes to a public address.
func (s *stage) mistakes() {
	s.request("GET", "/sms/nothing", "", "")
	s.request("PUT", webhook.PathInbound, "", "")
	s.request("POST", webhook.PathInbound, "{}", "application/json")
	s.request("POST", webhook.PathInbound, strings.Repeat("x", webhook.MaxBody+1), formType)
	s.post(called{path: webhook.PathInbound, form: url.Values{"MessageSid": {"none"}}}, "")
}

// undecodable puts something on the queue that is no envelope.
func (s *stage) undecodable() {
	s.must(s.texts.Send(s.t.Context(), queue.Outgoing{Group: "stray", DeduplicationID: "stray", Body: "by hand"}))
}

// unreadable lets someone write something into the ledger that is no record of it.
func (s *stage) unreadable() {
	s.changed("MessageSid", "by hand", nil, map[string]string{"MessageSid": "by hand", "Version": "none"})
}

// redrive moves the dead letters back to the queue, as SQS does when it is asked to.
func (s *stage) redrive() {
	letters, err := s.dead.Receive(s.t.Context(), 10, 0, visibility)
	s.must(err)
	for _, l := range letters {
		s.must(s.texts.Send(s.t.Context(),
			queue.Outgoing{Group: l.Group, DeduplicationID: l.DeduplicationID, Body: l.Body, Attributes: l.Attributes}))
		s.must(s.dead.Delete(s.t.Context(), []string{l.ReceiptHandle}))
	}
	s.twilio.cured = true
}

// ring calls the webhooks that are due. One that is not accepted is called again a little later, and so is each twentieth text,
// much later: Twilio had not heard the answer.
func (s *stage) ring() {
	now := s.clock.Now()
	due := slices.Clone(s.webhooks)
	s.webhooks = slices.DeleteFunc(s.webhooks, func(w called) bool { return !w.at.After(now) })
	for _, w := range due {
		if w.at.After(now) {
			continue
		}
		status := s.post(w, "")
		if status == http.StatusServiceUnavailable && w.path == webhook.PathInbound {
			w.at = now.Add(15 * time.Second)
			s.webhooks = append(s.webhooks, w)
		} else if w.path == webhook.PathInbound && s.chance.IntN(20) == 0 {
			w.at = now.Add(7 * time.Minute)
			s.webhooks = append(s.webhooks, w)
		}
	}
}

// post calls a webhook as Twilio does, or with a forged signature.
func (s *stage) post(w called, forged string) (status int) {
	address := base + w.path
	if w.query != "" {
		address += "?" + w.query
	}
	sign := signature.SignForm(authToken, address, w.form)
	if forged != "" {
		sign = forged
	}
	return s.invoke(events.APIGatewayV2HTTPRequest{
		RawPath: w.path, RawQueryString: w.query, Body: w.form.Encode(),
		Headers: map[string]string{"content-type": formType, "x-twilio-signature": sign},
	}, "POST")
}

// request calls any path.
func (s *stage) request(method, path, body, contentType string) {
	s.invoke(events.APIGatewayV2HTTPRequest{RawPath: path, Body: body, Headers: map[string]string{"content-type": contentType}}, method)
}

// invoke hands a request to the function behind its path, as the gateway does.
func (s *stage) invoke(r events.APIGatewayV2HTTPRequest, method string) (status int) {
	r.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: method, Path: r.RawPath, SourceIP: "192.0.2.7"}
	function, id := s.ingest, "IngestFunction"
	if r.RawPath == operations.PathRelay {
		function, id = s.operator, "OperatorFunction"
	}
	s.aws.invocations[id]++
	response, err := function(s.t.Context(), r)
	s.must(err)
	s.aws.answered(response.StatusCode)
	return response.StatusCode
}
