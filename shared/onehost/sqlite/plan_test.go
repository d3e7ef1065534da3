package sqlite

import (
	"database/sql"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// queryPlan returns SQLite's plan for a query, one step a line.
func queryPlan(t *testing.T, db *DB, query string, args ...any) string {
	t.Helper()
	var plan strings.Builder
	err := db.reader.each(t.Context(), func(rows *sql.Rows) error {
		var id, parent, unused int
		var detail string
		err := rows.Scan(&id, &parent, &unused, &detail)
		plan.WriteString(detail + "\n")
		return err
	}, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("plan of %s: %v", query, err)
	}
	return plan.String()
}

// No query that runs while the relay works may read a whole table, or sort what it reads but for a page's worth.
func TestQueriesUseTheirIndexes(t *testing.T) {
	db := openNew(t)
	for _, tt := range []struct {
		name, query string
		parameters  int
		// uses are the indexes that the plan must name.
		uses []string
		// sorts says that the plan may sort what its parts, each with its own limit, have found.
		sorts bool
	}{
		{name: "free lanes", query: freeLanesQuery, parameters: 2, uses: []string{"queue_lanes_turn (queue=? AND locked_until=?)"}},
		{name: "next expiry", query: nextExpiryQuery, parameters: 1, uses: []string{"queue_lanes_turn (queue=? AND locked_until>?)"}},
		{
			name: "unlock lanes", query: freeQuery, parameters: 2,
			uses: []string{"queue_lanes_turn (queue=? AND locked_until>? AND locked_until<?)"},
		},
		{name: "first messages of a lane", query: firstMessagesQuery, parameters: 2, uses: []string{"queue_messages_order (lane=?)"}},
		{name: "head of a lane", query: laneHeadQuery, parameters: 1, uses: []string{"queue_messages_order (lane=?)"}},
		{name: "lock of a lane", query: laneLockQuery, parameters: 2, uses: []string{"queue_messages_hidden (lane=? AND visible_at>?)"}},
		{
			name: "hide a message", query: hideQuery, parameters: 5,
			uses: []string{"queue_messages USING INTEGER PRIMARY KEY", "queue_lanes USING INTEGER PRIMARY KEY"},
		},
		{
			name: "delete a message", query: deleteQuery, parameters: 4,
			uses: []string{"queue_messages USING INTEGER PRIMARY KEY", "queue_lanes USING INTEGER PRIMARY KEY"},
		},
		{name: "depth", query: depthQuery, parameters: 2, uses: []string{"queue_messages_hidden (lane=? AND visible_at>?)"}},
		{name: "list all", query: listAllQuery, parameters: 5, uses: []string{"ledger_by_time"}},
		{name: "list a state", query: listStateQuery, parameters: 5, uses: []string{"ledger_by_state (state=? AND"}},
		{name: "count a state", query: countQuery, parameters: 1, uses: []string{"COVERING INDEX ledger_by_state (state=?)"}},
		{
			name: "list a number", query: listNumberQuery, parameters: 5, sorts: true,
			uses: []string{"ledger_by_customer (customer=? AND", "ledger_by_twilio_number (twilio_number=? AND"},
		},
		{name: "list who waits", query: listWaitingQuery, parameters: 1, uses: []string{"conversations_waiting (twilio_number=? AND"}},
		{name: "look routes up", query: lookupQuery, parameters: 1, uses: []string{"(twilio_number=?)"}},
		{name: "expired records", query: expiredRecordsQuery, parameters: 2, uses: []string{"ledger_by_expiry"}},
		{
			name: "expired deduplication ids", query: expiredDeduplicationQuery, parameters: 2,
			uses: []string{"queue_deduplication_until (until<?)"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan := queryPlan(t, db, tt.query, make([]any, tt.parameters)...)
			for line := range strings.Lines(plan) {
				scans := strings.HasPrefix(line, "SCAN") && !strings.Contains(line, "SCAN (subquery") && !strings.Contains(line, "json_each") &&
					!strings.Contains(line, "CONSTANT ROW")
				if scans || strings.Contains(line, "USE TEMP B-TREE") && !tt.sorts {
					t.Errorf("plan has the step %s", line)
				}
			}
			for _, index := range tt.uses {
				if !strings.Contains(plan, index) {
					t.Errorf("plan does not use %s", index)
				}
			}
			if t.Failed() {
				t.Logf("whole plan:\n%s", plan)
			}
		})
	}
}

// A number with many records in other states: each page reads a bounded number of them, and still the list ends.
func TestListOfANumberAndARareState(t *testing.T) {
	db := openNew(t)
	l := db.Ledger()
	const records = 2*maxRead + 7
	fillLedger(t, l, records, func(n int, r *ledger.Record) {
		if n%400 == 0 {
			r.State = ledger.Uncertain
		}
	})
	var got []string
	q := ledger.Query{Number: relaytest.Customer, State: ledger.Uncertain, Limit: 10}
	pages := 0
	for ; ; pages++ {
		p, err := l.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			got = append(got, r.MessageSid)
		}
		if q.Cursor = p.Next; q.Cursor.IsZero() {
			break
		}
	}
	if want := []string{relaytest.MessageSid(800), relaytest.MessageSid(400)}; strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("listed %v, want %v", got, want)
	}
	if pages < 2 {
		t.Errorf("%d records were read for the first page, want at most %d", records, maxRead)
	}
}
