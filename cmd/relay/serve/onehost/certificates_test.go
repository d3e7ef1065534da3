package onehost

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/certificates"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestOwnDomain starts a relay that has a domain of its own: it gets itself a certificate, and answers by https what it answers by http
// elsewhere.
func TestOwnDomain(t *testing.T) {
	if testing.Short() {
		t.Skip("builds an authority")
	}
	const domain = "relay.test"
	config := quietConfig(t.TempDir())
	config.Listen = relaytest.FreeAddress(t)
	plain := relaytest.FreeAddress(t)
	authority := relaytest.StartPebble(t, relaytest.BuildPebble(t, "../../../.."), plain, config.Listen, 24*time.Hour)
	config.Certificates = certificates.Config{
		Domains: []string{domain}, HTTP: plain, Directory: authority.Directory, Roots: authority.Roots,
	}
	config.PublicBaseURLs = []string{"https://" + domain}
	r, stop := startedWith(t, config, nil)
	eventually(t, func() error {
		if s := r.door.certificates()[0]; s.Until.IsZero() {
			return fmt.Errorf("no certificate: %+v", s)
		}
		return nil
	})

	dialer := tls.Dialer{Config: &tls.Config{ServerName: domain, RootCAs: authority.Issuer(), MinVersion: tls.VersionTLS12}}
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DialTLSContext: dialer.DialContext},
	}
	defer client.CloseIdleConnections()
	const series = `smsrelay_certificate_end_timestamp_seconds{domain="relay.test"}`
	for _, tt := range []struct {
		method, url string
		want        int
		says        string
	}{
		{http.MethodGet, "https://" + config.Listen + "/sms/health", http.StatusOK, `"status"`},
		{http.MethodPost, "https://" + config.Listen + "/sms/inbound", http.StatusUnsupportedMediaType, ""},
		{http.MethodGet, "https://" + config.Listen + "/metrics", http.StatusOK, series},
		{http.MethodGet, "http://" + plain + "/sms/health", http.StatusPermanentRedirect, "https://relay.test/sms/health"},
		{http.MethodPost, "http://" + plain + "/sms/inbound", http.StatusForbidden, "This relay speaks https."},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tt.method, tt.url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatalf("%s %s: %v", tt.method, tt.url, err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != tt.want || !strings.Contains(string(body)+response.Header.Get("Location"), tt.says) {
			t.Errorf("%s %s: %d, %v, want %d and %q:\n%s", tt.method, tt.url, response.StatusCode, err, tt.want, tt.says, body)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if conn, err := dialer.DialContext(t.Context(), "tcp", config.Listen); err == nil {
		_ = conn.Close()
		t.Error("the relay ended and still answers")
	}
}

// TestConditionOfACertificate has the health check say that there is none, and why.
func TestConditionOfACertificate(t *testing.T) {
	config := quietConfig(t.TempDir())
	config.Certificates = certificates.Config{Domains: []string{"relay.test"}, Directory: "https://127.0.0.1:1/dir"}
	config.PublicBaseURLs = []string{"https://relay.test"}
	r, _ := startedWith(t, config, nil)
	eventually(t, func() error {
		problems := strings.Join(r.condition().Problems, "\n")
		if !strings.Contains(problems, "there is no certificate for relay.test yet") || !strings.Contains(problems, "refused") {
			return fmt.Errorf("the problems are %q", problems)
		}
		return nil
	})
	if got := r.URL(); !strings.HasPrefix(got, "https://127.0.0.1:") {
		t.Errorf("the door's URL is %q", got)
	}
}
