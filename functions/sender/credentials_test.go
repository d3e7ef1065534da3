package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/twilio"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// named returns credentials that are told apart by name.
func named(names ...string) []twilio.Credentials {
	var all []twilio.Credentials
	for _, name := range names {
		all = append(all, twilio.Credentials{AuthToken: name})
	}
	return all
}

// keptSecret is a secret with the credentials before it. It is changed between calls only.
type keptSecret struct {
	*credentialsSource

	clock *relaytest.Clock
	names []string
	fault error
	reads int
}

func newKeptSecret(t *testing.T, names ...string) *keptSecret {
	t.Helper()
	s := &keptSecret{clock: relaytest.NewClock(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)), names: names}
	read := func(context.Context) ([]twilio.Credentials, error) {
		s.reads++
		return named(s.names...), s.fault
	}
	kept, err := secrets.Keep(t.Context(), read, read, slices.Equal, s.clock.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.credentialsSource = &credentialsSource{kept: kept}
	return s
}

// refuses reports refused credentials and checks which ones come instead, "" for none, and which are used from then on.
func (s *keptSecret) refuses(t *testing.T, refused, instead, then string) {
	t.Helper()
	others, ok := s.Instead(t.Context(), named(refused)[0])
	if got := others.AuthToken; ok != (instead != "") || ok && got != instead {
		t.Errorf("instead of %s: %q (%v), want %q", refused, got, ok, instead)
	}
	if got := s.Credentials().AuthToken; got != then {
		t.Errorf("after %s was refused %q is used, want %q", refused, got, then)
	}
}

// TestManagedRotation: Twilio takes the pending token alone for minutes before the secret's current one changes.
func TestManagedRotation(t *testing.T) {
	t.Parallel()
	s := newKeptSecret(t, "old")
	s.names = []string{"old", "new"}
	s.refuses(t, "old", "new", "new")
	s.refuses(t, "old", "new", "new") // one that was under way with the old one
	s.names = []string{"new"}
	s.clock.Advance(time.Hour)
	if got := s.Credentials().AuthToken; got != "new" || s.reads != 2 {
		t.Errorf("%q is used after %d reads, want new after 2", got, s.reads)
	}
	s.names = []string{"newer"}
	s.refuses(t, "new", "newer", "newer")
	s.refuses(t, "old", "newer", "newer")
	if s.reads != 3 {
		t.Errorf("%d reads, want 3", s.reads)
	}
}

// Twilio is no one machine: for a while one of its ends takes the one token, and another the other.
func TestBothRefusedInTurn(t *testing.T) {
	t.Parallel()
	s := newKeptSecret(t, "old", "new")
	for range 3 {
		s.refuses(t, "old", "new", "new")
		s.refuses(t, "new", "old", "old")
	}
	if s.reads != 2 {
		t.Errorf("%d reads within a minute, want one besides the first", s.reads)
	}
}

// While there are no others nothing is changed, and the secret is read once a minute.
func TestNoOthers(t *testing.T) {
	t.Parallel()
	s := newKeptSecret(t, "old")
	for range 100 {
		s.refuses(t, "old", "", "old")
	}
	if s.reads != 2 {
		t.Errorf("%d reads within a minute, want one besides the first", s.reads)
	}
	s.fault = errors.New("away")
	s.clock.Advance(time.Minute)
	s.refuses(t, "old", "", "old")
	s.fault, s.names = nil, []string{"new"}
	s.clock.Advance(time.Minute)
	s.refuses(t, "old", "new", "new")
}

// TestCredentialsOfASlowText: one text was refused with the token of the rotation before, while another had the secret read again.
func TestCredentialsOfASlowText(t *testing.T) {
	s := newKeptSecret(t, "zero", "one")
	s.refuses(t, "zero", "one", "one")
	s.names = []string{"one", "two"}
	s.clock.Advance(time.Minute)
	s.refuses(t, "one", "two", "two")
	s.refuses(t, "zero", "two", "two")
	s.refuses(t, "one", "two", "two")
}
