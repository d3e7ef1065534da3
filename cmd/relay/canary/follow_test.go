package canary

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// flight is a ledger in which one text goes through states, each a second after the other.
type flight struct {
	ledger.Store
	began  time.Time
	states []ledger.State
}

func (f flight) Get(context.Context, string) (ledger.Record, error) {
	at := int(time.Since(f.began) / time.Second)
	if at == 0 || len(f.states) == 0 {
		return ledger.Record{}, ledger.ErrNotFound
	}
	return ledger.Record{State: f.states[min(at, len(f.states))-1]}, nil
}

func TestACanaryIsFollowed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		states []ledger.State
		end    ledger.State
		err    string
	}{
		{"arrives", []ledger.State{ledger.Sending, ledger.Sent, ledger.Delivered}, ledger.Delivered, ""},
		{"is parked", []ledger.State{ledger.Sending, ledger.Uncertain}, ledger.Uncertain, ""},
		{"is dropped", []ledger.State{ledger.Dropped}, ledger.Dropped, ""},
		{"gets no receipt", []ledger.State{ledger.Sending, ledger.Sent}, ledger.Sent, "the text got no further than sent"},
		{"is processed by no sender", nil, "", "no sender has processed the text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				var reached []string
				record, err := followRecord(ctx, flight{began: time.Now(), states: tt.states}, "SM1",
					func(name string) { reached = append(reached, name) })
				if (err == nil) != (tt.err == "") || (err != nil && !strings.Contains(err.Error(), tt.err)) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				var want []string
				for _, state := range tt.states {
					want = append(want, string(state))
				}
				if record.State != tt.end || !slices.Equal(reached, want) {
					t.Errorf("ended as %q by %v, want %q by %v", record.State, reached, tt.end, want)
				}
			})
		})
	}
}
