package operations_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// asksText asks what one text says.
func asksText(rawQuery string) events.APIGatewayV2HTTPRequest {
	return request(http.MethodGet, operations.PathText, rawQuery, "")
}

const firstText = "message_sid=SM00000000000000000000000000000001"

// spoken is the first text with the words that no answer but one shows.
func spoken() ledger.Record {
	r := relayed()
	r.Body = "secret body,\n\"two lines\""
	return r
}

// record returns the first text's record as the ledger has it.
func (s stage) record(t *testing.T) ledger.Record {
	t.Helper()
	r, err := s.ledger.Get(t.Context(), relaytest.MessageSid(1))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTextIsShownOnRecord: each look is a change of the record, and with it an entry of the audit log that names who looked.
func TestTextIsShownOnRecord(t *testing.T) {
	s := newStage()
	s.store(t, spoken())
	for look := 1; look <= 2; look++ {
		before := s.record(t)
		a := s.ask(t, asksText(firstText))
		if a.status != http.StatusOK {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
		compare(t, "answer", `{"message_sid":"SM00000000000000000000000000000001","twilio_number":"+18585550100","customer":"+18585550111",`+
			`"received_at":"2026-11-24T12:00:00Z","text":"secret body,\n\"two lines\"",`+
			`"media":[{"url":"https://api.twilio.com/secret-media","content_type":"image/jpeg"}]}`, a.body)
		after := s.record(t)
		compare(t, "reading", ledger.Reading{By: caller, At: noon, Number: look}, after.Reading)
		entry, err := auditlog.MessageEntry(&before, &after, auditlog.ChangeChanged, auditlog.Seen{At: noon})
		if err != nil {
			t.Fatal(err)
		}
		if entry.ReadBy != caller || entry.From != entry.To || entry.Unsealed || entry.Hash != after.Seal || after.Seal == "" {
			t.Errorf("entry %+v of the record sealed %s", entry, after.Seal)
		}
	}
	if text := s.logged.String(); strings.Contains(text, "secret") || strings.Contains(text, "858555") ||
		!strings.Contains(text, `"caller":"`+caller+`"`) || !strings.Contains(text, relaytest.MessageSid(1)) {
		t.Errorf("logged %s", text)
	}
	s.wantNothingDone(t)
}

// TestTextNeedsSomeoneOnRecord: who asks is whom the gateway vouches for, else whom the process does; nobody else is shown a word.
func TestTextNeedsSomeoneOnRecord(t *testing.T) {
	for _, tt := range []struct {
		name, vouched, operator, want string
	}{
		{"the gateway's", caller, "", caller},
		{"the gateway's before the process's", caller, "operator", caller},
		{"the process's", "", "operator", "operator"},
		{"nobody", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			s.Operator = tt.operator
			s.store(t, spoken())
			r := asksText(firstText)
			r.RequestContext.Authorizer.IAM.UserARN = tt.vouched
			a := s.ask(t, r)
			if tt.want == "" {
				a.wantProblem(t, http.StatusInternalServerError, "it is not known who asks")
			} else if a.status != http.StatusOK {
				t.Errorf("status %d: %s", a.status, a.body)
			}
			if got := s.record(t).Reading.By; got != tt.want || strings.Contains(a.body, "secret") != (tt.want != "") {
				t.Errorf("read by %q, want %q: %s", got, tt.want, a.body)
			}
		})
	}
}

// TestTextOffTheRecordIsNotShown: what cannot be written, or may not have been, shows no word.
func TestTextOffTheRecordIsNotShown(t *testing.T) {
	for _, op := range []string{"before Get", "after Get", "before Update", "after Update"} {
		t.Run(op, func(t *testing.T) {
			s := newStage()
			s.store(t, spoken())
			s.ledger.Fault = func(called string) error {
				if called != op {
					return nil
				}
				return &fault.Error{Kind: fault.Unknown, Err: errors.New("store-internal-4711")}
			}
			a := s.ask(t, asksText(firstText))
			a.wantProblem(t, http.StatusServiceUnavailable, "ledger cannot be")
			if strings.Contains(a.body, "secret") || strings.Contains(a.body, "4711") ||
				!strings.Contains(s.logged.String(), "store-internal-4711") {
				t.Errorf("answered %s, logged %s", a.body, s.logged)
			}
		})
	}
}

// gone is a ledger that forgets each text between the read and the write.
type gone struct{ *relaytest.MemoryLedger }

func (gone) Update(context.Context, ledger.Record) (ledger.Record, error) {
	return ledger.Record{}, ledger.ErrNotFound
}

func TestTextOfNoText(t *testing.T) {
	s := newStage()
	s.store(t, spoken())
	s.ask(t, asksText("message_sid="+relaytest.MessageSid(2))).wantProblem(t, http.StatusNotFound, "the ledger has no such text")
	for query, want := range map[string]string{
		"":                            "message_sid: want SM, MM or RL",
		"message_sid=":                "message_sid",
		"message_sid=SM1":             "message_sid: want SM, MM or RL",
		firstText + "&" + firstText:   "message_sid is there twice",
		firstText + "&show_text=true": `unknown parameter "show_text": the parameters are message_sid`,
		firstText + "&trail=true":     `unknown parameter "trail"`,
		"number=%2B18585550111":       `unknown parameter "number"`,
		firstText + "&%zz":            "unreadable",
	} {
		s.ask(t, asksText(query)).wantProblem(t, http.StatusBadRequest, want)
	}
	if got := s.record(t); got.Reading.Number != 0 {
		t.Errorf("on record is %+v", got.Reading)
	}
	s.Records = gone{s.ledger}
	s.ask(t, asksText(firstText)).wantProblem(t, http.StatusNotFound)
}

// TestStatusSendsReadersToTheTextsOwnPath, whatever else is asked for: neither one text nor a list shows words there.
func TestStatusSendsReadersToTheTextsOwnPath(t *testing.T) {
	s := newStage()
	s.store(t, spoken())
	for _, query := range []string{
		"show_text=true", "show_text=false", "show_text=true&" + firstText,
		"show_text=true&number=%2B18585550111",
	} {
		a := s.ask(t, status(query))
		a.wantProblem(t, http.StatusBadRequest, "show_text: what a text says has a path of its own", "GET /sms/status/text?message_sid=")
		if strings.Contains(a.body, "secret") || s.record(t).Reading.Number != 0 {
			t.Errorf("answered %s", a.body)
		}
	}
}

// TestTrailSaysWhoRead: an entry of a look names who looked.
func TestTrailSaysWhoRead(t *testing.T) {
	entry := change(1, "")
	entry.ReadBy = "grace"
	s := newStage()
	s.storeAt(t, 1)
	s.log(t, entry)
	if a := s.ask(t, status(withTrail)); !strings.Contains(a.body, `"to":"sending","read_by":"grace"}`) {
		t.Errorf("answered %s", a.body)
	}
}
