package auditsource_test

import (
	"context"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/auditsource"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// ledgerOf is a ledger that gives the answers of a test.
type ledgerOf map[string]auditlog.Head

func (l ledgerOf) Each(_ context.Context, visit func(string, auditlog.Head)) error {
	for sid, head := range l {
		visit(sid, head)
	}
	return nil
}

func (l ledgerOf) Head(_ context.Context, sid string) (auditlog.Head, error) { return l[sid], nil }

func (ledgerOf) Unaudited(context.Context, func(string)) error { return nil }

func (ledgerOf) Conversation(context.Context, sms.PhoneNumber, sms.PhoneNumber) (string, error) {
	return "", nil
}

// TestVerifyWaitsForARemoval once, and reads the end of the log again.
func TestVerifyWaitsForARemoval(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	r, err := relaytest.Record(1, noon).Claim("c1a1", 0, relaytest.Destination, time.Minute, noon)
	if err != nil {
		t.Fatal(err)
	}
	r.Version = 1
	lineOf := func(before, after *ledger.Record, change string) auditlog.Line {
		entry, err := auditlog.MessageEntry(before, after, change, auditlog.Seen{At: noon.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		line, err := entry.Line()
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	for name, comes := range map[string]bool{"it comes": true, "it never comes": false} {
		t.Run(name, func(t *testing.T) {
			lines := []auditlog.Line{lineOf(nil, &r, auditlog.ChangeCreated)}
			waited := 0
			source := &auditsource.Source{
				Heads: ledgerOf{}, Lag: time.Minute,
				Read: func(_ context.Context, _ auditsource.Query, visit func(auditlog.Line) error) error {
					for _, line := range lines {
						if err := visit(line); err != nil {
							return err
						}
					}
					return nil
				},
			}
			v := auditsource.Verification{
				Source: source, Now: func() time.Time { return noon.Add(time.Hour) },
				Wait: func(_ context.Context, until time.Time, removed int) error {
					waited++
					if removed != 1 || !until.Equal(noon.Add(time.Hour+time.Minute)) {
						t.Errorf("waits until %v for %d", until, removed)
					}
					if comes {
						lines = append(lines, lineOf(&r, nil, auditlog.ChangeExpired))
					}
					return nil
				},
			}
			report, err := v.Run(t.Context())
			if err != nil || waited != 1 || report.Sound() != comes {
				t.Errorf("waited %d times, report %+v, error %v", waited, report, err)
			}
		})
	}
}
