package dynamo_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// suiteRetention is enough for the suite, whose records are up to 50 days old, and makes its walks shorter.
const suiteRetention = 52 * 24 * time.Hour

// TestLedgerOnFake runs the ledger's suite against the fake, which holds the fake against the suite, too.
func TestLedgerOnFake(t *testing.T) {
	t.Parallel()
	relaytest.TestLedger(t, func(*testing.T) relaytest.LedgerUnderTest {
		l := dynamo.NewLedger(newFake(dynamo.LedgerSchema()).config(), dynamo.LedgerConfig{
			Table: "qdn-sms-audit", Retention: suiteRetention, Now: time.Now,
		})
		return relaytest.LedgerUnderTest{Store: l, Lister: l}
	})
}

func ledgerOn(f *fakeDynamo, now func() time.Time) *dynamo.Ledger {
	return dynamo.NewLedger(f.config(), dynamo.LedgerConfig{Table: "qdn-sms-audit", Retention: 90 * 24 * time.Hour, Now: now})
}

// noon is when the tests of this file play.
func noon() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// claimed returns a record at its first attempt.
func claimed(t *testing.T, n int, claimID string) ledger.Record {
	t.Helper()
	r, err := relaytest.Record(n, noon()).Claim(claimID, 0, relaytest.Destination, time.Minute, noon())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// onPut makes something else of the nth PutItem, which takes effect first if late is true.
func onPut(n int, late bool, instead reply) func(string, int, func() reply) reply {
	return func(operation string, nth int, apply func() reply) reply {
		if operation != "PutItem" || nth != n {
			return apply()
		}
		if late {
			apply()
		}
		return instead
	}
}

// TestLostAnswer holds one write to one effect and one answer, wherever the connection breaks.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		for name, instead := range map[string]reply{
			"connection lost":     {err: lost()},
			"failure of DynamoDB": refuse(http.StatusInternalServerError, "InternalServerError"),
		} {
			t.Run(fmt.Sprintf("%s, written %v", name, late), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFake(dynamo.LedgerSchema())
					l := ledgerOn(f, noon)
					f.fault = onPut(1, late, instead)
					created, err := l.Create(t.Context(), claimed(t, 1, "mine"))
					if err != nil || created.Version != 1 {
						t.Fatalf("Create: version %d, error %v", created.Version, err)
					}
					if f.calls["PutItem"] != 2 {
						t.Errorf("%d attempts, want 2", f.calls["PutItem"])
					}
				})
			})
		}
	}
}

func TestLostAnswerOfUpdate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(dynamo.LedgerSchema())
		l := ledgerOn(f, noon)
		r, err := l.Create(t.Context(), claimed(t, 1, "mine"))
		if err != nil {
			t.Fatal(err)
		}
		f.fault = onPut(2, true, reply{err: lost()})
		r.Body = "changed"
		updated, err := l.Update(t.Context(), r)
		if err != nil || updated.Version != 2 {
			t.Errorf("Update: version %d, error %v", updated.Version, err)
		}
	})
}

// TestLostAnswerOfTheLoser loses the answer of a claim that came too late: the repeat must not take the other's claim
// for its own.
func TestLostAnswerOfTheLoser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(dynamo.LedgerSchema())
		l := ledgerOn(f, noon)
		winner, err := l.Create(t.Context(), claimed(t, 1, "theirs"))
		if err != nil {
			t.Fatal(err)
		}
		f.fault = onPut(2, true, reply{err: lost()})
		got, err := l.Create(t.Context(), claimed(t, 1, "mine"))
		if !errors.Is(err, ledger.ErrExists) {
			t.Errorf("error %v, want ErrExists", err)
		}
		if diff := cmp.Diff(winner, got); diff != "" {
			t.Errorf("returned record (-want +got):\n%s", diff)
		}
	})
}

