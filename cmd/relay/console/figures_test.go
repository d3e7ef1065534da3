package console_test

import (
	"net/http"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// went stores a record of the number.
func (s *stage) went(r ledger.Record) {
	s.Helper()
	r.TwilioNumber = business
	if _, err := auditlog.Put(s.Context(), s.relay.Ledger, ledger.Record{}, r); err != nil {
		s.Fatal(err)
	}
}

// TestHowItIsGoing: the figures of a day, a week and a month, as pictures and as a table, by the clocks of the route.
func TestHowItIsGoing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.hasHours() // Monday noon in Los Angeles
	came := s.now.Add(-time.Hour)
	taken := ledger.Attempt{Number: 1, To: bos, Outcome: ledger.OutcomeAccepted, EndedAt: came.Add(time.Second), Status: sms.StatusDelivered}
	refused := ledger.Attempt{Number: 2, To: phone, Outcome: "permanent", ErrorCode: 30003, HTTPStatus: 400}
	s.went(ledger.Record{
		MessageSid: sid(1), Customer: ann, Body: words, ReceivedAt: came, State: ledger.Delivered, Attempts: []ledger.Attempt{taken, refused},
	})
	s.went(ledger.Record{
		MessageSid: sid(2), Customer: ann, Destination: ann, Body: "Yes", ReceivedAt: came.Add(5 * time.Minute), State: ledger.Delivered,
		Answer:   ledger.Answer{Phone: bos, At: came.Add(4*time.Minute + time.Second), Verdict: ledger.AnswerSent},
		Attempts: []ledger.Attempt{{To: ann, Outcome: ledger.OutcomeAccepted, EndedAt: came.Add(5 * time.Minute), Status: sms.StatusDelivered}},
	})
	b := s.as(signin.Viewer)
	week := b.do(http.MethodGet, "/console/figures", nil)
	b.want(week, http.StatusOK, "Monday 30 November to Sunday 6 December 2026", "half of 1 within 4m", "<dd>2 sent, 2 received</dd>",
		"$0.03 at list price",
		`aria-label="Texts of customers: at most 1, Mon 30 Nov.`, `<rect class="on" x="1" y="0" width="8" height="100">`,
		`<th scope="row">Bo</th><td>1</td><td>0</td><td>0</td><td>0</td>`, `<th scope="row">Customers</th><td>1</td>`,
		`<th scope="row">30003</th><td>1</td>`, "America/Los_Angeles", `aria-current="page">Week`)
	day := b.do(http.MethodGet, "/console/figures?over=day&at=2026-11-30", nil)
	b.want(day, http.StatusOK, "Monday 30 November 2026", `<th scope="row">11:00</th><td>1</td><td>1</td>`)
	b.want(b.do(http.MethodGet, "/console/figures?over=month&at=2026-10-03", nil), http.StatusOK, "October 2026", "not known: nobody waited",
		"at=2026-11-01")
	// Nothing that anybody wrote is there, and nobody has read it.
	if r, err := s.relay.Ledger.Get(t.Context(), sid(1)); err != nil || r.Reading.Number > 0 {
		t.Errorf("somebody has read it: %v, %v", r.Reading, err)
	}
}
