package audit_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// secrets are what must not come out, by kind.
type secrets struct {
	// numbers are without plus sign and channel.
	numbers []string
	texts   []string
}

// number draws an address of the fictional range and keeps it secret.
func (s *secrets) number(t *rapid.T, label string) sms.PhoneNumber {
	digits := fmt.Sprintf("1%d55501%02d", rapid.IntRange(201, 989).Draw(t, label+" area"), rapid.IntRange(0, 99).Draw(t, label))
	s.numbers = append(s.numbers, digits)
	channel := rapid.SampledFrom([]string{"", "", "whatsapp:", "rcs:", "messenger:"}).Draw(t, label+" channel")
	return sms.PhoneNumber(channel + "+" + digits)
}

// text draws a text and keeps it secret.
func (s *secrets) text(t *rapid.T, label string) string {
	words := rapid.StringMatching(`[G-Z]{6,20}`).Draw(t, label)
	s.texts = append(s.texts, words)
	return words + rapid.SampledFrom([]string{"", "\n", "\u2028", `"},{"`, "\x00", "\uFFFF", "🚚"}).Draw(t, label+" end")
}

// hashField is of sixty-four digits, among which there may be any five.
var hashField = regexp.MustCompile(`"hash":"[0-9a-f]{64}"`)

// check fails if a line shows a secret: of a number, so many digits of its end are too many.
func (s *secrets) check(t *rapid.T, line string, tooMany int) {
	t.Helper()
	line = hashField.ReplaceAllString(line, `"hash":""`)
	for _, number := range s.numbers {
		if strings.Contains(line, number[len(number)-tooMany:]) {
			t.Errorf("number %s shows in %s", number, line)
		}
	}
	for _, text := range s.texts {
		if strings.Contains(line, text) {
			t.Errorf("text %s shows in %s", text, line)
		}
	}
	if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\n\r") {
		t.Errorf("not one line: %q", line)
	}
}

// anyTime draws a moment as the ledger keeps it.
func anyTime(t *rapid.T, label string) time.Time {
	return noon.Add(time.Duration(rapid.Int64Range(-600_000, 600_000).Draw(t, label)) * time.Millisecond)
}

func (s *secrets) attempt(t *rapid.T, number int) ledger.Attempt {
	a := ledger.Attempt{
		Number: number, Hop: rapid.IntRange(0, 3).Draw(t, "hop"), To: s.number(t, "to"), ClaimID: s.text(t, "claim"),
		StartedAt: anyTime(t, "started"), Error: s.text(t, "error"), HTTPStatus: 500,
	}
	if rapid.Bool().Draw(t, "ended") {
		a.EndedAt = anyTime(t, "ended at")
		a.Outcome = rapid.SampledFrom([]string{ledger.OutcomeAccepted, fault.Transient.String(), fault.Unknown.String()}).Draw(t, "outcome")
		a.OutboundSid = rapid.SampledFrom([]string{"", "SMabcdefabcdefabcdefabcdefabcdefab"}).Draw(t, "outbound sid")
		a.Status = rapid.SampledFrom([]sms.Status{"", sms.StatusSent, sms.StatusDelivered}).Draw(t, "status")
		a.ErrorCode = rapid.SampledFrom([]int{0, 30003, 21610}).Draw(t, "code")
	}
	return a
}

