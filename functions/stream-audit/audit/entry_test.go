package audit_test

import (
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestGoldenEntries holds what the log is to say of whole events, as Lambda hands them over.
func TestGoldenEntries(t *testing.T) {
	for _, table := range []string{"ledger", "routing", "conversations"} {
		t.Run(table, func(t *testing.T) {
			s := newStage(nil)
			if failed := s.handle(t, readEvent(t, table+"_event.json").Records...); failed != "" {
				t.Fatalf("change %s is named as failed: %s", failed, s.logged)
			}
			compareGolden(t, table+"_entries.jsonl", s.log.Lines())
		})
	}
}

func TestKindsOfChange(t *testing.T) {
	text, routed, talked := life(1, noon)[0], relaytest.Route(), talk(t)[0]
	someone := func(record events.DynamoDBEventRecord) events.DynamoDBEventRecord {
		record.UserIdentity = &events.DynamoDBUserIdentity{Type: "AssumedRole", PrincipalID: "AROAEXAMPLE:alex"}
		return record
	}
	for _, tt := range []struct {
		name            string
		record          events.DynamoDBEventRecord
		subject, change string
	}{
		{"a text is created", ofMessage(1, nil, &text), "message", "created"},
		{"a text is changed", ofMessage(1, &text, &text), "message", "changed"},
		{"a text is removed", ofMessage(1, &text, nil), "message", "removed"},
		{"a text is removed by someone with a name", someone(ofMessage(1, &text, nil)), "message", "removed"},
		{"a text expires", expired(ofMessage(1, &text, nil)), "message", "expired"},
		{"a route is created", ofRoute(1, nil, &routed), "route", "created"},
		{"a route is changed", ofRoute(1, &routed, &routed), "route", "changed"},
		{"a route is removed", ofRoute(1, &routed, nil), "route", "removed"},
		{"a conversation is created", ofConversation(1, nil, &talked), "conversation", "created"},
		{"a conversation is changed", ofConversation(1, &talked, &talked), "conversation", "changed"},
		{"a conversation is removed", ofConversation(1, &talked, nil), "conversation", "removed"},
		{"a route expires", expired(ofRoute(1, &routed, nil)), "route", "expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := newStage(nil).entry(t, tt.record)
			if got.Subject != tt.subject || got.Change != tt.change {
				t.Errorf("entry is of a %s that was %s, want a %s that was %s", got.Subject, got.Change, tt.subject, tt.change)
			}
			if (got.Before == nil) != (tt.subject != "route" || tt.change == "created") {
				t.Errorf("Before is %v", got.Before)
			}
			if (got.After == nil) != (tt.subject != "route" || tt.change == "removed" || tt.change == "expired") {
				t.Errorf("After is %v", got.After)
			}
		})
	}
}

// step is a record before and after one thing that the sender or a receipt does.
type step struct{ before, after ledger.Record }

