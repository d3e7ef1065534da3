package auditlog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 123e6, time.UTC)

// TestLines pins the schema: years of entries must stay readable.
func TestLines(t *testing.T) {
	tests := []struct {
		name  string
		entry auditlog.Entry
		want  string
	}{
		{
			"message created",
			auditlog.Entry{
				ID: "SM1.1", Time: noon, Subject: "message", Change: "created", Version: 1, MessageSid: "SM1", To: "sending",
				TwilioNumber: "***0100", Customer: "***0111", Attempt: &auditlog.Attempt{Number: 1, Destination: "***0122"},
			},
			`{"id":"SM1.1","time":"2026-11-24T12:00:00.123Z","subject":"message","change":"created","version":1,"message_sid":"SM1",` +
				`"to":"sending","twilio_number":"***0100","customer":"***0111","attempt":{"number":1,"hop":0,"destination":"***0122"}}`,
		},
		{
			"message changed",
			auditlog.Entry{
				ID: "SM1.4", Time: noon, Subject: "message", Change: "changed", Version: 4, MessageSid: "SM1", From: "sent",
				To: "failed", Reason: "receipt",
				TwilioNumber: "***0100", Customer: "***0111",
				Attempt: &auditlog.Attempt{
					Number: 2, Hop: 1, Destination: "***0133", OutboundSid: "SM2", Status: "failed",
					Outcome: "accepted", ErrorCode: 30008,
				},
			},
			`{"id":"SM1.4","time":"2026-11-24T12:00:00.123Z","subject":"message","change":"changed","version":4,"message_sid":"SM1",` +
				`"from":"sent","to":"failed","reason":"receipt","twilio_number":"***0100","customer":"***0111","attempt":{"number":2,"hop":1,` +
				`"destination":"***0133","outbound_sid":"SM2","status":"failed","outcome":"accepted","error_code":30008}}`,
		},
		{
			"conversation changed",
			auditlog.Entry{
				ID: "conversation:AB3.2", Time: noon, Subject: "conversation", Change: "changed", Version: 2, ConversationID: "AB3",
				TwilioNumber: "***0100", Customer: "***0111",
				Conversation: &auditlog.Conversation{
					OptedOut: true, Word: "STOP", MessageSid: "SM1", Tag: "A47", Named: true, Changed: []string{"opt_out"},
				},
			},
			`{"id":"conversation:AB3.2","time":"2026-11-24T12:00:00.123Z","subject":"conversation","change":"changed","version":2,` +
				`"conversation_id":"AB3","twilio_number":"***0100","customer":"***0111","conversation":{"opted_out":true,"word":"STOP",` +
				`"message_sid":"SM1","tag":"A47","named":true,"changed":["opt_out"]}}`,
		},
		{
			"route changed",
			auditlog.Entry{
				ID: "route:***0100.2@111", Time: noon, Subject: "route", Change: "changed", Version: 2, TwilioNumber: "***0100",
				Before: &auditlog.Route{DestinationCarrier: "***0122", FallbackCarriers: []string{"***0133"}, Active: true, Version: 1},
				After:  &auditlog.Route{DestinationCarrier: "***0122", Version: 2}, Actor: "anna <ops>",
			},
			`{"id":"route:***0100.2@111","time":"2026-11-24T12:00:00.123Z","subject":"route","change":"changed","version":2,` +
				`"twilio_number":"***0100","before":{"destination_carrier":"***0122","fallback_carriers":["***0133"],"active":true,"version":1},` +
				`"after":{"destination_carrier":"***0122","active":false,"version":2},"actor":"anna \u003cops\u003e"}`,
		},
		{
			"route with settings",
			auditlog.Entry{
				ID: "route:***0100.3@112", Time: noon, Subject: "route", Change: "created", Version: 3, TwilioNumber: "***0100",
				After: &auditlog.Route{
					DestinationCarrier: "***0122", Active: true, OnUncertain: "resend", DeliveryTimeout: "1m30s", MaxAge: "2h", PaceNumber: "3/1s",
					AnswerWindow: "36h", HoldTime: "15m", Threads: []string{"***0110", "***0111"},
					Phones: []string{"***0122", "***0156"}, Owner: "***0122",
					OptedOut: []string{"***0122"}, Version: 3,
				}, Actor: "relay",
			},
			`{"id":"route:***0100.3@112","time":"2026-11-24T12:00:00.123Z","subject":"route","change":"created","version":3,` +
				`"twilio_number":"***0100","after":{"destination_carrier":"***0122","active":true,"on_uncertain":"resend",` +
				`"delivery_timeout":"1m30s","max_age":"2h","pace_number":"3/1s","answer_window":"36h","hold_time":"15m",` +
				`"threads":["***0110","***0111"],"phones":["***0122","***0156"],"owner":"***0122","opted_out":["***0122"],` +
				`"version":3},"actor":"relay"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			line, err := tt.entry.Line()
			if err != nil {
				t.Fatalf("Line: %v", err)
			}
			if diff := cmp.Diff(tt.want, string(line.Text)); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
			if !line.Time.Equal(noon) {
				t.Errorf("line's time %v, want %v", line.Time, noon)
			}
		})
	}
}

func TestEveryEntryComesBackInOneLine(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "\n", "\r\n\u2028", "\x00\uFFFE", `"}`}))
	rapid.Check(t, func(t *rapid.T) {
		e := auditlog.Entry{
			ID: text.Draw(t, "id"), Time: time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "ms")).UTC(), Subject: text.Draw(t, "subject"),
			Change:  text.Draw(t, "change"),
			Version: rapid.Int64().Draw(t, "version"), MessageSid: text.Draw(t, "sid"), From: text.Draw(t, "from"), To: text.Draw(t, "to"),
			Reason: text.Draw(t, "reason"), TwilioNumber: text.Draw(t, "number"), Customer: text.Draw(t, "customer"), Actor: text.Draw(t, "actor"),
			Attempt: &auditlog.Attempt{
				Number: rapid.Int().Draw(t, "attempt"), Destination: text.Draw(t, "destination"),
				ErrorCode: rapid.IntRange(0, math.MaxInt32).Draw(t, "code"),
			},
			After: &auditlog.Route{
				FallbackCarriers: rapid.SliceOf(text).Draw(t, "fallbacks"), Active: rapid.Bool().Draw(t, "active"),
				PaceNumber: text.Draw(t, "pace"), OptedOut: rapid.SliceOf(text).Draw(t, "opted out"),
				Threads: rapid.SliceOf(text).Draw(t, "threads"), Phones: rapid.SliceOf(text).Draw(t, "phones"), Owner: text.Draw(t, "owner"),
			},
		}
		line, err := e.Line()
		if err != nil {
			t.Fatalf("Line: %v", err)
		}
		if bytes.ContainsAny(line.Text, "\n\r") {
			t.Errorf("more than one line: %q", line.Text)
		}
		var got auditlog.Entry
		if err := json.Unmarshal(line.Text, &got); err != nil {
			t.Fatalf("line is no JSON: %v", err)
		}
		if diff := cmp.Diff(e, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("came back (-made +read):\n%s", diff)
		}
	})
}

