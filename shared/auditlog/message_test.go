package auditlog_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestEntriesOfATextWithVeryManyAttempts: each entry is about the attempt that the change was about, also where the record has
// stopped listing the first ones, and follows from its seal.
func TestEntriesOfATextWithVeryManyAttempts(t *testing.T) {
	t.Parallel()
	text := relaytest.Record(1, noon)
	text.Version = 1
	// write stores what a change makes of the text, and checks its entry.
	write := func(number int, after ledger.Record, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		before := text
		if text, err = auditlog.Seal(before, after); err != nil {
			t.Fatal(err)
		}
		text.Version = before.Version + 1
		entry, err := auditlog.MessageEntry(&before, &text, auditlog.ChangeChanged, auditlog.Seen{At: noon})
		if err != nil || entry.Unsealed || entry.Attempt == nil || entry.Attempt.Number != number {
			t.Fatalf("the entry of attempt %d is about %+v, unsealed %v, error %v", number, entry.Attempt, entry.Unsealed, err)
		}
	}
	for number := 1; number <= 150; number++ {
		claimed, err := text.Claim("claim", 0, relaytest.Destination, time.Minute, noon)
		write(number, claimed, err)
		ended, _, err := text.End(number, &fault.Error{Kind: fault.Transient}, ledger.Onward{To: ledger.Queued}, noon)
		write(number, ended, err)
	}
	// A late receipt of an attempt before the last.
	taken, _ := text.Accept(149, relaytest.MessageSid(149), "queued", noon)
	write(149, taken, nil)
	if text.Folded.Attempts == 0 {
		t.Error("the record lists all attempts, so that nothing was tested")
	}
}