// steps are the changes of a text with two attempts: the first fails, the second is taken, and late receipts come.
func steps(t *testing.T) map[string]step {
	t.Helper()
	must := func(r ledger.Record, err error) ledger.Record {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	trouble := func(kind fault.Kind) *fault.Error { return &fault.Error{Kind: kind, Code: 20503} }
	end := func(r ledger.Record, number int, kind fault.Kind) ledger.Record {
		ended, _, err := r.End(number, trouble(kind), ledger.Onward{To: ledger.Queued, NotBefore: noon}, noon)
		return must(ended, err)
	}
	fresh := relaytest.Record(1, noon)
	first := must(fresh.Claim("claim-1", 0, relaytest.Destination, time.Minute, noon))
	failed := end(first, 1, fault.Transient)
	second := must(failed.Claim("claim-2", 1, relaytest.Fallback, time.Minute, noon))
	taken, _ := second.Accept(2, outboundSid(2), sms.StatusQueued, noon)
	late, _ := taken.Apply(sms.Receipt{Sid: outboundSid(1), Status: sms.StatusSent, CallbackRef: sms.CallbackRef{Attempt: 1}},
		ledger.Onward{}, noon)
	halted := end(first, 1, fault.Fatal)
	return map[string]step{
		"dropped":                     {ledger.Record{}, must(fresh.Drop(ledger.ReasonNoRoute, noon))},
		"the first is claimed":        {ledger.Record{}, first},
		"the first fails":             {first, failed},
		"the second is claimed":       {failed, second},
		"the second is taken":         {second, taken},
		"a late receipt of the first": {taken, late},
		"given up": {
			end(second, 2, fault.Transient),
			must(end(second, 2, fault.Transient).Die(ledger.ReasonAttemptsExhausted, noon)),
		},
		"the account is unusable": {first, halted},
		"the next try of that":    {halted, must(halted.Claim("claim-3", 0, relaytest.Destination, time.Minute, noon))},
	}
}

func TestEntryIsAboutTheAttemptThatChanged(t *testing.T) {
	to, next := relaytest.Destination.Mask(), relaytest.Fallback.Mask()
	want := map[string]*auditlog.Attempt{
		"dropped":               nil,
		"the first is claimed":  {Number: 1, Destination: to},
		"the first fails":       {Number: 1, Destination: to, Outcome: "transient", ErrorCode: 20503},
		"the second is claimed": {Number: 2, Hop: 1, Destination: next},
		"the second is taken":   {Number: 2, Hop: 1, Destination: next, Outcome: "accepted", OutboundSid: outboundSid(2), Status: "queued"},
		"a late receipt of the first": {
			Number: 1, Destination: to, Outcome: "accepted", OutboundSid: outboundSid(1),
			Status: "sent", ErrorCode: 20503,
		},
		"given up":                {Number: 2, Hop: 1, Destination: next, Outcome: "transient", ErrorCode: 20503},
		"the account is unusable": {Number: 1, Destination: to, Outcome: "fatal", ErrorCode: 20503},
		"the next try of that":    {Number: 2, Destination: to},
	}
	all := steps(t)
	if len(all) != len(want) {
		t.Fatalf("%d steps, but %d are wanted", len(all), len(want))
	}
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			before := &s.before
			if before.MessageSid == "" {
				before = nil
			}
			got := newStage(nil).entry(t, ofMessage(1, before, &s.after))
			if diff := cmp.Diff(want[name], got.Attempt); diff != "" {
				t.Errorf("attempt (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStatesOfAnEntry: a creation has no From, a removal has no To, and an entry has both if only an attempt changed.
func TestStatesOfAnEntry(t *testing.T) {
	all := life(1, noon)
	sending, sent := all[0], all[1]
	confirmed, _ := sent.Apply(sms.Receipt{Sid: outboundSid(1), Status: sms.StatusSent, CallbackRef: sms.CallbackRef{Attempt: 1}},
		ledger.Onward{}, noon)
	for _, tt := range []struct {
		name          string
		before, after *ledger.Record
		from, to      string
	}{
		{"created", nil, &sending, "", "sending"},
		{"moved on", &sending, &sent, "sending", "sent"},
		{"only the attempt's status", &sent, &confirmed, "sent", "sent"},
		{"removed", &sent, nil, "sent", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := newStage(nil).entry(t, ofMessage(1, tt.before, tt.after))
			if got.From != tt.from || got.To != tt.to {
				t.Errorf("from %q to %q, want from %q to %q", got.From, got.To, tt.from, tt.to)
			}
		})
	}
}

// TestTimeOfAMessagesEntry: the record's own word for it, or the stream's where there is none.
func TestTimeOfAMessagesEntry(t *testing.T) {
	own, streams := noon.Add(-90*time.Second), noon
	text := life(1, own)[0]
	silent := text
	silent.UpdatedAt = time.Time{}
	for _, tt := range []struct {
		name          string
		before, after *ledger.Record
		want          time.Time
	}{
		{"created", nil, &text, own},
		{"removed", &text, nil, streams},
		{"written by hand, without a time", nil, &silent, streams},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := newStage(nil).entry(t, ofMessage(1, tt.before, tt.after)); !got.Time.Equal(tt.want) {
				t.Errorf("entry is of %v, want %v", got.Time, tt.want)
			}
		})
	}
}

// TestRouteWithoutFallbacks: what a route does not have is left out of its entry, and an item written by hand may lack a lot.
func TestRouteWithoutFallbacks(t *testing.T) {
	byHand := route.Route{TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: relaytest.Destination, Active: true}
	record := ofRoute(1, nil, &byHand)
	for _, name := range []string{"LastUpdated", "Version"} {
		delete(record.Change.NewImage, name)
	}
	got := newStage(nil).entry(t, record)
	want := auditlog.Entry{
		ID: "route:***0100.0@" + sequence(1), Time: noon, Subject: "route", Change: "created", TwilioNumber: "***0100",
		After: &auditlog.Route{DestinationCarrier: "***0122", Active: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
}
