package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// filled makes a database of some pages and returns its path.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "relay.db")
	db, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		r := ledger.Record{
			MessageSid: fmt.Sprintf("SM%032x", i), State: ledger.Dropped, TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer,
			Body: fmt.Sprintf("%0400d", i), ReceivedAt: ledger.Stamp(time.Now()), UpdatedAt: ledger.Stamp(time.Now()),
		}
		if _, err := db.Ledger().Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// damage overwrites the second half of a file with what is no page.
func damage(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(content) / 2; i < len(content); i++ {
		content[i] = 0x5a
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestQuickCheck(t *testing.T) {
	path := filled(t)
	db := openAt(t, path, time.Now)
	if findings, err := db.QuickCheck(t.Context()); err != nil || len(findings) != 0 || db.Malformed() {
		t.Errorf("a whole file: %q, %v", findings, err)
	}
}

func TestQuickCheckOfADamagedFile(t *testing.T) {
	path := filled(t)
	damage(t, path)
	db := openAt(t, path, time.Now)
	if db.Malformed() {
		t.Error("damaged before anybody looked")
	}
	findings, err := db.QuickCheck(t.Context())
	if err != nil || len(findings) == 0 || len(findings) > maxFindings+1 || !db.Malformed() {
		t.Errorf("findings %q, %v, malformed %v", findings, err, db.Malformed())
	}
}

// TestReadOfADamagedFile: a read that meets the damage reports it.
func TestReadOfADamagedFile(t *testing.T) {
	path := filled(t)
	damage(t, path)
	db := openAt(t, path, time.Now)
	for i := range 300 {
		if _, err := db.Ledger().Get(t.Context(), fmt.Sprintf("SM%032x", i)); err != nil && db.Malformed() {
			return
		}
	}
	t.Error("300 reads in a damaged file found nothing")
}