// record draws a record of any shape, whether a sender would make it or not.
func (s *secrets) record(t *rapid.T) *ledger.Record {
	r := &ledger.Record{
		MessageSid: "SMabcdefabcdefabcdefabcdefabcdef00", Version: rapid.Int64Range(1, 999).Draw(t, "version"),
		State:        rapid.SampledFrom(ledger.States()).Draw(t, "state"),
		Reason:       rapid.SampledFrom([]ledger.Reason{"", ledger.ReasonLoop, ledger.ReasonRefused}).Draw(t, "reason"),
		Manual:       rapid.Bool().Draw(t, "manual"),
		TwilioNumber: s.number(t, "twilio number"), Customer: s.number(t, "customer"), Destination: s.number(t, "destination"),
		Body: s.text(t, "body"), Media: []sms.Media{{URL: "https://api.twilio.com/" + s.text(t, "media")}},
		ReceivedAt: anyTime(t, "received"), UpdatedAt: anyTime(t, "updated"), LeaseUntil: anyTime(t, "lease"),
		NotBefore: anyTime(t, "not before"), ExpiresAt: 1829563200,
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "attempts") {
		r.Attempts = append(r.Attempts, s.attempt(t, i+1))
	}
	return r
}

func (s *secrets) route(t *rapid.T) *route.Route {
	r := &route.Route{
		TwilioNumber: s.number(t, "twilio number"), DestinationCarrier: s.number(t, "destination"), Active: rapid.Bool().Draw(t, "active"),
		LastUpdated: noon, Version: rapid.Int64Range(1, 999).Draw(t, "version"), UpdatedBy: "alex",
	}
	for range rapid.IntRange(0, 3).Draw(t, "fallbacks") {
		r.FallbackCarriers = append(r.FallbackCarriers, s.number(t, "fallback"))
	}
	for range rapid.IntRange(0, 2).Draw(t, "threads") {
		r.Threads = append(r.Threads, s.number(t, "thread"))
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "phones") {
		r.Phones = append(r.Phones, route.Phone{
			Name: s.text(t, "name"), Number: s.number(t, "phone"), Also: []sms.PhoneNumber{s.number(t, "also")},
		})
		r.Owner = r.Phones[i].Name
	}
	for range rapid.IntRange(0, 2).Draw(t, "shifts") {
		// A number, or words, in any wrong place.
		wrong := rapid.SampledFrom([]string{string(s.number(t, "scheduled")), s.text(t, "shift")})
		r.Schedule = append(r.Schedule, route.Shift{
			Days: wrong.Draw(t, "days"), From: wrong.Draw(t, "from"), To: wrong.Draw(t, "to"), Phones: []string{wrong.Draw(t, "who")},
		})
		r.Overrides = append(r.Overrides, route.Override{Date: wrong.Draw(t, "date"), Phones: []string{wrong.Draw(t, "who")}})
		r.NightPhones = append(r.NightPhones, wrong.Draw(t, "night"))
	}
	r.OnUncertain = rapid.SampledFrom([]route.OnUncertain{"", route.Park, route.Resend}).Draw(t, "on uncertain")
	r.DeliveryTimeout = route.Duration(rapid.SampledFrom([]time.Duration{0, 90 * time.Second, 12 * time.Hour}).Draw(t, "timeout"))
	r.MaxAge = route.Duration(rapid.SampledFrom([]time.Duration{0, time.Hour, 72 * time.Hour}).Draw(t, "age"))
	r.AnswerWindow = route.Duration(rapid.SampledFrom([]time.Duration{0, time.Hour, 72 * time.Hour}).Draw(t, "window"))
	r.HoldTime = route.Duration(rapid.SampledFrom([]time.Duration{0, time.Hour, 12 * time.Hour}).Draw(t, "hold"))
	r.PaceNumber = rapid.SampledFrom([]string{"", "off", "3/1s"}).Draw(t, "pace")
	r.Removed = rapid.SampledFrom([]time.Time{{}, noon}).Draw(t, "removed")
	r.OptedOut = slices.Clone(rapid.SampledFrom([][]sms.PhoneNumber{nil, r.FallbackCarriers, r.Hops()}).Draw(t, "opted out"))
	return r
}

