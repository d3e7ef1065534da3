package operations_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestRelayPutsOneEnvelopeOnTheQueue(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       queue.Envelope
	}{
		{
			"everything",
			`{"twilio_number":"+18585550100","body":"Gate 4 is open.","from":"+18585550111","to":"+18585550122"}`,
			queue.Envelope{Message: &sms.Message{From: "+18585550111", To: "+18585550100", Body: "Gate 4 is open."}, Destination: "+18585550122"},
		},
		{
			"no more than it takes",
			`{"twilio_number":"+18585550100","body":"Gate 4 is open."}`,
			queue.Envelope{Message: &sms.Message{To: "+18585550100", Body: "Gate 4 is open."}},
		},
		{
			"empty where a field may be left out",
			`{"twilio_number":"+18585550100","body":" ","from":"","to":""}`,
			queue.Envelope{Message: &sms.Message{To: "+18585550100", Body: " "}},
		},
		{
			"from someone who has no telephone number",
			`{"twilio_number":"+18585550100","body":"x","from":"QuickDump"}`,
			queue.Envelope{Message: &sms.Message{From: "QuickDump", To: "+18585550100", Body: "x"}},
		},
		{
			"characters of all kinds",
			`{"twilio_number":"+18585550100","body":"a\u0000\u0008\n\uffff\ufffe \ud83d\ude9a \" \\ <&>"}`,
			queue.Envelope{Message: &sms.Message{To: "+18585550100", Body: "a\x00\b\n\uffff\ufffe 🚚 \" \\ <&>"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			a := s.ask(t, relay(tt.body))
			if a.status != http.StatusAccepted {
				t.Fatalf("status %d, want 202: %s", a.status, a.body)
			}
			compare(t, "answer", `{"id":"`+newID+`","status_url":"/sms/status?message_sid=`+newID+`"}`, a.body)
			want := tt.want
			want.Version, want.Kind, want.RelayID, want.ReceivedAt, want.Message.Sid = 1, queue.KindManual, newID, noon, newID
			compare(t, "envelope", want, s.envelope(t))
			outgoing, err := want.Outgoing()
			if err != nil {
				t.Fatal(err)
			}
			got := s.queued(t)
			compare(t, "message", outgoing,
				queue.Outgoing{Group: got.Group, DeduplicationID: got.DeduplicationID, Body: got.Body, Attributes: got.Attributes})
			compare(t, "measurements", []string{"Accepted 1 manual"}, *s.emitted)
		})
	}
}

