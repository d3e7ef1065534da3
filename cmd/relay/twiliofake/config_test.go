package twiliofake_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*twiliofake.Config)
		want   string
	}{
		{"malformed account", func(c *twiliofake.Config) { c.AccountSid = "AC1" }, "AccountSid"},
		{"empty token", func(c *twiliofake.Config) { c.AuthToken = "" }, "AuthToken is empty"},
		{"malformed API key", func(c *twiliofake.Config) { c.APIKeySid, c.APIKeySecret = "AC1", "x" }, "APIKeySid"},
		{"API key without secret", func(c *twiliofake.Config) { c.APIKeySid = apiKeySid }, "one is set without the other"},
		{"no clock", func(c *twiliofake.Config) { c.Now = nil }, "Now is nil"},
		{"negative delay", func(c *twiliofake.Config) { c.StepDelay = -time.Second }, "StepDelay"},
		{"too many posts", func(c *twiliofake.Config) { c.Posts = 1025 }, "Posts"},
		{"negative loop guard", func(c *twiliofake.Config) { c.Misbehaviour.LoopGuard = -1 }, "LoopGuard: -1 is negative"},
		{"negative list lag", func(c *twiliofake.Config) { c.Faults.ListLag = -time.Second }, "ListLag: -1s is negative"},
		{"relative ReceiptsTo", func(c *twiliofake.Config) { c.ReceiptsTo = "/cb" }, "ReceiptsTo"},
		{"relative webhook", func(c *twiliofake.Config) { c.Webhook.URL = "/sms" }, "Webhook: URL"},
		{"unusable overrides", func(c *twiliofake.Config) { c.Webhook.FallbackURL = "http://app.example.com/#rc=9" }, "Webhook: FallbackURL"},
		{"number's relative webhook", func(c *twiliofake.Config) {
			c.Webhooks = map[sms.PhoneNumber]twiliofake.Webhook{ours: {URL: "/sms"}}
		}, "Webhooks: ***0100: URL"},
		{"impossible outcome", func(c *twiliofake.Config) {
			c.Outcomes = map[sms.PhoneNumber]twiliofake.Outcome{carrier: {Status: sms.StatusRead}}
		}, `cannot end as "read"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := validConfig()
			test.change(&cfg)
			_, err := twiliofake.New(cfg)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestNewReportsAllProblemsAtOnce(t *testing.T) {
	_, err := twiliofake.New(twiliofake.Config{})
	for _, want := range []string{"AccountSid", "AuthToken", "Now"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

func TestSidsAreRandomByDefault(t *testing.T) {
	account := start(t, func(c *twiliofake.Config) { c.NewSid = nil })
	first, second := account.mustCreate(t, params()), account.mustCreate(t, params())
	if first == second || len(first) != 34 || !strings.HasPrefix(first, "SM") {
		t.Errorf("sids %s and %s", first, second)
	}
}

// TestLogsHoldNoNumbersBodiesOrSecrets reads what a whole exchange logs.
func TestLogsHoldNoNumbersBodiesOrSecrets(t *testing.T) {
	var logged bytes.Buffer
	app := receive(t, nil)
	account := start(t, func(c *twiliofake.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	if _, err := account.SendInbound(t.Context(), sofa(), app.url); err != nil {
		t.Fatal(err)
	}
	account.fetch(t, account.mustCreate(t, params("StatusCallback", app.url)))
	account.create(t, params("To", "+15005550001"))
	account.settle(t)
	account.Close()
	if !strings.Contains(logged.String(), "***0123") {
		t.Errorf("no masked number in\n%s", &logged)
	}
	for _, secret := range []string{string(customer), string(ours), string(carrier), "+15005550001", "Sofa", "Mattress", authToken} {
		if strings.Contains(logged.String(), secret) {
			t.Errorf("%q in\n%s", secret, &logged)
		}
	}
}