// change draws a change of either table, with attributes that the relay does not know.
func (s *secrets) change(t *rapid.T, n int) events.DynamoDBEventRecord {
	var record events.DynamoDBEventRecord
	kind := rapid.IntRange(0, 2).Draw(t, "insert, modify or remove")
	if rapid.Bool().Draw(t, "of a route") {
		before, after := [3]*route.Route{nil, s.route(t), s.route(t)}[kind], [3]*route.Route{s.route(t), s.route(t), nil}[kind]
		record = ofRoute(n, before, after)
	} else {
		before, after := [3]*ledger.Record{nil, s.record(t), s.record(t)}[kind], [3]*ledger.Record{s.record(t), s.record(t), nil}[kind]
		record = ofMessage(n, before, after)
	}
	if record.Change.NewImage != nil {
		if _, ok := record.Change.NewImage["DestinationCarrier"]; ok && rapid.Bool().Draw(t, "a setting of another form") {
			name := rapid.SampledFrom([]string{
				"OnUncertain", "DeliveryTimeout", "MaxAge", "PaceNumber", "AnswerWindow", "HoldTime", "OptedOut", "Removed", "Threads", "Phones",
				"Owner", "TimeZone", "Schedule",
				"Closed", "NightPhones",
			}).Draw(t, "setting")
			record.Change.NewImage[name] = events.NewStringAttribute(string(s.number(t, "setting number")) + s.text(t, "setting text"))
		}
		record.Change.NewImage["Note"] = events.NewStringAttribute(s.text(t, "note"))
		record.Change.NewImage["ReceivedKey"] = events.NewStringAttribute(string(s.number(t, "index")))
	}
	return record
}

// TestNothingSecretComesOut: no line, of the audit log, the operator's log or the metrics, shows a number or a text.
func TestNothingSecretComesOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var secret secrets
		s := newStage(nil)
		var batch []events.DynamoDBEventRecord
		for n := range rapid.IntRange(1, 4).Draw(t, "changes") {
			batch = append(batch, secret.change(t, n))
		}
		if rapid.Bool().Draw(t, "one is unreadable") {
			last := secret.change(t, 9)
			name := rapid.SampledFrom([]string{"Body", "Customer", "TwilioNumber", "DestinationCarrier", "Attempts"}).Draw(t, "attribute")
			last.Change.OldImage = map[string]events.DynamoDBAttributeValue{name: events.NewListAttribute([]events.DynamoDBAttributeValue{
				events.NewStringAttribute(secret.text(t, "wrong text")), events.NewStringAttribute(string(secret.number(t, "wrong number"))),
			})}
			batch = append(batch, last)
		}
		s.handle(t, batch...)
		for _, line := range s.log.Lines() {
			secret.check(t, string(line.Text), 5)
			if !json.Valid(line.Text) {
				t.Errorf("line is no JSON: %q", line.Text)
			}
		}
		secret.check(t, s.logged.String(), 5)
		// The lag is a number of its own, of six digits at most.
		secret.check(t, s.emitted.String(), 10)
	})
}

// delivered returns a stream record as Lambda's runtime hands it over: written as JSON and read again.
func delivered(t *rapid.T, record events.DynamoDBEventRecord) events.DynamoDBEventRecord {
	t.Helper()
	text, err := json.Marshal(events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{record}})
	if err != nil {
		t.Fatal(err)
	}
	var event events.DynamoDBEvent
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	return event.Records[0]
}

