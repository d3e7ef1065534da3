package onehost

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestContactsAreForTheToken: the operators' token opens customers' names, and a name is kept with who gave it.
func TestContactsAreForTheToken(t *testing.T) {
	r, _ := started(t, nil)
	if _, err := r.db.Routes().Put(t.Context(), relaytest.Route()); err != nil {
		t.Fatal(err)
	}
	const name = `{"twilio_number":"` + string(relaytest.TwilioNumber) + `","customer":"` + string(relaytest.Customer) + `","name":"Ann"}`
	for _, tt := range []struct {
		method, token, body string
		want                int
	}{
		{http.MethodPut, "", name, 401},
		{http.MethodPut, "another-token-of-others", name, 401},
		{http.MethodPut, operatorToken, name, 200},
		{http.MethodGet, "", "", 401},
		{http.MethodGet, operatorToken, "", 200},
		{http.MethodDelete, "", "", 401},
		{http.MethodDelete, operatorToken, "", 200},
	} {
		url := r.URL() + operations.PathContacts
		if tt.body == "" {
			url += "?number=" + string(relaytest.TwilioNumber) + "&customer=" + string(relaytest.Customer)
		}
		request, err := http.NewRequestWithContext(t.Context(), tt.method, url, strings.NewReader(tt.body))
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
		if err != nil || response.StatusCode != tt.want || strings.Contains(string(body), `"Ann"`) != (tt.want == http.StatusOK) {
			t.Errorf("%s with the token %q: %d %s, %v", tt.method, tt.token, response.StatusCode, body, err)
		}
		c, err := r.db.Conversations().Get(t.Context(), relaytest.TwilioNumber, relaytest.Customer)
		if err != nil || c.Version > 0 && c.NamedBy != "operator" || tt.want == 401 && tt.method == http.MethodPut && c.Version > 0 {
			t.Errorf("%s with the token %q: kept is %+v, %v", tt.method, tt.token, c, err)
		}
	}
}
