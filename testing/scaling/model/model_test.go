package model

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/testing/lambdahost/template"
)

// small is a size that is quick to run.
func small(set func(*Size)) Size {
	s := Size{
		Name: "small", TextsPerSecond: 20, Numbers: 200, CustomersPerNumber: 10, NewShare: 0.01, Settings: Defaults(), Stacks: 1, Alike: 1,
		Window: time.Minute,
	}
	if set != nil {
		set(&s)
	}
	return s
}

func TestOneSeedHasOneResult(t *testing.T) {
	first, again, other := Run(small(nil), 7), Run(small(nil), 7), Run(small(nil), 8)
	if diff := gocmp.Diff(first, again); diff != "" {
		t.Errorf("the same seed had another result:\n%s", diff)
	}
	if first.Offered == other.Offered && first.P99 == other.P99 {
		t.Error("another seed had the same result")
	}
}

// TestOneNumberSendsAsFastAsItsPairMay: the first limit of one number is known without a simulation.
func TestOneNumberSendsAsFastAsItsPairMay(t *testing.T) {
	r := Run(small(func(s *Size) { s.TextsPerSecond, s.Numbers, s.Window = 2, 1, time.Hour }), 1)
	if want := 10.0 / 30; math.Abs(r.Posted-want) > 0.01*want {
		t.Errorf("%.3f texts a second, want %.3f", r.Posted, want)
	}
	if want := 2 - 10.0/30; math.Abs(r.Growth-want) > 0.1*want {
		t.Errorf("the queue grows by %.2f a second, want %.2f", r.Growth, want)
	}
	if first := r.First(); first.Name != "PacePair, one phone" || first.Share != 6 {
		t.Errorf("first limit %+v", first)
	}
	if most := r.Most(); math.Abs(most-10.0/30) > 0.02 {
		t.Errorf("at most %.3f texts a second", most)
	}
}

// TestSharesAreWhatTheRatesSay: of what is not full, a resource's share is its load by its capacity.
func TestSharesAreWhatTheRatesSay(t *testing.T) {
	r := Run(small(func(s *Size) { s.Window, s.NewShare = 5*time.Minute, 0 }), 1)
	perSecond := r.Offered
	for name, want := range map[string]float64{
		"PublicRequestsPerSecond, texts":      perSecond / 200,
		"PublicRequestsPerSecond, receipts":   2 * perSecond / 200,
		"ByStateDay, one key":                 2 * perSecond / 1000,
		"ledger's partitions":                 ledgerWrites * perSecond / 4000,
		"ledger's quota":                      (ledgerWrites + indexWrites) * perSecond / 40_000,
		"Twilio's messages (account)":         perSecond / 2000,
		"Twilio's requests at once (account)": perSecond * 0.25 / 100,
		"API Gateway's requests (account)":    3 * perSecond / 10_000,
	} {
		i := slices.IndexFunc(r.Uses, func(u Use) bool { return u.Name == name })
		if i < 0 || math.Abs(r.Uses[i].Share-want) > 0.05*want {
			t.Errorf("%s: %v, want %.4f", name, r.Uses, want)
		}
	}
	if math.Abs(r.Posted-r.Offered) > 0.03*r.Offered || r.RefusedPercent > 0 {
		t.Errorf("%.1f came and %.1f went out", r.Offered, r.Posted)
	}
}

// TestRunsOfTheSenderBoundIt: with a Twilio that takes a second and one group a run, two runs send two texts a second.
func TestRunsOfTheSenderBoundIt(t *testing.T) {
	var arrivals []Arrival
	for i := range 100 {
		arrivals = append(arrivals, Arrival{At: time.Duration(i) * time.Millisecond, Customer: i, Twilio: time.Second})
	}
	_, end := RunOn(Host{Runs: 2, GroupsEach: 1}, Settings{}, 1, arrivals, 1)
	if want := 49 * time.Second; end < want || end > want+time.Second {
		t.Errorf("the last of 100 texts went out after %v, want %v", end, want)
	}
}

// TestNoHostBreaksTheRules: whatever comes in, each text goes out once its conversation's earlier ones are, with no more at once than
// there are places, and no faster than its number may.
func TestNoHostBreaksTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := Host{
			Runs: rapid.IntRange(1, 4).Draw(t, "runs"), GroupsEach: rapid.SampledFrom([]int{1, 10}).Draw(t, "groups each"),
			Accept: 2 * time.Millisecond, Receive: time.Millisecond, Step: time.Millisecond, Receipts: rapid.Bool().Draw(t, "receipts"),
		}
		var s Settings
		if rapid.Bool().Draw(t, "is paced") {
			s.PaceNumber = pace.Limit{N: rapid.IntRange(1, 5).Draw(t, "N"), Per: time.Second}
		}
		const numbers = 2
		var arrivals []Arrival
		at := time.Duration(0)
		for range rapid.IntRange(1, 60).Draw(t, "texts") {
			at += time.Duration(rapid.IntRange(0, 500).Draw(t, "pause")) * time.Millisecond
			arrivals = append(arrivals, Arrival{
				At: at, Number: rapid.IntRange(0, numbers-1).Draw(t, "number"), Customer: rapid.IntRange(0, 2).Draw(t, "customer"),
				Twilio: time.Duration(rapid.IntRange(0, 2000).Draw(t, "Twilio")) * time.Millisecond,
			})
		}
		latencies, _ := RunOn(h, s, numbers, arrivals, 1)
		checkRules(t, h, s, arrivals, latencies)
	})
}

