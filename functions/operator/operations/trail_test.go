package operations_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// change is the entry of a version of the first text.
func change(version int64, suffix string) auditlog.Entry {
	return auditlog.Entry{
		ID: fmt.Sprintf("%s.%d%s", relaytest.MessageSid(1), version, suffix), Time: noon.Add(time.Duration(version) * time.Second),
		Subject: "message", Change: "changed", Version: version, MessageSid: relaytest.MessageSid(1), From: "sending", To: "sending",
	}
}

// log puts entries into the audit log.
func (s stage) log(t *testing.T, entries ...auditlog.Entry) {
	t.Helper()
	for _, entry := range entries {
		line, err := entry.Line()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.trail.Append(t.Context(), []auditlog.Line{line}); err != nil {
			t.Fatal(err)
		}
	}
}

// storeAt puts the first text into the ledger, as of that version.
func (s stage) storeAt(t *testing.T, version int64) {
	t.Helper()
	r := relayed()
	s.store(t, r)
	for r.Version = 1; r.Version < version; r.Version++ {
		if _, err := s.ledger.Update(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

const withTrail = "trail=true&message_sid=SM00000000000000000000000000000001"

// TestTrail holds the whole of a trail, in its order and each entry once.
func TestTrail(t *testing.T) {
	first, second := change(1, ""), change(2, "")
	first.Change, first.From, first.TwilioNumber, first.Customer, first.Hash = "created", "", "***0100", "***0111", "secret-hash"
	first.Attempt = &auditlog.Attempt{Number: 1, Destination: "***0122"}
	second.To, second.Reason = "queued", "next_hop"
	second.Attempt = &auditlog.Attempt{
		Number: 1, Destination: "***0122", OutboundSid: relaytest.MessageSid(9), Status: "failed", Outcome: "accepted", ErrorCode: 30003,
		Looks: 2, Found: true, HopDone: true,
	}
	other := change(1, "")
	other.MessageSid = relaytest.MessageSid(2)
	s := newStage()
	s.storeAt(t, 2)
	s.log(t, second, first, other, second)
	a := s.ask(t, status(withTrail))
	_, trail, _ := strings.Cut(a.body, `"trail":`)
	compare(t, "trail", `{"complete":true,"entries":[`+
		`{"id":"SM00000000000000000000000000000001.1","time":"2026-11-24T12:00:01Z","change":"created","version":1,"to":"sending",`+
		`"attempt":{"number":1,"hop":0,"destination":"***0122"}},`+
		`{"id":"SM00000000000000000000000000000001.2","time":"2026-11-24T12:00:02Z","change":"changed","version":2,"from":"sending",`+
		`"to":"queued","reason":"next_hop",`+
		`"attempt":{"number":1,"hop":0,"destination":"***0122","outbound_sid":"SM00000000000000000000000000000009","status":"failed",`+
		`"outcome":"accepted",`+
		`"error_code":30003,"looks":2,"found":true,"hop_done":true}}]}}`, trail)
}

// TestTrailIsComplete only with an entry of each version of the record.
func TestTrailIsComplete(t *testing.T) {
	for _, tt := range []struct {
		name     string
		version  int64
		entries  []auditlog.Entry
		complete bool
		shown    int
	}{
		{"all", 3, []auditlog.Entry{change(1, ""), change(2, ""), change(3, "")}, true, 3},
		{"all, one of them twice", 2, []auditlog.Entry{change(1, ""), change(2, ""), change(1, "")}, true, 2},
		{"none", 1, nil, false, 0},
		{"the last is not written yet", 3, []auditlog.Entry{change(1, ""), change(2, "")}, false, 2},
		{"one in between is missing", 3, []auditlog.Entry{change(1, ""), change(3, "")}, false, 2},
		{"one twice is not two", 2, []auditlog.Entry{change(1, ""), change(1, "")}, false, 1},
		{"a change past the relay is no version", 2, []auditlog.Entry{change(1, ""), change(1, "@7")}, false, 2},
		{"a version that came since", 1, []auditlog.Entry{change(1, ""), change(2, "")}, true, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			s.storeAt(t, tt.version)
			s.log(t, tt.entries...)
			var message operations.Message
			decode(t, s.ask(t, status(withTrail)).body, &message)
			if message.Trail.Complete != tt.complete || len(message.Trail.Entries) != tt.shown {
				t.Errorf("trail is %+v", message.Trail)
			}
		})
	}
}

// TestTrailIsSearchedWhereItLies: from when the text was received to its last change, and five minutes around.
func TestTrailIsSearchedWhereItLies(t *testing.T) {
	early, late := change(1, ""), change(2, "")
	early.Time, late.Time = noon.Add(-5*time.Minute), noon.Add(5*time.Minute+3*time.Second)
	before, after := change(3, ""), change(4, "")
	before.Time, after.Time = early.Time.Add(-time.Millisecond), late.Time.Add(time.Millisecond)
	s := newStage()
	s.storeAt(t, 2)
	s.log(t, early, late, before, after)
	var message operations.Message
	decode(t, s.ask(t, status(withTrail)).body, &message)
	if len(message.Trail.Entries) != 2 || !message.Trail.Complete {
		t.Errorf("trail is %+v", message.Trail)
	}
}

// TestTrailIsAskedFor: without a word the log is not searched, and there is none of a list or of no text.
func TestTrailIsAskedFor(t *testing.T) {
	s := newStage()
	s.trail.Fault = func(op string) error {
		return &fault.Error{Kind: fault.Throttled, Err: errors.New("log-internal-4711")}
	}
	s.storeAt(t, 1)
	for _, query := range []string{
		"message_sid=" + relaytest.MessageSid(1), "trail=false&message_sid=" + relaytest.MessageSid(1),
		"trail=false", "",
	} {
		if a := s.ask(t, status(query)); a.status != http.StatusOK || strings.Contains(a.body, `"trail"`) {
			t.Errorf("%q is answered %d %s", query, a.status, a.body)
		}
	}
	s.ask(t, status("trail=true&message_sid="+relaytest.MessageSid(2))).wantProblem(t, http.StatusNotFound)
	s.ask(t, status("trail=true")).wantProblem(t, http.StatusUnprocessableEntity, "trail: is of one text")
	s.ask(t, status(withTrail+"&limit=1")).wantProblem(t, http.StatusUnprocessableEntity, "limit: message_sid names one text")
	a := s.ask(t, status(withTrail))
	a.wantProblem(t, http.StatusServiceUnavailable, "leave trail out")
	if strings.Contains(a.body, "4711") || !strings.Contains(s.logged.String(), "log-internal-4711") {
		t.Errorf("answered %s, logged %s", a.body, s.logged)
	}
}