// TestIdenticalRecords claims twice without a fault: the second is a conflict, however alike the records are.
func TestIdenticalRecords(t *testing.T) {
	t.Parallel()
	l := ledgerOn(newFake(dynamo.LedgerSchema()), noon)
	if _, err := l.Create(t.Context(), claimed(t, 1, "same")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Create(t.Context(), claimed(t, 1, "same")); !errors.Is(err, ledger.ErrExists) {
		t.Errorf("error %v, want ErrExists", err)
	}
}

func TestFaultKinds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code   string
		status int
		write  fault.Kind
		read   fault.Kind
	}{
		{"ProvisionedThroughputExceededException", 400, fault.Throttled, fault.Throttled},
		{"ThrottlingException", 400, fault.Throttled, fault.Throttled},
		{"RequestLimitExceeded", 400, fault.Throttled, fault.Throttled},
		{"TransactionConflictException", 400, fault.Transient, fault.Transient},
		{"InternalServerError", 500, fault.Unknown, fault.Transient},
		{"ServiceUnavailable", 503, fault.Unknown, fault.Transient},
		{"AccessDeniedException", 400, fault.Fatal, fault.Fatal},
		{"ResourceNotFoundException", 400, fault.Fatal, fault.Fatal},
		{"UnrecognizedClientException", 400, fault.Fatal, fault.Fatal},
		{"ValidationException", 400, fault.Permanent, fault.Permanent},
		{"ItemCollectionSizeLimitExceededException", 400, fault.Permanent, fault.Permanent},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(dynamo.LedgerSchema())
				f.fault = func(string, int, func() reply) reply { return refuse(tt.status, tt.code) }
				l := ledgerOn(f, noon)
				_, created := l.Create(t.Context(), claimed(t, 1, "mine"))
				_, updated := l.Update(t.Context(), claimed(t, 1, "mine"))
				_, got := l.Get(t.Context(), relaytest.MessageSid(1))
				_, listed := l.List(t.Context(), ledger.Query{Limit: 10, Number: relaytest.Customer})
				for name, err := range map[string]error{"Create": created, "Update": updated} {
					checkFault(t, name, err, tt.write)
				}
				for name, err := range map[string]error{"Get": got, "List": listed} {
					checkFault(t, name, err, tt.read)
				}
			})
		})
	}
}

// checkFault checks an error's kind, and that it quotes nothing that was sent.
func checkFault(t *testing.T, operation string, err error, want fault.Kind) {
	t.Helper()
	got, ok := errors.AsType[*fault.Error](err)
	if !ok || got.Kind != want {
		t.Errorf("%s: error %v, want a fault that is %v", operation, err, want)
		return
	}
	for _, private := range []string{"Hello", string(relaytest.Customer), relaytest.Message(1).Body} {
		if strings.Contains(err.Error(), private) && want != fault.Fatal {
			t.Errorf("%s: %q quotes %q", operation, err, private)
		}
	}
}

// TestUnreadableRecord reads what someone wrote into the table by hand.
func TestUnreadableRecord(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, item, want string }{
		{
			"a number for a text", `{"MessageSid":{"S":"SM1"},"State":{"N":"1"}}`,
			"fatal: item SM1 is unreadable: attribute State should be ledger.State",
		},
		{
			"an invalid time", `{"MessageSid":{"S":"SM1"},"ReceivedAt":{"S":"+18585550111"}}`,
			"fatal: item SM1 is unreadable: an attribute has the wrong form",
		},
		{
			"bytes", `{"MessageSid":{"S":"SM1"},"Body":{"B":"AAAA"}}`,
			"fatal: item SM1 is unreadable: attribute Body: its DynamoDB type is not one the relay uses",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(dynamo.LedgerSchema())
			f.store(t, tt.item)
			if _, err := ledgerOn(f, noon).Get(t.Context(), "SM1"); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func TestUnprocessedKeys(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		records   int
		batchSize int
		rounds    int
		want      int
		kind      fault.Kind
	}{
		{name: "all at once", records: 20, batchSize: 100, rounds: 1, want: 20},
		{name: "in four rounds", records: 20, batchSize: 6, rounds: 4, want: 20},
		{name: "in five rounds", records: 20, batchSize: 4, rounds: 5, want: 20},
		{name: "too slowly", records: 20, batchSize: 3, rounds: 5, kind: fault.Throttled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(dynamo.LedgerSchema())
				l := ledgerOn(f, noon)
				for n := range tt.records {
					if _, err := l.Create(t.Context(), claimed(t, n, "mine")); err != nil {
						t.Fatal(err)
					}
				}
				f.batchSize = tt.batchSize
				page, err := l.List(t.Context(), ledger.Query{Number: relaytest.Customer, Limit: 100})
				if len(page.Records) != tt.want || f.calls["BatchGetItem"] != tt.rounds {
					t.Errorf("%d records in %d rounds, want %d in %d", len(page.Records), f.calls["BatchGetItem"], tt.want, tt.rounds)
				}
				if (err != nil) != (tt.want == 0) || err != nil && fault.Of(err).Kind != tt.kind {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}
