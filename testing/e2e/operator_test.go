//go:build unix

package e2e

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/lambdahost"
)

// redrive moves a text's dead letter back to the queue as SQS does, twice, and wants the text delivered once.
func (s *stage) redrive(sid string) {
	s.t.Helper()
	letter := s.deadLetter()
	for range 2 {
		err := s.queue("Queue").Send(s.t.Context(), queue.Outgoing{
			Group: letter.Group, DeduplicationID: rand.Text(), Body: letter.Body, Attributes: letter.Attributes,
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	r := s.await(sid, patience, ledger.Delivered)
	accepted := 0
	for _, attempt := range r.Attempts {
		if attempt.Accepted() {
			accepted++
		}
	}
	if accepted != 1 || r.RedrivenAfter == 0 {
		s.t.Errorf("the redriven text was taken %d times: %+v", accepted, r.Attempts)
	}
}

// manualText is what the operator writes.
const manualText = "We are on our way"

// manual has an operator ask what would become of a text of his own, and send it; asked again, it is a repeat, and the audit
// log has all its changes before long.
func (s *stage) manual() {
	s.t.Helper()
	text := `{"twilio_number":"` + string(number) + `","body":"` + manualText + `","idempotency_key":"visit-4711"`
	s.relays(text+`,"dry_run":true}`, http.StatusOK, `"outcome":"send"`)
	var accepted operations.RelayAnswer
	if err := json.Unmarshal(s.relays(text+`}`, http.StatusAccepted, `"id":"RL`), &accepted); err != nil {
		s.t.Fatal(err)
	}
	s.until("the operator's text is sent", patience, func() bool { return len(s.sent()[manualText]) == 1 })
	s.relays(text+`,"dry_run":true}`, http.StatusOK, `"outcome":"repeat"`)
	s.until("the operator's text has its whole trail", patience, func() bool {
		_, answer := s.signed(http.MethodGet, accepted.StatusURL+"&trail=true", "")
		return strings.Contains(string(answer), `"complete":true`)
	})
}

// relays posts an operator's text, and wants an answer of that status that holds the words.
func (s *stage) relays(body string, want int, words string) []byte {
	s.t.Helper()
	status, answer := s.signed(http.MethodPost, operations.PathRelay, body)
	if status != want || !strings.Contains(string(answer), words) {
		s.t.Errorf("%s is answered %d %s; want %d and %s", body, status, answer, want, words)
	}
	return answer
}

// signed makes an operator's request.
func (s *stage) signed(method, path, body string) (status int, answer []byte) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.host.URL()+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if err := lambdahost.SignOperator(s.t.Context(), request, []byte(body), time.Now()); err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err = io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, answer
}
