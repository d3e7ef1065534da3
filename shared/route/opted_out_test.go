package route_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// storedAt is the builder's route as a table has it.
func storedAt(version int64, optedOut ...sms.PhoneNumber) route.Route {
	r := relaytest.Route()
	r.Version, r.UpdatedBy, r.OptedOut = version, "anna", optedOut
	return r
}

// british is a route of an older table, with a phone in a spelling that is no longer valid.
func british(version int64, optedOut ...sms.PhoneNumber) route.Route {
	r := storedAt(version, optedOut...)
	r.DestinationCarrier = "+4407700900123"
	return r
}

func TestMarkOptedOut(t *testing.T) {
	const number, one, two = relaytest.TwilioNumber, relaytest.Destination, relaytest.Fallback
	const gone = sms.PhoneNumber("+18585550199")
	tests := []struct {
		name     string
		table    []route.Route
		hop      sms.PhoneNumber
		optedOut bool
		want     []route.Route // with the version that tells how often it was written
	}{
		{"the first", []route.Route{storedAt(7)}, one, true, []route.Route{storedAt(8, one)}},
		{"another", []route.Route{storedAt(7, two)}, one, true, []route.Route{storedAt(8, two, one)}},
		{"taken back", []route.Route{storedAt(7, two, one)}, two, false, []route.Route{storedAt(8, one)}},
		{"the last is taken back", []route.Route{storedAt(7, two)}, two, false, []route.Route{storedAt(8)}},
		{"it is marked already", []route.Route{storedAt(7, two, one)}, one, true, []route.Route{storedAt(7, two, one)}},
		{"it was not marked", []route.Route{storedAt(7, two)}, one, false, []route.Route{storedAt(7, two)}},
		{"a phone that is no hop", []route.Route{storedAt(7)}, gone, true, []route.Route{storedAt(7)}},
		{"a phone that is no hop any more", []route.Route{storedAt(7, gone)}, gone, false, []route.Route{storedAt(7, gone)}},
		{"next to one that is no hop any more", []route.Route{storedAt(7, gone, two)}, one, true, []route.Route{storedAt(8, two, one)}},
		{"in another spelling", []route.Route{british(7)}, "+447700900123", true, []route.Route{british(8, "+447700900123")}},
		{"taken back in another spelling", []route.Route{british(7, "+4407700900123")}, "+447700900123", false, []route.Route{british(8)}},
		{"no route", nil, one, true, []route.Route{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := relaytest.NewMemoryRoutes(tt.table...)
			if err := route.MarkOptedOut(t.Context(), table, number, tt.hop, tt.optedOut); err != nil {
				t.Fatalf("MarkOptedOut: %v", err)
			}
			if diff := cmp.Diff(tt.want, list(t, table)); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMarkOptedOutAgainstOthers who write the route between the look and the put.
func TestMarkOptedOutAgainstOthers(t *testing.T) {
	for quicker, want := range map[int]error{1: nil, 3: nil, 4: route.ErrConflict} {
		table := relaytest.NewMemoryRoutes(storedAt(1))
		others, puts := storedAt(1), 0
		mark := relaytest.Fault(nil)
		mark = func(op string) error {
			if op != "before Put" {
				return nil
			}
			puts++
			if puts > quicker {
				return nil
			}
			table.Fault = nil
			defer func() { table.Fault = mark }()
			others.MaxAge += route.Duration(time.Hour)
			var err error
			others, err = table.Put(t.Context(), others)
			return err
		}
		table.Fault = mark
		err := route.MarkOptedOut(t.Context(), table, relaytest.TwilioNumber, relaytest.Fallback, true)
		if !errors.Is(err, want) {
			t.Errorf("%d others were quicker: error %v, want %v", quicker, err, want)
		}
		after := others
		if want == nil {
			after.OptedOut, after.Version = []sms.PhoneNumber{relaytest.Fallback}, others.Version+1
		}
		if diff := cmp.Diff([]route.Route{after}, list(t, table)); diff != "" {
			t.Errorf("table after %d others (-want +got):\n%s", quicker, diff)
		}
	}
}

// TestMarkOptedOutReturnsTheTablesError, at once: it may have gone through, and then the mark is in the table.
func TestMarkOptedOutReturnsTheTablesError(t *testing.T) {
	lost := &fault.Error{Kind: fault.Unknown, Err: errors.New("answer lost")}
	for at, marked := range map[string]bool{"before Lookup": false, "before Put": false, "after Put": true} {
		table := relaytest.NewMemoryRoutes(storedAt(1))
		table.Fault = func(op string) error {
			if op == at {
				return lost
			}
			return nil
		}
		err := route.MarkOptedOut(t.Context(), table, relaytest.TwilioNumber, relaytest.Fallback, true)
		if !errors.Is(err, lost) || strings.Contains(err.Error(), "858555") {
			t.Errorf("fault %s: error %v, want the table's, and no number in the clear", at, err)
		}
		table.Fault = nil
		if got := list(t, table)[0].IsOptedOut(relaytest.Fallback); got != marked {
			t.Errorf("fault %s: the phone is marked: %v, want %v", at, got, marked)
		}
	}
}

// TestCacheSeesAMarkAtOnce, and also one that may or may not be in the table.
func TestCacheSeesAMarkAtOnce(t *testing.T) {
	for name, inject := range map[string]error{"kept": nil, "answer lost": &fault.Error{Kind: fault.Unknown}} {
		t.Run(name, func(t *testing.T) {
			cache, table, _, _ := newCache(storedAt(1))
			lookup(t, cache, relaytest.TwilioNumber)
			table.Fault = func(op string) error {
				if op == "after Put" {
					return inject
				}
				return nil
			}
			if err := cache.MarkOptedOut(t.Context(), relaytest.TwilioNumber, relaytest.Destination, true); !errors.Is(err, inject) {
				t.Fatalf("MarkOptedOut: %v, want %v", err, inject)
			}
			got := lookup(t, cache, relaytest.TwilioNumber)[relaytest.TwilioNumber]
			if diff := cmp.Diff(storedAt(2, relaytest.Destination), got); diff != "" {
				t.Errorf("route after the mark (-want +got):\n%s", diff)
			}
		})
	}
}
