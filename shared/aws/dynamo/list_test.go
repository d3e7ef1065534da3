package dynamo_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestWalkIsBounded lists a ledger whose one record is days old, and counts what each page costs.
func TestWalkIsBounded(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		query ledger.Query
		age   time.Duration
		want  []int
	}{
		{"today's", ledger.Query{Limit: 1}, time.Hour, []int{10, 100, 100, 100, 100, 100, 100, 100, 100, 100, 10}},
		{"all states, twenty days ago", ledger.Query{Since: noon().AddDate(0, 0, -20), Limit: 10}, 20 * 24 * time.Hour, []int{100, 100, 10}},
		{"one state, eighty days ago", ledger.Query{State: ledger.Sending, Limit: 10}, 80 * 24 * time.Hour, []int{91}},
		{
			"beyond the retention",
			ledger.Query{State: ledger.Sending, Since: noon().AddDate(-10, 0, 0), Limit: 10},
			100 * 24 * time.Hour,
			[]int{91},
		},
		{"from tomorrow", ledger.Query{Since: noon().AddDate(0, 0, 1), Limit: 10}, time.Hour, []int{0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(dynamo.LedgerSchema())
			l := ledgerOn(f, noon)
			r := claimed(t, 1, "mine")
			r.ReceivedAt = noon().Add(-tt.age)
			if _, err := l.Create(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			var costs []int
			for len(costs) == 0 || !tt.query.Cursor.IsZero() {
				before := f.calls["Query"]
				page, err := l.List(t.Context(), tt.query)
				if err != nil {
					t.Fatal(err)
				}
				tt.query.Cursor = page.Next
				costs = append(costs, f.calls["Query"]-before)
			}
			if diff := cmp.Diff(tt.want, costs); diff != "" {
				t.Errorf("queries of each page (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNumberAndState finds the one matching record among many without a page for each ten.
func TestNumberAndState(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.LedgerSchema())
	l := ledgerOn(f, noon)
	for n := range 100 {
		r := claimed(t, n, "mine")
		if n == 3 {
			r.State = ledger.Failed
		}
		if _, err := l.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	page, err := l.List(t.Context(), ledger.Query{Number: relaytest.TwilioNumber, State: ledger.Failed, Limit: 10})
	if err != nil || len(page.Records) != 1 || page.Records[0].MessageSid != relaytest.MessageSid(3) {
		t.Errorf("page %+v, error %v; want message 3", page, err)
	}
}

// TestStaleIndex lists what an index still shows in its old state.
func TestStaleIndex(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.LedgerSchema())
	l := ledgerOn(f, noon)
	if _, err := l.Create(t.Context(), claimed(t, 1, "mine")); err != nil {
		t.Fatal(err)
	}
	f.items[relaytest.MessageSid(1)]["State"]["S"] = "sent"
	for state, want := range map[ledger.State]int{ledger.Sending: 0, "": 1} {
		page, err := l.List(t.Context(), ledger.Query{State: state, Limit: 10})
		if err != nil || len(page.Records) != want {
			t.Errorf("state %q: %d records, error %v; want %d", state, len(page.Records), err, want)
		}
	}
}

// TestNumberInBothRoles lists a text from a number to itself once.
func TestNumberInBothRoles(t *testing.T) {
	t.Parallel()
	l := ledgerOn(newFake(dynamo.LedgerSchema()), noon)
	r := claimed(t, 1, "mine")
	r.Customer = r.TwilioNumber
	if _, err := l.Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	page, err := l.List(t.Context(), ledger.Query{Number: r.TwilioNumber, Limit: 10})
	if err != nil || len(page.Records) != 1 {
		t.Errorf("%d records, error %v; want 1", len(page.Records), err)
	}
}

// TestListEdges lists from times that indexes cannot tell apart, and from ranges that DynamoDB would refuse.
func TestListEdges(t *testing.T) {
	t.Parallel()
	received := noon()
	tests := []struct {
		name  string
		query ledger.Query
		want  int
	}{
		{"from its very time", ledger.Query{Since: received}, 1},
		{"from half a millisecond later", ledger.Query{Since: received.Add(500 * time.Microsecond)}, 0},
		{
			"from after the cursor",
			ledger.Query{Since: received, Cursor: ledger.Cursor{ReceivedAt: received.Add(-time.Hour), MessageSid: "SM1"}},
			0,
		},
	}
	for _, tt := range tests {
		for _, number := range []sms.PhoneNumber{"", relaytest.Customer} {
			t.Run(tt.name+" by "+string(number), func(t *testing.T) {
				t.Parallel()
				l := ledgerOn(newFake(dynamo.LedgerSchema()), noon)
				r := claimed(t, 1, "mine")
				r.ReceivedAt = received
				if _, err := l.Create(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				q := tt.query
				q.Number, q.Limit = number, 10
				page, err := l.List(t.Context(), q)
				if err != nil || len(page.Records) != tt.want {
					t.Errorf("%d records, error %v; want %d", len(page.Records), err, tt.want)
				}
			})
		}
	}
}
