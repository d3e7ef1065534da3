package health

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWhereARelayOfThisHostIsAsked(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:8080": "127.0.0.1:8080",
		":443":           "127.0.0.1:443",
		"0.0.0.0:8080":   "127.0.0.1:8080",
		"[::]:8080":      "127.0.0.1:8080",
		"[::1]:8080":     "[::1]:8080",
		"10.0.0.7:443":   "10.0.0.7:443",
		"localhost:8080": "localhost:8080",
		"127.0.0.1:0":    "",
		"8080":           "",
		"":               "",
	} {
		got, err := addressOf(listen)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q is asked at %q, %v; want %q", listen, got, err, want)
		}
	}
}

// TestTheAnswerDecides which a relay gives over http, or over https with a certificate that this host may not trust.
func TestTheAnswerDecides(t *testing.T) {
	for name, tt := range map[string]struct {
		code   int
		body   string
		domain string
		isWell bool
		isErr  bool
	}{
		"well":           {http.StatusOK, `{"status":"ok"}`, "", true, false},
		"well, by https": {http.StatusOK, `{"status":"ok"}`, "relay.example.com", true, false},
		"problems":       {http.StatusOK, `{"status":"degraded","problems":["the disk is full"]}`, "", true, false},
		"failing":        {http.StatusServiceUnavailable, `{"status":"failing","problems":["the database is damaged"]}`, "", false, false},
		"another one":    {http.StatusOK, `<html>`, "", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/sms/health" || (tt.domain != "" && r.Host != tt.domain) {
					t.Errorf("asked for %s%s", r.Host, r.URL.Path)
				}
				w.WriteHeader(tt.code)
				_, _ = fmt.Fprint(w, tt.body)
			}))
			start := server.Start
			if tt.domain != "" {
				start = server.StartTLS
			}
			start()
			defer server.Close()
			_, address, _ := strings.Cut(server.URL, "://")
			said, isWell, err := ask(t.Context(), address, tt.domain)
			if isWell != tt.isWell || (err != nil) != tt.isErr || (err == nil && said.Status == "") {
				t.Errorf("%+v, well: %t, %v", said, isWell, err)
			}
		})
	}
}
