package operations_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/onehost/mediafolder"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const replyTo = `{"twilio_number":"+18585550100","customer":"+18585550199","body":"At three."`

func reply(body string) events.APIGatewayV2HTTPRequest {
	return request(http.MethodPost, operations.PathReply, "", body)
}

// A reply is a text of nobody's name to the customer.
func TestReplyPutsOneEnvelopeOnTheQueue(t *testing.T) {
	s := newStage()
	a := s.ask(t, reply(replyTo+`}`))
	if a.status != http.StatusAccepted {
		t.Fatalf("status %d, want 202: %s", a.status, a.body)
	}
	compare(t, "answer", `{"id":"`+newID+`","status_url":"/sms/status?message_sid=`+newID+`"}`, a.body)
	compare(t, "envelope", queue.Envelope{
		Version: 1, Kind: queue.KindManual, RelayID: newID, ReceivedAt: noon, Destination: "+18585550199",
		Message: &sms.Message{Sid: newID, To: "+18585550100", Body: "At three."},
	}, s.envelope(t))
}

func TestReplyRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		status     int
		want       []string
	}{
		{"nobody", `{"twilio_number":"+18585550100","body":"x"}`, http.StatusBadRequest, []string{"customer: want E.164"}},
		{
			"a short code", `{"twilio_number":"+18585550100","customer":"24365","body":"x"}`, http.StatusBadRequest,
			[]string{"customer: want E.164"},
		},
		{
			"another's name", replyTo + `,"from":"Ann"}`, http.StatusBadRequest,
			[]string{`unknown field "from"`, "the fields are twilio_number, customer, body, pictures, seen_sid, idempotency_key and dry_run"},
		},
		{
			"the number itself", `{"twilio_number":"+18585550100","customer":"+18585550100","body":"x"}`, http.StatusUnprocessableEntity,
			[]string{"customer: is twilio_number itself"},
		},
		{
			"a phone on duty", `{"twilio_number":"+18585550100","customer":"` + string(relaytest.Destination) + `","body":"x"}`,
			http.StatusUnprocessableEntity,
			[]string{"is a phone on duty of +18585550100"},
		},
		{
			"from a number without a route", `{"twilio_number":"+18585550155","customer":"+18585550199","body":"x"}`, http.StatusConflict,
			[]string{"+18585550155 has no route (no_route)"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			s.ask(t, reply(tt.body)).wantProblem(t, tt.status, tt.want...)
			s.wantNothingDone(t)
		})
	}
}

// Nobody replies to a customer who has opted out, and a dry run says so.
func TestReplyToOptedOutIsRefused(t *testing.T) {
	s := newStage()
	s.optOut(t, "+18585550199", "CANCEL", true)
	s.ask(t, reply(replyTo+`}`)).wantProblem(t, http.StatusConflict,
		"customer: +18585550199 texted CANCEL to +18585550100")
	s.wantNothingDone(t)
	var told operations.DryRun
	decode(t, s.ask(t, reply(replyTo+`,"dry_run":true}`)).body, &told)
	if told.Outcome != operations.Drop || told.Reason != ledger.ReasonOptOut {
		t.Errorf("told %+v", told)
	}
}

// The same key is the same reply, and no other text.
func TestReplyIsRepeatable(t *testing.T) {
	s := newStage()
	r := relaytest.Record(1, noon)
	body := replyTo + `,"idempotency_key":"visit-4711"`
	var first operations.RelayAnswer
	decode(t, s.ask(t, reply(body+`}`)).body, &first)
	r.MessageSid, r.Manual, r.TwilioNumber, r.Customer, r.Destination, r.Body = first.ID, true, "+18585550100", "", "+18585550199", "At three."
	s.store(t, r)
	var again operations.RelayAnswer
	decode(t, s.ask(t, reply(body+`}`)).body, &again)
	if again.ID != first.ID || !again.Repeated {
		t.Errorf("again: %+v, first %+v", again, first)
	}
	s.ask(t, relay(`{"twilio_number":"+18585550100","body":"At three.","idempotency_key":"visit-4711"}`)).
		wantProblem(t, http.StatusUnprocessableEntity, "belongs to another text")
}

