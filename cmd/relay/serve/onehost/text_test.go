package onehost

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestTextIsForTheToken: the operators' token opens what a text says, and each look is on record before it is shown.
func TestTextIsForTheToken(t *testing.T) {
	r, _ := started(t, nil)
	stored := relaytest.Record(1, time.Now())
	if _, err := r.db.Ledger().Create(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		token string
		want  int
		looks int
	}{{"", 401, 0}, {"another-token-of-others", 401, 0}, {operatorToken, 200, 1}} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL()+operations.PathText+"?message_sid="+stored.MessageSid,
			http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if tt.token != "" {
			request.Header.Set("Authorization", "Bearer "+tt.token)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != tt.want || strings.Contains(string(body), stored.Body) != (tt.want == http.StatusOK) {
			t.Errorf("with the token %q: %d %s, %v", tt.token, response.StatusCode, body, err)
		}
		got, err := r.db.Ledger().Get(t.Context(), stored.MessageSid)
		if err != nil || got.Reading.Number != tt.looks || tt.looks > 0 && got.Reading.By != "operator" {
			t.Errorf("with the token %q: on record %+v, %v", tt.token, got.Reading, err)
		}
	}
}
