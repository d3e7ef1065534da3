package main

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/pace"
)

// needed are the variables that have no default.
func needed() map[string]string {
	return map[string]string{
		"AWS_REGION":                     "us-east-1",
		"AWS_ACCESS_KEY_ID":              "local",
		"AWS_SECRET_ACCESS_KEY":          "local",
		"RELAY_QUEUE_URL":                "https://sqs.example.com/texts.fifo",
		"RELAY_DEAD_LETTER_QUEUE_URL":    "https://sqs.example.com/dead.fifo",
		"RELAY_TIMER_QUEUE_URL":          "https://sqs.example.com/timers",
		"RELAY_LEDGER_TABLE":             "ledger",
		"RELAY_ROUTING_TABLE":            "routes",
		"RELAY_CONVERSATIONS_TABLE":      "conversations",
		"RELAY_PACE_TABLE":               "pace",
		"RELAY_MEDIA_BUCKET":             "media",
		"RELAY_MEDIA_BASE_URL":           "https://relay.example.com",
		"RELAY_TWILIO_AUTH_TOKEN_SECRET": "arn:token",
		"TWILIO_ACCOUNT_SID":             "AC00000000000000000000000000000001",
	}
}

// read reads what is needed, with changes on top of it; an empty value counts as not set.
func read(changes map[string]string) (config, error) {
	environment := needed()
	maps.Copy(environment, changes)
	return readConfig(func(name string) (string, bool) {
		value, ok := environment[name]
		return value, ok
	})
}

// defaults is what is read from what is needed alone.
func defaults() config {
	return config{
		aws:                awsclient.Config{Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local"},
		queueURL:           "https://sqs.example.com/texts.fifo",
		deadLetterQueueURL: "https://sqs.example.com/dead.fifo",
		timerQueueURL:      "https://sqs.example.com/timers",
		mediaBucket:        "media",
		mediaBaseURL:       "https://relay.example.com",
		ledgerTable:        "ledger",
		routingTable:       "routes",
		conversationsTable: "conversations",
		paceTable:          "pace",
		secrets:            secrets.Config{AuthToken: "arn:token"},
		accountSid:         "AC00000000000000000000000000000001",
		retryBase:          2 * time.Second,
		maxAttempts:        8,
		sendTimeout:        8 * time.Second,
		pacePair:           pace.Limit{N: 10, Per: 30 * time.Second},
		paceNumber:         pace.Limit{N: 1, Per: time.Second},
		reconcileLooks:     3,
		reconcileInterval:  40 * time.Second,
		retention:          400 * 24 * time.Hour,
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		changes map[string]string
		want    func(*config)
	}{
		{"defaults", nil, func(*config) {}},
		{"a pace for pairs", map[string]string{"RELAY_PACE_PAIR": "5/1m"}, func(c *config) { c.pacePair = pace.Limit{N: 5, Per: time.Minute} }},
		{
			"a pace for numbers",
			map[string]string{"RELAY_PACE_NUMBER": "3/1s"},
			func(c *config) { c.paceNumber = pace.Limit{N: 3, Per: time.Second} },
		},
		{"no pace for pairs", map[string]string{"RELAY_PACE_PAIR": "off"}, func(c *config) { c.pacePair = pace.Limit{} }},
		{"no pace for numbers", map[string]string{"RELAY_PACE_NUMBER": "off"}, func(c *config) { c.paceNumber = pace.Limit{} }},
		{"a retention in days", map[string]string{"RELAY_RETENTION": "30d"}, func(c *config) { c.retention = 720 * time.Hour }},
		{"the fewest looks", map[string]string{"RELAY_RECONCILE_LOOKS": "1"}, func(c *config) { c.reconcileLooks = 1 }},
		{"the most looks", map[string]string{"RELAY_RECONCILE_LOOKS": "20"}, func(c *config) { c.reconcileLooks = 20 }},
		{"looks at once", map[string]string{"RELAY_RECONCILE_INTERVAL": "10ms"}, func(c *config) { c.reconcileInterval = 10 * time.Millisecond }},
		{"looks far apart", map[string]string{"RELAY_RECONCILE_INTERVAL": "10m"}, func(c *config) { c.reconcileInterval = 10 * time.Minute }},
		{
			"an API key",
			map[string]string{"RELAY_TWILIO_API_KEY_SECRET": "arn:key"},
			func(c *config) { c.secrets = secrets.Config{APIKey: "arn:key"} },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := defaults()
			tt.want(&want)
			got, err := read(tt.changes)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(config{})); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigRefuses(t *testing.T) {
	t.Parallel()
	const noPace = "pace is neither a number and a time such as 10/30s nor off"
	tests := []struct{ name, value, want string }{
		{"RELAY_TIMER_QUEUE_URL", "", "RELAY_TIMER_QUEUE_URL is not set"},
		{"RELAY_CONVERSATIONS_TABLE", "", "RELAY_CONVERSATIONS_TABLE is not set"},
		{"RELAY_PACE_TABLE", "", "RELAY_PACE_TABLE is not set"},
		{"RELAY_MEDIA_BUCKET", "", "RELAY_MEDIA_BUCKET is not set"},
		{"RELAY_MEDIA_BASE_URL", "", "RELAY_MEDIA_BASE_URL is not set"},
		{"RELAY_PACE_PAIR", "10", "RELAY_PACE_PAIR is wrong: " + noPace},
		{"RELAY_PACE_NUMBER", "none", "RELAY_PACE_NUMBER is wrong: " + noPace},
		{"RELAY_RECONCILE_LOOKS", "0", "RELAY_RECONCILE_LOOKS is not a whole number from 1 to 20"},
		{"RELAY_RECONCILE_LOOKS", "21", "RELAY_RECONCILE_LOOKS is not a whole number from 1 to 20"},
		{"RELAY_RECONCILE_INTERVAL", "9ms", "RELAY_RECONCILE_INTERVAL is not from 10ms to 10m"},
		{"RELAY_RETENTION", "14d", "RELAY_RETENTION is not from 15d to 3650d"},
		{"RELAY_RECONCILE_INTERVAL", "601s", "RELAY_RECONCILE_INTERVAL is not from 10ms to 10m"},
	}
	for _, tt := range tests {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			t.Parallel()
			if _, err := read(map[string]string{tt.name: tt.value}); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestConfigSaysAllProblemsAtOnce: anyone who sets a function up can fix everything in one go.
func TestConfigSaysAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := readConfig(func(name string) (string, bool) { return "x", strings.HasPrefix(name, "RELAY_PACE_") })
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"RELAY_QUEUE_URL", "RELAY_DEAD_LETTER_QUEUE_URL", "RELAY_TIMER_QUEUE_URL", "RELAY_LEDGER_TABLE", "RELAY_ROUTING_TABLE",
		"RELAY_CONVERSATIONS_TABLE",
		"RELAY_PACE_PAIR", "RELAY_PACE_NUMBER", "RELAY_TWILIO_AUTH_TOKEN_SECRET", "TWILIO_ACCOUNT_SID",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
}