// withPictures returns a handler that keeps pictures in a folder.
func (s stage) withPictures(t *testing.T) (stage, *mediafolder.Folder) {
	t.Helper()
	folder, err := mediafolder.New(mediafolder.Config{Path: t.TempDir(), Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	config := *s.Config
	config.Pictures = func(source media.Source) media.Keeper { return media.Keeper{Source: source, Store: folder, Now: s.Now} }
	s.Handler = operations.New(config)
	return s, folder
}

// TestReplyWithPictures: they are kept where Twilio can fetch them, and go with the words.
func TestReplyWithPictures(t *testing.T) {
	s, folder := newStage().withPictures(t)
	picture := operations.PictureOf("image/jpeg", []byte("a gate"))
	asked := operations.ReplyRequest{
		TwilioNumber: "+18585550100", Customer: "+18585550199", Body: "Here", Pictures: []operations.Picture{picture, picture},
		SeenSid: relaytest.MessageSid(1),
	}
	body, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	if a := s.ask(t, reply(string(body))); a.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	e := s.envelope(t)
	if len(e.Message.Media) != 2 || e.SeenSid != relaytest.MessageSid(1) {
		t.Fatalf("on the queue is %+v", e)
	}
	for _, m := range e.Message.Media {
		item, content, err := folder.Open(t.Context(), media.Token(m.Token))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(content)
		if err != nil || string(got) != "a gate" || item.ContentType != "image/jpeg" || m.URL != "" {
			t.Errorf("kept is %q as %+v, error %v", got, item, err)
		}
		_ = content.Close()
	}
	// Nothing is kept for a dry run, and nowhere where nobody keeps it.
	asked.DryRun = true
	if body, err = json.Marshal(asked); err != nil {
		t.Fatal(err)
	}
	if a := s.ask(t, reply(string(body))); a.status != http.StatusOK {
		t.Errorf("the dry run is answered %d: %s", a.status, a.body)
	}
	newStage().ask(t, reply(string(body))).wantProblem(t, http.StatusConflict, "pictures: cannot be sent with a reply here")
}

func TestReplyRefusesPictures(t *testing.T) {
	big := base64.StdEncoding.EncodeToString(make([]byte, 2_505_000))
	const malformed, strange = http.StatusBadRequest, http.StatusUnprocessableEntity
	of := func(contentType, data string) string {
		return `{"content_type":"` + contentType + `","data":"` + data + `"}`
	}
	one := of("image/jpeg", "YQ==")
	for name, tt := range map[string]struct {
		pictures string
		status   int
		want     string
	}{
		"no base64":         {of("image/jpeg", "a gate"), malformed, "in base64 without line breaks"},
		"with line breaks":  {of("image/jpeg", `YQ\n==`), malformed, "in base64 without line breaks"},
		"nothing in it":     {of("image/jpeg", ""), malformed, "in base64 without line breaks"},
		"of no type":        {of("", "YQ=="), malformed, "want a MIME type"},
		"of a type to run":  {of("text/html", "YQ=="), strange, "this kind of file cannot go with a text"},
		"from elsewhere":    {`{"content_type":"image/jpeg","data":"YQ==","url":"x"}`, malformed, "objects with content_type and data"},
		"too many":          {strings.Repeat(one+",", 10) + one, malformed, "at most 10 go with a text"},
		"too large":         {of("image/jpeg", big) + "," + of("image/png", big), strange, "5 MB"},
		"larger than known": {of("image/jpeg", big+big+big), http.StatusRequestEntityTooLarge, "the body is over"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newStage().withPictures(t)
			s.ask(t, reply(replyTo+`,"pictures":[`+tt.pictures+`]}`)).wantProblem(t, tt.status, tt.want)
			s.wantNothingDone(t)
		})
	}
}