// TestRelayRefuses: each refusal says what is wrong, and nothing is queued.
func TestRelayRefuses(t *testing.T) {
	const object = "the body is not one JSON object"
	for _, tt := range []struct {
		name, field, value string
		want               []string
	}{
		{"no twilio_number", "twilio_number", ``, []string{"twilio_number: want E.164"}},
		{"an empty twilio_number", "twilio_number", `""`, []string{"twilio_number: want E.164"}},
		{"a twilio_number without its plus sign", "twilio_number", `"18585550100"`, []string{"twilio_number: want E.164"}},
		{"a twilio_number with blanks", "twilio_number", `"+1 858 555 0100"`, []string{"twilio_number: want E.164"}},
		{"a short code", "twilio_number", `"24365"`, []string{"twilio_number: want E.164"}},
		{"a channel's address", "twilio_number", `"whatsapp:+18585550100"`, []string{"twilio_number: want E.164"}},
		{"a number that is a number", "twilio_number", `18585550100`, []string{"twilio_number: want a string, not a JSON number"}},
		{"no body", "body", ``, []string{"body: want 1 to 1600 characters"}},
		{"an empty body", "body", `""`, []string{"body: want 1 to 1600 characters"}},
		{"a body that is too long", "body", `"` + strings.Repeat("x", 1601) + `"`, []string{"body: want 1 to 1600 characters"}},
		{"a body that is a list", "body", `["x"]`, []string{"body: want a string, not a JSON array"}},
		{"a body that is an object", "body", `{"x":1}`, []string{"body: want a string, not a JSON object"}},
		{"a from that is true", "from", `true`, []string{"from: want a string, not a JSON bool"}},
		{"a to without its plus sign", "to", `"18585550122"`, []string{"to: want E.164"}},
		{"a to that is a short code", "to", `"24365"`, []string{"to: want E.164"}},
		{"a key that is a number", "idempotency_key", `7`, []string{"idempotency_key: want a string, not a JSON number"}},
		{"an empty key", "idempotency_key", `""`, []string{"idempotency_key: is empty: leave it out"}},
		{
			"a key that is too long", "idempotency_key", `"` + strings.Repeat("k", 256) + `"`,
			[]string{"idempotency_key: want at most 255 characters"},
		},
		{"a from that is too long", "from", `"` + strings.Repeat("é", 65) + `"`, []string{"from: want at most 64 characters"}},
		{"a to that is null", "to", `null`, []string{"to: want a string, not a JSON null"}},
		{"a dry_run that is a word", "dry_run", `"true"`, []string{"dry_run: want true or false, not a JSON string"}},
		{"a dry_run that is null", "dry_run", `null`, []string{"dry_run: want true or false, not a JSON null"}},
		{"a field in capitals", "To", `"+18585550122"`, []string{`unknown field "To"`}},
		{
			"an unknown field", "media_url", `"https://example.com/x"`,
			[]string{`unknown field "media_url"`, "the fields are twilio_number, body, from, to, idempotency_key and dry_run"},
		},
		{"an unknown field with a strange name", `a"b\\`, `1`, []string{`unknown field`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			s.ask(t, with(tt.field, tt.value)).wantProblem(t, http.StatusBadRequest, tt.want...)
			s.wantNothingDone(t)
		})
	}
	good := with("", "").Body
	for name, body := range map[string]string{
		"nothing": "", "blanks": " \n", "null": "null", "half an object": `{"twilio_number":"+18585550100"`,
		"no JSON":     "twilio_number=%2B18585550100",
		"two objects": good + good, "an object and a word": good + " x", "an object and a comma": good + ",",
		"a byte order mark": "\ufeff" + good,
		"single quotes":     strings.ReplaceAll(good, `"`, `'`),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			s.ask(t, relay(body)).wantProblem(t, http.StatusBadRequest)
			s.wantNothingDone(t)
		})
	}
	t.Run("no JSON, said in words", func(t *testing.T) {
		newStage().ask(t, relay("x")).wantProblem(t, http.StatusBadRequest, object)
	})
}

// wantNothingDone fails if anything was queued or counted as accepted.
func (s stage) wantNothingDone(t *testing.T) {
	t.Helper()
	if messages := s.queue.Messages(); len(messages) > 0 {
		t.Errorf("queued: %s", messages[0].Body)
	}
	if len(*s.emitted) > 0 && strings.HasPrefix((*s.emitted)[0], "Accepted") {
		t.Errorf("emitted: %q", *s.emitted)
	}
}

// TestRelayNamesEverythingThatIsWrong at once, so that nobody has to try five times.
func TestRelayNamesEverythingThatIsWrong(t *testing.T) {
	body := `{"twilio_number":"x","body":"","to":"y","idempotency_key":"` + strings.Repeat("k", 256) +
		`","from":7,"dry_run":0,"cc":"z","body":"again"}`
	names := []string{"from", "dry_run", "cc", "body", "twilio_number", "to", "idempotency_key"}
	a := newStage().ask(t, relay(body))
	a.wantProblem(t, http.StatusBadRequest, names...)
	var named []string
	for _, wrong := range a.problem(t).Errors {
		named = append(named, wrong.Name)
	}
	compare(t, "names", names, named)
}

// TestWellFormedAndWrong: what no schema can say is 422, and 400 as soon as something else is malformed, which names both.
func TestWellFormedAndWrong(t *testing.T) {
	s := newStage()
	s.ask(t, with("to", `"+18585550100"`)).wantProblem(t, http.StatusUnprocessableEntity, "to: is twilio_number itself")
	s.ask(t, relay(`{"twilio_number":"+18585550100","to":"+18585550100","body":""}`)).wantProblem(t, http.StatusBadRequest,
		"to: is twilio_number itself", "body:")
	s.ask(t, status("since=2026-11-24T12:00:00Z&until=2026-11-24T12:00:00Z")).wantProblem(t, http.StatusUnprocessableEntity,
		"until: is not after since")
	s.ask(t, status("since=2026-11-24T12:00:00Z&until=2026-11-24T12:00:00Z&limit=x")).wantProblem(t, http.StatusBadRequest,
		"until: is not after since", "limit:")
	s.wantNothingDone(t)
}

