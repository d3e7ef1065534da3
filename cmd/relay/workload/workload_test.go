package workload

import (
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func config(texts int) Config {
	return Config{Seed: 7, Texts: texts, Days: 30, Until: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), Retention: 60 * 24 * time.Hour}
}

func all(t *testing.T, c Config) []ledger.Record {
	t.Helper()
	var records []ledger.Record
	for r, err := range c.Records() {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

func TestTheSameConfigMakesTheSameRecords(t *testing.T) {
	first := all(t, config(300))
	if diff := cmp.Diff(first, all(t, config(300))); diff != "" {
		t.Errorf("made again (-first +second):\n%s", diff)
	}
	other := config(300)
	other.Seed++
	if cmp.Equal(first, all(t, other)) {
		t.Error("another seed makes the same records")
	}
}

// Of 20,000 texts, each has a history, numbers that are nobody's, and a time after the one before.
func TestRecordsAreLikeARelays(t *testing.T) {
	const texts = 20_000
	c := config(texts)
	fiction := regexp.MustCompile(`^\+1\d{3}55501\d{2}$`)
	seen, states, days, numbers, people := map[string]bool{}, map[ledger.State]int{}, map[string]int{}, map[sms.PhoneNumber]int{},
		map[sms.PhoneNumber]int{}
	last := c.Until.AddDate(0, 0, -c.Days)
	for _, r := range all(t, c) {
		for _, number := range phones(r) {
			if !fiction.MatchString(string(number)) {
				t.Fatalf("%s has the number %s", r.MessageSid, string(number))
			}
		}
		if r.ReceivedAt.Before(last) || r.ReceivedAt.After(c.Until) || r.UpdatedAt.Before(r.ReceivedAt) || r.Version < 1 {
			t.Fatalf("%s was received at %v, after one of %v, and last changed at %v, version %d", r.MessageSid, r.ReceivedAt, last, r.UpdatedAt,
				r.Version)
		}
		last = r.ReceivedAt
		seen[r.MessageSid] = true
		states[r.State]++
		days[r.ReceivedAt.Format(time.DateOnly)]++
		numbers[r.TwilioNumber]++
		people[r.Customer]++
	}
	if len(seen) != texts || len(days) < c.Days || len(numbers) != twilioNumbers || len(people) < 1000 {
		t.Errorf("%d texts of different sids over %d days, to %d numbers from %d customers", len(seen), len(days), len(numbers), len(people))
	}
	for _, state := range ledger.States() {
		switch made := states[state]; {
		case state == ledger.Queued || state == ledger.Sending:
			if made > 0 {
				t.Errorf("%d texts are %s, and no message waits for them", made, state)
			}
		case made == 0:
			t.Errorf("no text is %s", state)
		}
	}
	if states[ledger.Delivered] < texts*85/100 {
		t.Errorf("%d of %d texts are delivered, want most", states[ledger.Delivered], texts)
	}
}

// phones returns every number that the record names.
func phones(r ledger.Record) []sms.PhoneNumber {
	numbers := []sms.PhoneNumber{r.TwilioNumber}
	for _, number := range []sms.PhoneNumber{r.Customer, r.Destination} {
		if number != "" {
			numbers = append(numbers, number)
		}
	}
	for _, a := range r.Attempts {
		numbers = append(numbers, a.To)
	}
	return numbers
}

func TestValidate(t *testing.T) {
	for name, edit := range map[string]func(*Config){
		"no texts":          func(c *Config) { c.Texts = 0 },
		"too many texts":    func(c *Config) { c.Texts = maxTexts + 1 },
		"no days":           func(c *Config) { c.Days = 0 },
		"too many days":     func(c *Config) { c.Days = maxDays + 1 },
		"too short to keep": func(c *Config) { c.Retention = time.Hour },
		"too long to keep":  func(c *Config) { c.Retention = 2 * ledger.MaxRetention },
	} {
		t.Run(name, func(t *testing.T) {
			c := config(1)
			if edit(&c); c.Validate() == nil {
				t.Errorf("%+v passes", c)
			}
		})
	}
	if err := config(1).Validate(); err != nil {
		t.Error(err)
	}
}

func BenchmarkRecords(b *testing.B) {
	made := 0
	for _, err := range config(b.N).Records() {
		if err != nil {
			b.Fatal(err)
		}
		made++
	}
	if made != b.N {
		b.Fatalf("%d records, want %d", made, b.N)
	}
}