// TestEntryTellsTheRecord takes a record the whole way (JSON, stream image, event) and holds the entry against the record.
func TestEntryTellsTheRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var secret secrets
		before, after := secret.record(t), secret.record(t)
		after.Version = before.Version + 1
		got := newStage(nil).entry(t, delivered(t, ofMessage(1, before, after)))
		want := auditlog.Entry{
			ID: fmt.Sprintf("%s.%d", after.MessageSid, after.Version), Time: after.UpdatedAt, Subject: "message", Change: "changed",
			Version: after.Version, MessageSid: after.MessageSid, From: string(before.State), To: string(after.State),
			Reason: string(after.Reason), TwilioNumber: after.TwilioNumber.Mask(), Customer: after.Customer.Mask(),
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(auditlog.Entry{}, "Attempt")); diff != "" {
			t.Errorf("entry (-want +got):\n%s", diff)
		}
		if got.Attempt == nil != (len(after.Attempts) == 0) {
			t.Fatalf("attempt is %v of %d", got.Attempt, len(after.Attempts))
		}
		if got.Attempt == nil {
			return
		}
		about := after.Attempts[got.Attempt.Number-1]
		wantAttempt := auditlog.Attempt{
			Number: about.Number, Hop: about.Hop, Destination: about.To.Mask(), OutboundSid: about.OutboundSid,
			Status: string(about.Status), Outcome: about.Outcome, ErrorCode: about.ErrorCode,
		}
		if diff := cmp.Diff(wantAttempt, *got.Attempt); diff != "" {
			t.Errorf("attempt (-want +got):\n%s", diff)
		}
	})
}

// TestEntryTellsTheRoute does the same with a route.
func TestEntryTellsTheRoute(t *testing.T) {
	settings := func(r *route.Route) *auditlog.Route {
		masks := func(numbers []sms.PhoneNumber) (masked []string) {
			for _, number := range numbers {
				masked = append(masked, number.Mask())
			}
			return masked
		}
		durations := map[route.Duration]string{
			0: "", route.Duration(90 * time.Second): "1m30s", route.Duration(time.Hour): "1h",
			route.Duration(12 * time.Hour): "12h", route.Duration(72 * time.Hour): "72h",
		}
		var named []sms.PhoneNumber
		for _, p := range r.Phones {
			named = append(named, p.Number, p.Also[0])
		}
		owner := ""
		if len(r.Phones) > 0 {
			owner = r.Phones[len(r.Phones)-1].Number.Mask()
		}
		return &auditlog.Route{
			DestinationCarrier: r.DestinationCarrier.Mask(), FallbackCarriers: masks(r.FallbackCarriers), Active: r.Active, Version: r.Version,
			OnUncertain: string(r.OnUncertain), DeliveryTimeout: durations[r.DeliveryTimeout], MaxAge: durations[r.MaxAge],
			AnswerWindow: durations[r.AnswerWindow], HoldTime: durations[r.HoldTime],
			PaceNumber: r.PaceNumber, OptedOut: masks(r.OptedOut), Threads: masks(r.Threads), Phones: masks(named), Owner: owner,
			Removed: map[bool]string{true: "2026-11-24T12:00:00Z"}[r.IsRemoved()],
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var secret secrets
		before, after := secret.route(t), secret.route(t)
		after.Version, after.LastUpdated = before.Version+1, before.LastUpdated.Add(time.Second)
		got := newStage(nil).entry(t, delivered(t, ofRoute(1, before, after)))
		want := auditlog.Entry{
			ID:   fmt.Sprintf("route:%s.%d@%s", after.TwilioNumber.Mask(), after.Version, sequence(1)),
			Time: noon, Subject: "route", Change: "changed", Version: after.Version, TwilioNumber: after.TwilioNumber.Mask(),
			Before: settings(before), After: settings(after), Actor: "alex",
		}
		for _, r := range []*auditlog.Route{got.Before, got.After} {
			r.Schedule, r.Overrides, r.NightPhones = nil, nil, nil // they are held by TestSettingsWrittenByHand.
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("entry (-want +got):\n%s", diff)
		}
	})
}

// TestGreatNumbersAreExact: a version beyond what a float64 counts comes through as it is.
func TestGreatNumbersAreExact(t *testing.T) {
	text := life(1, noon)[0]
	text.Version = 9007199254740993
	got := newStage(nil).entry(t, ofMessage(1, nil, &text))
	if got.Version != text.Version || got.ID != relaytest.MessageSid(1)+".9007199254740993" {
		t.Errorf("version %d, id %s", got.Version, got.ID)
	}
}
