package sms_test

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestCallbackURL(t *testing.T) {
	ref := sms.CallbackRef{RelayID: "SM00000000000000000000000000000001", Hop: 0, Attempt: 1}
	const query = "?attempt=1&hop=0&relay_id=SM00000000000000000000000000000001"
	tests := []struct {
		name, baseURL, want string
	}{
		{"host alone", "https://relay.example.com", "https://relay.example.com/sms/status-callback"},
		{"trailing slash", "https://relay.example.com/", "https://relay.example.com/sms/status-callback"},
		{"stage in the path", "https://abc.execute-api.example.com/prod", "https://abc.execute-api.example.com/prod/sms/status-callback"},
		{"port", "http://127.0.0.1:8080", "http://127.0.0.1:8080/sms/status-callback"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ref.URL(tt.baseURL); got != tt.want+query {
				t.Errorf("URL(%q) = %q, want %q", tt.baseURL, got, tt.want+query)
			}
		})
	}
}

func TestCallbackRefComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ref := sms.CallbackRef{
			RelayID: rapid.StringN(1, 40, -1).Draw(t, "relay id"),
			Hop:     rapid.IntRange(0, 1<<31).Draw(t, "hop"),
			Attempt: rapid.IntRange(1, 1<<31).Draw(t, "attempt"),
		}
		address, err := url.Parse(ref.URL("https://relay.example.com"))
		if err != nil {
			t.Fatalf("URL() is no URL: %v", err)
		}
		got, err := sms.ParseCallbackRef(address.RawQuery)
		if err != nil || got != ref {
			t.Errorf("ParseCallbackRef(%q) = %+v, %v; want %+v", address.RawQuery, got, err, ref)
		}
	})
}

func TestParseCallbackRefRefuses(t *testing.T) {
	tests := []struct {
		name, query, want string
	}{
		{"empty", "", "no relay_id"},
		{"empty id", "relay_id=&hop=0&attempt=1", "no relay_id"},
		{"no hop", "relay_id=SM1&attempt=1", "no usable hop"},
		{"hop below 0", "relay_id=SM1&hop=-1&attempt=1", "no usable hop"},
		{"hop no number", "relay_id=SM1&hop=one&attempt=1", "no usable hop"},
		{"hop too large", "relay_id=SM1&hop=99999999999999999999&attempt=1", "no usable hop"},
		{"no attempt", "relay_id=SM1&hop=0", "no usable attempt"},
		{"attempt 0", "relay_id=SM1&hop=0&attempt=0", "no usable attempt"},
		{"attempt with a fraction", "relay_id=SM1&hop=0&attempt=1.5", "no usable attempt"},
		{"broken escape", "relay_id=%zz&hop=0&attempt=1", "parse callback query"},
		{"semicolons", "relay_id=SM1;hop=0;attempt=1", "parse callback query"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := sms.ParseCallbackRef(tt.query)
			if err == nil || !strings.Contains(err.Error(), tt.want) || got != (sms.CallbackRef{}) {
				t.Errorf("ParseCallbackRef(%q) = %+v, %v; want nothing and an error with %q", tt.query, got, err, tt.want)
			}
		})
	}
}

// TestParseCallbackRefIgnoresTheRest: Twilio adds nothing to the query, but a Messaging Service may (bodySHA256).
func TestParseCallbackRefIgnoresTheRest(t *testing.T) {
	want := sms.CallbackRef{RelayID: "SM1", Hop: 2, Attempt: 3}
	got, err := sms.ParseCallbackRef("attempt=3&bodySHA256=00&hop=2&relay_id=SM1&relay_id=SM2")
	if err != nil || got != want {
		t.Errorf("ParseCallbackRef = %+v, %v; want %+v", got, err, want)
	}
}
