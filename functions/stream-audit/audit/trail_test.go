package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestRoutesEntryIsOfTheTimeOfItsChange: a route's LastUpdated is what somebody wrote there, in a maintenance.json or by
// hand, and may be years from the change. CloudWatch Logs takes no line that is older than 14 days or more than two
// hours ahead, so that an entry of such a time would stop the stream.
func TestRoutesEntryIsOfTheTimeOfItsChange(t *testing.T) {
	lastUpdated := func(at time.Time, active bool) *route.Route {
		r := relaytest.Route()
		r.LastUpdated, r.Active = at, active
		return &r
	}
	longAgo := noon.AddDate(0, -6, 0)
	for _, tt := range []struct {
		name          string
		before, after *route.Route
	}{
		{"seeded from an old file", nil, lastUpdated(longAgo, true)},
		{"switched off by hand, LastUpdated left as it was", lastUpdated(longAgo, true), lastUpdated(longAgo, false)},
		{"seeded from a file of tomorrow", nil, lastUpdated(noon.AddDate(0, 0, 1), true)},
		{"removed", lastUpdated(longAgo, true), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := newStage(nil).entry(t, ofRoute(1, tt.before, tt.after)); !got.Time.Equal(noon) {
				t.Errorf("entry is of %v, want %v, when the stream saw the change", got.Time, noon)
			}
		})
	}
}

// TestActorIsWhoChangedTheRoute: UpdatedBy names who wrote the item last. On a removal, and on a write by hand that leaves
// the item's Version and UpdatedBy as they were, the stream does not say who it was, and nobody else is to be named.
func TestActorIsWhoChangedTheRoute(t *testing.T) {
	written := relaytest.Route()
	written.Version, written.UpdatedBy = 3, "alex"
	byKim, byHand := written, written
	byKim.Version, byKim.UpdatedBy = 4, "kim"
	byHand.Active = false
	for _, tt := range []struct {
		name          string
		before, after *route.Route
		want          string
	}{
		{"created", nil, &written, "alex"},
		{"changed", &written, &byKim, "kim"},
		{"changed by hand", &written, &byHand, ""},
		{"removed", &written, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := newStage(nil).entry(t, ofRoute(1, tt.before, tt.after)); got.Actor != tt.want {
				t.Errorf("actor is %q, want %q", got.Actor, tt.want)
			}
		})
	}
}

// TestEveryChangeHasAnIDOfItsOwn: readers keep one entry of each id, so that a change under another one's id is lost to
// them. Not every writer counts versions: somebody may edit an item by hand.
func TestEveryChangeHasAnIDOfItsOwn(t *testing.T) {
	stored, routed := life(1, noon), relaytest.Route()
	tampered, off := stored[2], routed
	tampered.State, off.Active = ledger.Failed, false
	talked := talk(t)
	renamed := talked[2]
	renamed.Name = "Bob"
	for name, batch := range map[string][]events.DynamoDBEventRecord{
		"a text's life and its end": append(changes(1, stored), ofMessage(4, &stored[2], nil)),
		"a text expires":            append(changes(1, stored), expired(ofMessage(4, &stored[2], nil))),
		"a text edited by hand":     append(changes(1, stored), ofMessage(4, &stored[2], &tampered)),
		"a conversation": append(conversationChanges(1, talked), ofConversation(4, &talked[2], &talked[1]),
			ofConversation(5, &talked[2], nil)),
		"a conversation edited by hand": append(conversationChanges(1, talked), ofConversation(4, &talked[2], &renamed),
			ofConversation(5, &renamed, &talked[2])),
		"a route edited by hand": {ofRoute(1, nil, &routed), ofRoute(2, &routed, &off), ofRoute(3, &off, &routed), ofRoute(4, &routed, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(nil)
			s.handle(t, batch...)
			ids := s.ids(t)
			slices.Sort(ids)
			if got := slices.Compact(slices.Clone(ids)); len(got) != len(batch) {
				t.Errorf("%d changes have %d ids: %s", len(batch), len(got), strings.Join(ids, ", "))
			}
		})
	}
}

// TestTimesAreToTheMillisecond: the stream's own times, and times written by hand, may be finer.
func TestTimesAreToTheMillisecond(t *testing.T) {
	fine := noon.Add(123456789 * time.Nanosecond)
	routed, text := relaytest.Route(), life(1, noon)[0]
	routed.LastUpdated, text.UpdatedAt = fine, fine
	for name, record := range map[string]events.DynamoDBEventRecord{
		"of the stream":  ofMessage(1, &text, nil),
		"of a text":      ofMessage(1, nil, &text),
		"of a route":     ofRoute(1, nil, &routed),
		"of a gone one":  ofRoute(1, &routed, nil),
		"of an old text": expired(ofMessage(1, &text, nil)),
	} {
		t.Run(name, func(t *testing.T) {
			record.Change.ApproximateCreationDateTime = events.SecondsEpochTime{Time: fine}
			if got, want := newStage(nil).entry(t, record).Time, fine.Truncate(time.Millisecond); !got.Equal(want) {
				t.Errorf("entry is of %v, want %v", got, want)
			}
		})
	}
}

// TestUnreadableNumberIsNotQuoted: what a log says of an unreadable item never holds the item.
func TestUnreadableNumberIsNotQuoted(t *testing.T) {
	text := life(1, noon)[0]
	record := ofMessage(1, nil, &text)
	record.Change.NewImage["Customer"] = events.NewNumberAttribute("+18585550111")
	s := newStage(nil)
	if failed := s.handle(t, record); failed != sequence(1) {
		t.Errorf("change %q is named", failed)
	}
	if strings.Contains(s.logged.String(), "8585550111") {
		t.Errorf("the operator's log quotes the item: %s", s.logged)
	}
}