// TestLineOfNoTime: a year that RFC 3339 does not have is the only thing that cannot be written.
func TestLineOfNoTime(t *testing.T) {
	line, err := auditlog.Entry{Time: noon.AddDate(10_000, 0, 0)}.Line()
	if err == nil || line.Text != nil {
		t.Errorf("Line = %q, %v; want an error", line.Text, err)
	}
}

func TestIncompleteError(t *testing.T) {
	cause := errors.New("disk full")
	var err error = &auditlog.IncompleteError{Kept: 3, Err: cause}
	if want := "audit log stopped after 3 lines: disk full"; err.Error() != want {
		t.Errorf("Error() = %q, want %q", err.Error(), want)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
}

// TestEntriesHarmNoScreen: what an operator wrote is in the log as escapes, means the same, and verifies; so does a line of a
// version that wrote it raw.
func TestEntriesHarmNoScreen(t *testing.T) {
	const note = "because\x1b[2J\u009b\u202e\u2066\x7f\u200f"
	r := relaytest.Record(1, noon)
	r.Decision = ledger.Decision{What: ledger.VerdictGiveUp, By: "Ann\u202e", Note: note, At: noon}
	sealed, err := auditlog.Seal(ledger.Record{}, r)
	if err != nil {
		t.Fatal(err)
	}
	sealed.Version = 1
	entry, err := auditlog.MessageEntry(nil, &sealed, auditlog.ChangeCreated, auditlog.Seen{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	line, err := entry.Line()
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(string(line.Text), "\x1b\u009b\u202e\u2066\x7f\u200f") {
		t.Errorf("raw: %+q", line.Text)
	}
	if read, err := auditlog.Parse(line.Text); err != nil || read.Note != note {
		t.Errorf("note %+q, error %v", read.Note, err)
	}
	v := auditlog.NewVerifier(auditlog.Options{HeadsAt: noon.Add(time.Hour)})
	v.Expect(sealed.MessageSid, auditlog.Head{Version: 1, Seal: sealed.Seal, ReceivedAt: noon, UpdatedAt: noon})
	v.Add(line)
	if report := v.Report(); !report.Sound() || report.Entries != 1 {
		t.Errorf("report %+v", report)
	}
}
