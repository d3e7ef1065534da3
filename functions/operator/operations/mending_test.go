package operations_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// bench keeps what was ordered about texts that need somebody, and does nothing.
type bench struct {
	resend  operations.ResendOrder
	decide  operations.DecideOrder
	redrive operations.RedriveOrder
	by      string
	err     error
}

func (b *bench) Resend(_ context.Context, by string, o operations.ResendOrder) (operations.Resending, error) {
	b.by, b.resend = by, o
	return operations.Resending{Texts: []operations.ResendText{}, DryRun: o.DryRun}, b.err
}

func (b *bench) Decide(_ context.Context, by string, o operations.DecideOrder) (operations.Decided, error) {
	b.by, b.decide = by, o
	return operations.Decided{MessageSid: o.MessageSid, State: ledger.Uncertain, Means: "would be sent again"}, b.err
}

func (b *bench) DeadLetters(context.Context) (operations.DeadLetters, error) {
	return operations.DeadLetters{Letters: []operations.DeadLetter{{
		LetterID: "1", ReceivedAt: noon, BuriedAt: noon, Outlook: "again", Means: "dead; would be sent again", IsMoved: true,
	}}, Run: &operations.RedriveRun{By: "anna", StartedAt: noon}}, b.err
}

func (b *bench) Redrive(_ context.Context, by string, o operations.RedriveOrder) (operations.DeadLetters, error) {
	b.by, b.redrive = by, o
	return operations.DeadLetters{Letters: []operations.DeadLetter{}, DryRun: o.DryRun}, b.err
}

// TestMending: each request is one order, in the name of whoever asks, and what is wrong with it is said before anything is done.
func TestMending(t *testing.T) {
	s, kept := newStage(), &bench{}
	one := relaytest.MessageSid(1)
	resend := request(http.MethodPost, operations.PathResend, "", `{"message_sids":["`+one+`"],"because":"the route was off"}`)
	if a := s.ask(t, resend); a.status != http.StatusNotFound {
		t.Errorf("without a bench: status %d", a.status)
	}
	s.Mending = kept
	if a := s.ask(t, resend); a.status != http.StatusOK || kept.by != caller || kept.resend.Because != "the route was off" ||
		len(kept.resend.MessageSids) != 1 || kept.resend.DryRun {
		t.Errorf("resend: status %d, %+v by %s", a.status, kept.resend, kept.by)
	}
	decide := request(http.MethodPost, operations.PathUncertain, "",
		`{"message_sid":"`+one+`","decision":"sent","sent_sid":"`+relaytest.MessageSid(9)+`","because":"it is there"}`)
	if a := s.ask(t, decide); a.status != http.StatusOK || kept.decide.Decision != ledger.VerdictSent {
		t.Errorf("decide: status %d, %+v", a.status, kept.decide)
	}
	if a := s.ask(t, request(http.MethodPost, operations.PathDeadLetters, "", `{"message_sids":["`+one+`"],"dry_run":true}`)); a.status !=
		http.StatusOK || !kept.redrive.DryRun || kept.redrive.MessageSids[0] != one {
		t.Errorf("redrive: status %d, %+v", a.status, kept.redrive)
	}
	if a := s.ask(t, request(http.MethodGet, operations.PathDeadLetters, "", "")); a.status != http.StatusOK ||
		!strings.Contains(a.body, `"run":{"by":"anna"`) {
		t.Errorf("the dead letters: status %d, %s", a.status, a.body)
	}
	kept.err = operations.OrderError{Status: http.StatusConflict, Detail: "it is sent"}
	s.ask(t, decide).wantProblem(t, http.StatusConflict, "it is sent")
	kept.err = errors.New("the disk is away")
	s.ask(t, resend).wantProblem(t, http.StatusServiceUnavailable)
}

// TestMendingRefuses what does not say which texts, what or why.
func TestMendingRefuses(t *testing.T) {
	s := newStage()
	s.Mending = &bench{}
	one := relaytest.MessageSid(1)
	for _, tt := range []struct {
		path, body string
		status     int
	}{
		{operations.PathResend, `{"message_sids":[],"because":"x"}`, http.StatusBadRequest},
		{operations.PathResend, `{"because":"x"}`, http.StatusBadRequest},
		{operations.PathResend, `{"message_sids":["` + one + `"],"because":"` + strings.Repeat("x", 201) + `"}`, http.StatusBadRequest},
		{operations.PathResend, `{"message_sids":["hello"],"because":"x"}`, http.StatusBadRequest},
		{operations.PathResend, `{"message_sids":"` + one + `","because":"x"}`, http.StatusBadRequest},
		{operations.PathResend, `{"message_sids":["` + one + `"]}`, http.StatusUnprocessableEntity},
		{operations.PathUncertain, `{"message_sid":"` + one + `","decision":"forget","because":"x"}`, http.StatusBadRequest},
		{operations.PathUncertain, `{"message_sid":"` + one + `","decision":"sent","because":"x"}`, http.StatusUnprocessableEntity},
		{
			operations.PathUncertain, `{"message_sid":"` + one + `","decision":"resend","sent_sid":"` + one + `","because":"x"}`,
			http.StatusUnprocessableEntity,
		},
		{operations.PathUncertain, `{"message_sid":"` + one + `","decision":"resend"}`, http.StatusBadRequest},
		{operations.PathDeadLetters, `{"message_sids":["x"]}`, http.StatusBadRequest},
	} {
		if a := s.ask(t, request(http.MethodPost, tt.path, "", tt.body)); a.status != tt.status {
			t.Errorf("%s %s: status %d, want %d: %s", tt.path, tt.body, a.status, tt.status, a.body)
		}
	}
	s.ask(t, request(http.MethodGet, operations.PathDeadLetters, "limit=1", "")).wantProblem(t, http.StatusBadRequest)
}
