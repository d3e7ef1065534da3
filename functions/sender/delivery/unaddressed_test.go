package delivery_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// A text whose form lacked its addresses ends where people see it, and asks no table for a number that is not there.
func TestTextWithoutAddressesFails(t *testing.T) {
	for name, edit := range map[string]func(e *queue.Envelope){
		"no sender": func(e *queue.Envelope) { e.Message.From = "" },
		"no number": func(e *queue.Envelope) { e.Message.To = "" },
		"neither":   func(e *queue.Envelope) { e.Message.From, e.Message.To = "", "" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.queueUp(textOf(1, edit), textOf(1, edit))
			s.drain()
			s.checkPosts(0)
			s.checkState(1, ledger.Failed, ledger.ReasonNoAddress)
			if r := s.record(1); r.Version != 1 || r.Body == "" {
				t.Errorf("record %+v, want one write, and the words", r)
			}
			if diff := cmp.Diff(map[string]int{"Outcome failed": 1, "ReachedNobody": 1, "Duplicates": 1}, s.measured); diff != "" {
				t.Errorf("measured (-want +got):\n%s", diff)
			}
		})
	}
}
