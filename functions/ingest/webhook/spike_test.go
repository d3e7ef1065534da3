package webhook_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
)

// mismatch sends a request that is signed with another token, and returns its log line.
func (f *front) mismatch() map[string]any {
	_, line := f.handle(sign(post(webhook.PathInbound, "", text(nil).Encode()), base, "fake-token-of-another"))
	return line
}

// With a wrong setting every text is refused and does not come again: one line says so, and what to look at.
func TestSpikeOfMismatches(t *testing.T) {
	f := newFront(t)
	var levels []any
	for range 12 {
		line := f.mismatch()
		levels = append(levels, line["level"])
		f.clock.Advance(time.Second)
		if line["level"] != "ERROR" {
			continue
		}
		check, _ := line["check"].(string)
		for _, word := range []string{"TWILIO_AUTH_TOKEN", "PUBLIC_BASE_URL", "proxy", "relay doctor"} {
			if !strings.Contains(check, word) {
				t.Errorf("the line does not say to check %s: %v", word, line)
			}
		}
		if line["reason"] != "signature" || line["status"] != float64(http.StatusForbidden) || f.measurement() != "Rejected Reason=signature" {
			t.Errorf("line %v", line)
		}
	}
	want := []any{"WARN", "WARN", "WARN", "WARN", "ERROR", "WARN", "WARN", "WARN", "WARN", "WARN", "WARN", "WARN"}
	if diff := cmp.Diff(want, levels); diff != "" {
		t.Errorf("levels (-want +got):\n%s", diff)
	}
	f.clock.Advance(10 * time.Minute)
	for n := range 5 {
		if line := f.mismatch(); (line["level"] == "ERROR") != (n == 4) {
			t.Errorf("ten minutes later, number %d: %v", n+1, line)
		}
	}
	// A clock that was set back forgets, and does not keep quiet for ever.
	f.clock.Advance(-24 * time.Hour)
	for n := range 5 {
		if line := f.mismatch(); (line["level"] == "ERROR") != (n == 4) {
			t.Errorf("after the clock was set back, number %d: %v", n+1, line)
		}
	}
}

// Strangers without a signature, and a few over a long time, are no reason to call anybody.
func TestNoSpike(t *testing.T) {
	f := newFront(t)
	for range 20 {
		if line := f.mismatch(); line["level"] != "WARN" {
			t.Fatalf("line %v", line)
		}
		f.clock.Advance(2 * time.Minute)
		if _, line := f.handle(post(webhook.PathInbound, "", text(nil).Encode())); line["level"] != "WARN" {
			t.Fatalf("line %v", line)
		}
	}
}

func TestHealthSaysWhatIsWrong(t *testing.T) {
	for name, tt := range map[string]struct {
		condition webhook.Condition
		status    string
		code      int
	}{
		"well":     {webhook.Condition{}, "ok", http.StatusOK},
		"degraded": {webhook.Condition{Problems: []string{"Twilio refuses the token"}}, "degraded", http.StatusOK},
		"failing":  {webhook.Condition{Failing: true, Problems: []string{"the database is damaged"}}, "failing", http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			f.Condition = func() webhook.Condition { return tt.condition }
			response, err := f.Handle(t.Context(), request("GET", webhook.PathHealth, ""))
			if err != nil {
				t.Fatal(err)
			}
			var health struct {
				Status   string
				Problems []string
			}
			if err := json.Unmarshal([]byte(response.Body), &health); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != tt.code || health.Status != tt.status || !cmp.Equal(health.Problems, tt.condition.Problems) {
				t.Errorf("%d %s, want %d %s", response.StatusCode, response.Body, tt.code, tt.status)
			}
		})
	}
}