func checkRules(t *rapid.T, h Host, s Settings, arrivals []Arrival, latencies []time.Duration) {
	t.Helper()
	least := h.Accept + h.Receive + 3*h.Step
	type post struct {
		Arrival
		at time.Duration
	}
	var posts []post
	for i, a := range arrivals {
		if latencies[i] < least {
			t.Fatalf("text %d took %v, at least %v", i, latencies[i], least)
		}
		posts = append(posts, post{a, a.At + latencies[i]})
	}
	slices.SortStableFunc(posts, func(a, b post) int { return cmp.Compare(a.at, b.at) })
	for i, p := range posts {
		atOnce, ofNumber := 1, 1
		for _, earlier := range posts[:i] {
			if earlier.at+earlier.Twilio > p.at {
				atOnce++
			}
			if earlier.Number == p.Number && earlier.at > p.at-time.Second+slotGrace/1000 {
				ofNumber++
			}
			if earlier.Number == p.Number && earlier.Customer == p.Customer && (earlier.At > p.At || earlier.at+earlier.Twilio > p.at) {
				t.Fatalf("a conversation's texts that came at %v and %v went out at %v and %v", earlier.At, p.At, earlier.at, p.at)
			}
		}
		if atOnce > h.Runs*h.GroupsEach {
			t.Fatalf("%d at once at %v", atOnce, p.at)
		}
		if n := s.PaceNumber.N; n > 0 && ofNumber > 2*n+int(slotGrace/time.Second) {
			t.Fatalf("%d texts of a number within a second", ofNumber)
		}
	}
}

// TestModelIsOfTheTemplate: the defaults, and what else the model takes from the template.
func TestModelIsOfTheTemplate(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := template.Parse(text, map[string]any{
		"TwilioAccountSid":         "AC00000000000000000000000000000000",
		"TwilioAuthTokenSecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:twilio/token-AbCdEf",
	})
	if err != nil {
		t.Fatal(err)
	}
	values, _ := parsed.Whole["Values"].(template.Object)
	d := Defaults()
	events := func(function, event string) template.Object {
		all, _ := parsed.Functions()[function]["Events"].(template.Object)
		one, _ := all[event].(template.Object)
		properties, _ := one["Properties"].(template.Object)
		return properties
	}
	scaling, _ := events("SenderFunction", "Queue")["ScalingConfig"].(template.Object)
	for what, is := range map[string][2]any{
		"SenderConcurrency":       {values["SenderConcurrency"], d.SenderConcurrency},
		"IngestConcurrency":       {values["IngestConcurrency"], d.IngestConcurrency},
		"PublicRequestsPerSecond": {values["PublicRequestsPerSecond"], d.PublicRequestsPerSecond},
		"PublicBurst":             {values["PublicBurst"], d.PublicBurst},
		"PacePair":                {values["PacePair"], d.PacePair.String()},
		"PaceNumber":              {values["PaceNumber"], d.PaceNumber.String()},
		"texts":                   {scaling["MaximumConcurrency"], d.Texts()},
		"batch":                   {events("SenderFunction", "Queue")["BatchSize"], batchSize},
		"audit batch":             {events("StreamAuditFunction", "Ledger")["BatchSize"], auditBatch},
		"audit window":            {events("StreamAuditFunction", "Ledger")["MaximumBatchingWindowInSeconds"], auditWindow.Seconds()},
		"ingest memory":           {parsed.Functions()["IngestFunction"]["MemorySize"], ingestMemory},
		"sender memory":           {parsed.Functions()["SenderFunction"]["MemorySize"], senderMemory},
		"audit memory":            {parsed.Functions()["StreamAuditFunction"]["MemorySize"], auditMemory},
	} {
		if want, got := template.Expression(is[0]), template.Expression(is[1]); want != got {
			t.Errorf("%s: the template has %s, the model %s", what, want, got)
		}
	}
}

// TestRunsForTextsAreTheTemplates: its mapping SenderRuns, for each value that it allows.
func TestRunsForTextsAreTheTemplates(t *testing.T) {
	for all, texts := range map[int]int{4: 2, 6: 4, 8: 6, 10: 8, 15: 12, 20: 16, 30: 24, 50: 40, 100: 80, 200: 160, 500: 400, 1000: 800} {
		if got := (Settings{SenderConcurrency: all}).Texts(); got != texts {
			t.Errorf("of %d runs %d are for texts, want %d", all, got, texts)
		}
	}
}

// TestWritesAreThoseThatAreCounted by the end-to-end run, which docs/cost.md shows.
func TestWritesAreThoseThatAreCounted(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "e2e", "testdata", "costs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var counted struct {
		Paths []struct{ Each map[string]float64 }
	}
	if err := json.Unmarshal(text, &counted); err != nil {
		t.Fatal(err)
	}
	each := counted.Paths[0].Each
	indexes := 0.0
	for _, index := range []string{"ByCustomer", "ByTwilioNumber", "ByStateDay"} {
		indexes += each["write units LedgerTable."+index]
	}
	if each["write units LedgerTable"] != ledgerWrites || indexes != indexWrites || each["apigateway:Request"] != 3 {
		t.Errorf("counted %v", each)
	}
}
