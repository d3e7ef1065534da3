package sqlite

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// A copy, such as a backup has, and a file that was rebuilt, have the index.
func TestTheIndexOfACopy(t *testing.T) {
	folder := t.TempDir()
	path, copied := filepath.Join(folder, "relay.db"), filepath.Join(folder, "copy.db")
	db, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	write(t, db, "The gate is open", "Which gate?")
	one := conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: "+13125550147", Name: "Ann Miller"}
	if _, err := db.Conversations().Put(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.CopyTo(t.Context(), copied, func() error { return nil }), db.Close(), Rebuild(t.Context(), path)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, copied} {
		again := openAt(t, file, time.Now)
		if got := find(t, again, ledger.Search{Words: []string{"gate"}}); len(got) != 2 {
			t.Errorf("%s: found %q", filepath.Base(file), got)
		}
		if got, err := again.Conversations().Named(t.Context(), []string{"ann"}, "", 10); err != nil || len(got) != 1 {
			t.Errorf("%s: found %d customers, error %v", filepath.Base(file), len(got), err)
		}
	}
}

func TestNames(t *testing.T) {
	db := openNew(t)
	c := db.Conversations()
	keep := func(customer sms.PhoneNumber, name string) {
		t.Helper()
		one, err := c.Get(t.Context(), relaytest.TwilioNumber, customer)
		if err == nil {
			one.Name = name
			_, err = c.Put(t.Context(), one)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	named := func(words ...string) (names []string) {
		t.Helper()
		found, err := c.Named(t.Context(), words, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range found {
			names = append(names, one.Name)
		}
		return names
	}
	keep("+13125550147", "Ann Miller")
	keep("+13125550148", "Zoë Müller")
	keep("+13125550149", "")
	keep("+13125550150", "Ann")
	for _, tt := range []struct{ words, want []string }{
		{[]string{"ann"}, []string{"Ann Miller", "Ann"}},
		{[]string{"mil"}, []string{"Ann Miller"}},
		{[]string{"ann", "mi"}, []string{"Ann Miller"}},
		{[]string{"muller", "zoe"}, []string{"Zoë Müller"}},
		{[]string{"m"}, []string{"Ann Miller", "Zoë Müller"}},
		{[]string{"an", "miller"}, nil},
		{[]string{`"`}, nil},
	} {
		if diff := cmp.Diff(tt.want, named(tt.words...)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.words, diff)
		}
	}
	keep("+13125550147", "Ann Smith")
	keep("+13125550150", "")
	if diff := cmp.Diff([]string{"Ann Smith"}, named("ann")); diff != "" {
		t.Errorf("after other names (-want +got):\n%s", diff)
	}
	one, err := c.Get(t.Context(), relaytest.TwilioNumber, "+13125550147")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Forgotten().Remove(t.Context(), []byte("key"), one); err != nil {
		t.Fatal(err)
	}
	if got := named("ann"); got != nil {
		t.Errorf("a customer who was forgotten is found: %v", got)
	}
}