// TestRelayTakesOneObjectOnly: what follows the object shows that the caller meant something else.
func TestRelayTakesOneObjectOnly(t *testing.T) {
	for _, rest := range []string{"}", "]", "}}", "] x", "\n}"} {
		t.Run(rest, func(t *testing.T) {
			s := newStage()
			s.ask(t, relay(with("", "").Body+rest)).wantProblem(t, http.StatusBadRequest)
			s.wantNothingDone(t)
		})
	}
}

// TestRelaySaysWhatItWantsInsteadOfAnotherValue: a body that is JSON, but no object, is told so.
func TestRelaySaysWhatItWantsInsteadOfAnotherValue(t *testing.T) {
	for _, body := range []string{`[]`, `"text"`, `7`, `true`} {
		t.Run(body, func(t *testing.T) {
			a := newStage().ask(t, relay(body))
			a.wantProblem(t, http.StatusBadRequest, "object")
			if detail := a.problem(t).Detail; strings.HasPrefix(detail, ":") {
				t.Errorf("detail %q names no field", detail)
			}
		})
	}
}

func TestRelaySizes(t *testing.T) {
	const most = 64 << 10
	padded := func(size int) string {
		body := with("", "").Body
		return body + strings.Repeat(" ", size-len(body))
	}
	for _, tt := range []struct {
		name, body string
		encoded    bool
		status     int
	}{
		{"the largest body", padded(most), false, http.StatusAccepted},
		{"a byte more", padded(most + 1), false, http.StatusRequestEntityTooLarge},
		{"the largest body in base64", padded(most), true, http.StatusAccepted},
		{"a byte more in base64", padded(most + 1), true, http.StatusRequestEntityTooLarge},
		{"the longest text", with("body", `"`+strings.Repeat("x", 1600)+`"`).Body, false, http.StatusAccepted},
		{"the longest text in another script", with("body", `"`+strings.Repeat("ж", 1600)+`"`).Body, false, http.StatusAccepted},
		{"the longest key", with("idempotency_key", `"`+strings.Repeat("k", 255)+`"`).Body, false, http.StatusAccepted},
		{"the longest number", with("to", `"+1858555010000000"`).Body, false, http.StatusBadRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := relay(tt.body)
			if tt.encoded {
				r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(tt.body)), true
			}
			if a := newStage().ask(t, r); a.status != tt.status {
				t.Errorf("status %d, want %d: %.300s", a.status, tt.status, a.body)
			}
		})
	}
}

// TestBodyIsCountedAsTwilioCounts: in UTF-16 units, as the sender does. What is accepted beyond them the sender has to cut.
func TestBodyIsCountedAsTwilioCounts(t *testing.T) {
	s := newStage()
	s.ask(t, with("body", `"`+strings.Repeat("🚚", 801)+`"`)).wantProblem(t, http.StatusBadRequest, "body:")
	if a := s.ask(t, with("body", `"`+strings.Repeat("🚚", 800)+`"`)); a.status != http.StatusAccepted {
		t.Errorf("status of 1,600 units is %d", a.status)
	}
}

func TestRelayBase64(t *testing.T) {
	r := with("", "")
	r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(r.Body)), true
	s := newStage()
	if a := s.ask(t, r); a.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	if got := s.envelope(t).Message.Body; got != "Gate 4 is open." {
		t.Errorf("text is %q", got)
	}
	r.Body = "{not base64}"
	newStage().ask(t, r).wantProblem(t, http.StatusBadRequest, "base64")
}

// idOf posts a text with a key and returns its id.
func (s stage) idOf(t *testing.T, key string) string {
	t.Helper()
	text, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	a := s.ask(t, with("idempotency_key", string(text)))
	if a.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	var accepted operations.RelayAnswer
	decode(t, a.body, &accepted)
	return accepted.ID
}

var relayID = regexp.MustCompile(`^RL[0-9a-f]{32}$`)

func TestIdempotencyKey(t *testing.T) {
	s := newStage()
	// By hand: printf 'idempotency key\0order-4711' | sha256sum, the first half. It must be the same in every release.
	if got, want := s.idOf(t, "order-4711"), "RL32f949f076ba86fa13fd049f2d7f606e"; got != want {
		t.Errorf("id is %s, want %s", got, want)
	}
	if again := s.idOf(t, "order-4711"); again != s.queued(t).DeduplicationID {
		t.Errorf("the repeat's id is %s, not that of the one message on the queue", again)
	}
	seen := map[string]string{}
	for _, key := range []string{
		"order-4711", "order-4712", "Order-4711", "order-4711 ", " ", "\x00", "é", "e\u0301",
		strings.Repeat("k", 255),
	} {
		id := s.idOf(t, key)
		if earlier, ok := seen[id]; ok || !relayID.MatchString(id) {
			t.Errorf("id of key %q is %s, that of %q", key, id, earlier)
		}
		seen[id] = key
	}
}

