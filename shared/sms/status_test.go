package sms_test

import (
	"slices"
	"testing"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// allStatuses are Twilio's, as its documentation of the Message resource lists them, then none and one of its future.
var allStatuses = []sms.Status{
	"accepted", "scheduled", "queued", "sending", "sent", "partially_delivered", "delivered", "undelivered",
	"failed", "canceled", "read", "receiving", "received", "", "teleported",
}

// supersedes says by name which statuses replace which. What is not listed does not.
var supersedes = map[sms.Status][]sms.Status{
	"": {
		"accepted", "scheduled", "receiving", "queued", "sending", "sent", "partially_delivered", "delivered", "undelivered",
		"failed", "canceled", "received", "read",
	},
	"teleported": {
		"accepted", "scheduled", "receiving", "queued", "sending", "sent", "partially_delivered", "delivered", "undelivered",
		"failed", "canceled", "received", "read",
	},
	"accepted":  {"queued", "sending", "sent", "partially_delivered", "delivered", "undelivered", "failed", "canceled", "received", "read"},
	"scheduled": {"queued", "sending", "sent", "partially_delivered", "delivered", "undelivered", "failed", "canceled", "received", "read"},
	"receiving": {"queued", "sending", "sent", "partially_delivered", "delivered", "undelivered", "failed", "canceled", "received", "read"},
	"queued":    {"sending", "sent", "partially_delivered", "delivered", "undelivered", "failed", "canceled", "received", "read"},
	"sending":   {"sent", "partially_delivered", "delivered", "undelivered", "failed", "canceled", "received", "read"},
	"sent":      {"delivered", "undelivered", "failed", "canceled", "received", "read"},
	"partially_delivered": {
		"delivered", "undelivered", "failed", "canceled", "received", "read",
	},
	"delivered": {"read"},
}

func TestSupersedes(t *testing.T) {
	for _, old := range allStatuses {
		for _, now := range allStatuses {
			want := slices.Contains(supersedes[old], now)
			if got := now.Supersedes(old); got != want {
				t.Errorf("%q.Supersedes(%q) = %v, want %v", now, old, got, want)
			}
		}
	}
}

// TestStatusesSettle: in whatever order receipts come, and however often, the status they leave is one that all of
// them in order would have left, as long as they are those of one message.
func TestStatusesSettle(t *testing.T) {
	journeys := [][]sms.Status{
		{"queued", "sending", "sent", "delivered", "read"},
		{"accepted", "queued", "sending", "sent", "undelivered"},
		{"scheduled", "canceled"},
		{"queued", "failed"},
	}
	for _, journey := range journeys {
		for _, order := range permutations(journey) {
			var status sms.Status
			for _, next := range append(order, order...) {
				if next.Supersedes(status) {
					status = next
				}
			}
			if want := journey[len(journey)-1]; status != want {
				t.Errorf("receipts in the order %q, twice, leave %q, want %q", order, status, want)
			}
		}
	}
}

func permutations(all []sms.Status) [][]sms.Status {
	if len(all) == 0 {
		return [][]sms.Status{nil}
	}
	var orders [][]sms.Status
	for i := range all {
		rest := slices.Delete(slices.Clone(all), i, i+1)
		for _, order := range permutations(rest) {
			orders = append(orders, append([]sms.Status{all[i]}, order...))
		}
	}
	return orders
}

func TestFinalKnownAndLost(t *testing.T) {
	lost := []sms.Status{"undelivered", "failed", "canceled"}
	final := []sms.Status{"delivered", "undelivered", "failed", "canceled", "received", "read"}
	for _, s := range allStatuses {
		if got, want := s.Final(), slices.Contains(final, s); got != want {
			t.Errorf("%q.Final() = %v, want %v", s, got, want)
		}
		if got, want := s.Lost(), slices.Contains(lost, s); got != want {
			t.Errorf("%q.Lost() = %v, want %v", s, got, want)
		}
		if s.Lost() && !s.Final() {
			t.Errorf("%q is lost, and not final", s)
		}
		if got, want := s.Known(), s != "" && s != "teleported"; got != want {
			t.Errorf("%q.Known() = %v, want %v", s, got, want)
		}
	}
}
