//go:build unix

package e2e

import (
	"net/http"
	"net/url"
	"strings"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// named has an operator give a customer a name, which the phone on duty then sees, and take it away again. The audit log has who did it.
func (s *stage) named() {
	s.t.Helper()
	who := customer(901)
	one := operations.PathContacts + "?customer=" + url.QueryEscape(string(who)) + "&number=" + url.QueryEscape(string(number))
	s.asks(http.MethodDelete, one, "", http.StatusNotFound, "has no name")
	name := `{"twilio_number":"` + string(number) + `","customer":"` + string(who) + `","name":"Ann: Miller"}`
	s.asks(http.MethodPut, operations.PathContacts, strings.Replace(name, "}", `,"dry_run":true}`, 1), http.StatusOK, `"action":"added"`)
	s.asks(http.MethodGet, one, "", http.StatusNotFound, "has no name")
	s.asks(http.MethodPut, operations.PathContacts, name, http.StatusOK, `"action":"added"`)
	s.asks(http.MethodPut, operations.PathContacts, name, http.StatusOK, `"action":"unchanged"`)
	s.asks(http.MethodGet, one, "", http.StatusOK, `"name":"Ann Miller"`)
	s.asks(http.MethodGet, operations.PathContacts+"?number="+url.QueryEscape(string(number)), "", http.StatusOK, `"name":"Ann Miller"`)

	const words = "Is my name known?"
	s.await(s.mustText(who, number, words), patience, ledger.Delivered, ledger.Uncertain)
	messages := s.sent()[words]
	if len(messages) == 0 || !strings.Contains(messages[0].Body, " Ann Miller "+string(who)+": ") {
		s.t.Errorf("the phone was sent %+v, want the name", messages)
	}
	s.asks(http.MethodDelete, one, "", http.StatusOK, `"action":"removed"`)
	s.until("the audit log has who gave the name and who took it away", patience, func() bool {
		named := 0
		for _, trail := range s.entries() {
			for _, e := range trail {
				if e.Customer == who.Mask() && strings.HasPrefix(e.Actor, "arn:aws:iam::") {
					named++
				}
			}
		}
		return named == 2
	})
}

// asks makes an operator's request, and wants an answer of that status that holds the words.
func (s *stage) asks(method, path, body string, want int, words string) {
	s.t.Helper()
	if status, answer := s.signed(method, path, body); status != want || !strings.Contains(string(answer), words) {
		s.t.Errorf("%s %s %s is answered %d %s; want %d and %s", method, path, body, status, answer, want, words)
	}
}