func TestNewID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := operations.NewID()
		if !relayID.MatchString(id) || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}

func TestRelayWithoutTheQueue(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Transient, fault.Throttled, fault.Unknown, fault.Permanent, fault.Fatal} {
		t.Run(kind.String(), func(t *testing.T) {
			s := newStage()
			s.queue.Fault = func(string) error { return &fault.Error{Kind: kind, Err: errors.New("queue-internal-4711")} }
			a := s.ask(t, with("", ""))
			a.wantProblem(t, http.StatusServiceUnavailable, "idempotency_key")
			if strings.Contains(a.body, "4711") {
				t.Errorf("the answer shows the queue's error: %s", a.body)
			}
			if !strings.Contains(s.logged.String(), "queue-internal-4711") || !strings.Contains(s.logged.String(), `"level":"ERROR"`) {
				t.Errorf("the log does not show the queue's error: %s", s.logged)
			}
			s.wantNothingDone(t)
		})
	}
}

// TestUnavailableIsCounted: the metric counts requests answered 503 because the queue did not take the envelope.
func TestUnavailableIsCounted(t *testing.T) {
	s := newStage()
	s.queue.Fault = func(string) error { return &fault.Error{Kind: fault.Transient} }
	s.ask(t, with("", "")).wantProblem(t, http.StatusServiceUnavailable)
	compare(t, "measurements", []string{"Unavailable 1"}, *s.emitted)
}

// TestRepeatAfterALostAnswer: with a key, the repeat that the 503 asks for is the same text.
func TestRepeatAfterALostAnswer(t *testing.T) {
	s := newStage()
	lost := errors.New("the answer was lost")
	s.queue.Fault = func(op string) error {
		if op != "after Send" || lost == nil {
			return nil
		}
		err := &fault.Error{Kind: fault.Unknown, Err: lost}
		lost = nil
		return err
	}
	s.ask(t, with("idempotency_key", `"order-4711"`)).wantProblem(t, http.StatusServiceUnavailable)
	if id := s.idOf(t, "order-4711"); id != s.queued(t).DeduplicationID {
		t.Errorf("the repeat is answered with %s", id)
	}
	compare(t, "Twilio number", relaytest.TwilioNumber, s.envelope(t).Message.To)
}

// TestRelayRefusesWhatWouldBeDropped, in the words of the dry run: nobody would get it. A text of a key that is known stays what it is.
func TestRelayRefusesWhatWouldBeDropped(t *testing.T) {
	off := onDuty()
	off.Active = false
	customers := relaytest.Record(1, noon)
	for name, tt := range map[string]struct {
		routes []route.Route
		fields string
		says   string
	}{
		"no route": {nil, `"twilio_number":"+18585550199"`, "+18585550199 has no route (no_route): name one of your Twilio numbers"},
		"a customer's number": {
			nil, `"twilio_number":"` + string(customers.Customer) + `"`,
			"is a customer's number, and has no route (no_route)",
		},
		"switched off": {[]route.Route{off}, `"twilio_number":"+18585550100"`, "the route of +18585550100 is switched off (inactive)"},
		"to another of ours": {
			[]route.Route{onDuty(), {TwilioNumber: "+18585550101"}},
			`"twilio_number":"+18585550100","to":"+18585550101"`,
			"+18585550101 is one of the relay's own numbers (loop)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			s.routes = relaytest.NewMemoryRoutes(tt.routes...)
			s.Routes = s.routes
			if _, err := s.ledger.Create(t.Context(), customers); err != nil {
				t.Fatal(err)
			}
			s.ask(t, relay(`{`+tt.fields+`,"body":"Gate 4 is open."}`)).wantProblem(t, http.StatusConflict, tt.says)
			s.wantNothingDone(t)
			var told operations.DryRun
			decode(t, s.ask(t, relay(`{"dry_run":true,`+tt.fields+`,"body":"Gate 4 is open."}`)).body, &told)
			if told.Outcome != operations.Drop || !strings.Contains(told.Detail, tt.says) {
				t.Errorf("a dry run tells %+v", told)
			}
		})
	}
}
