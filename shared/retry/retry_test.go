package retry_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/retry"
)

// policy makes at most five attempts, of which the last delays meet the cap.
var policy = retry.Policy{Base: 2 * time.Second, Cap: 15 * time.Second, MaxAttempts: 5, HaltDelay: 10 * time.Minute}

// TestDecide goes through every kind of failure at every attempt, without spread.
func TestDecide(t *testing.T) {
	again := func(delay time.Duration) retry.Decision { return retry.Decision{Action: retry.Again, Delay: delay} }
	exhausted := retry.Decision{Action: retry.Exhausted}
	refused := retry.Decision{Action: retry.Refused}
	settle := retry.Decision{Action: retry.Settle}
	halt := retry.Decision{Action: retry.Halt, Delay: 10 * time.Minute}
	waits := []retry.Decision{again(2 * time.Second), again(4 * time.Second), again(8 * time.Second), again(15 * time.Second), exhausted, exhausted, exhausted}
	always := func(d retry.Decision) []retry.Decision { return []retry.Decision{d, d, d, d, d, d, d} }
	want := map[fault.Kind][]retry.Decision{ // after the first attempt, the second, …
		fault.Transient: waits,
		fault.Throttled: waits,
		fault.Permanent: always(refused),
		fault.Fatal:     always(halt),
		fault.Unknown:   always(settle),
		fault.Kind(99):  always(settle),
		fault.Kind(-1):  always(settle),
	}
	for kind, decisions := range want {
		for i, decision := range decisions {
			f := &fault.Error{Kind: kind, Code: 30003, HTTPStatus: 500, Err: errors.New("irrelevant")}
			if got := policy.Decide(f, i+1, 0); got != decision {
				t.Errorf("after attempt %d ended %v: %+v, want %+v", i+1, kind, got, decision)
			}
		}
	}
}

// TestDecideBeforeAnyAttempt: of an account that is unusable no attempt counts, so that none may be spent.
func TestDecideBeforeAnyAttempt(t *testing.T) {
	if got, want := policy.Decide(&fault.Error{Kind: fault.Transient}, 0, 0), (retry.Decision{Action: retry.Again, Delay: 2 * time.Second}); got != want {
		t.Errorf("Decide = %+v, want %+v", got, want)
	}
	if got, want := policy.Decide(&fault.Error{Kind: fault.Fatal}, 0, 0), (retry.Decision{Action: retry.Halt, Delay: 10 * time.Minute}); got != want {
		t.Errorf("Decide = %+v, want %+v", got, want)
	}
}

func TestOneAttemptOnly(t *testing.T) {
	once := retry.Policy{Base: time.Second, Cap: time.Second, MaxAttempts: 1}
	for _, kind := range []fault.Kind{fault.Transient, fault.Throttled} {
		if got := once.Decide(&fault.Error{Kind: kind, RetryAfter: time.Hour}, 1, 0.5); got != (retry.Decision{Action: retry.Exhausted}) {
			t.Errorf("after a %v failure of the only attempt: %+v, want exhausted", kind, got)
		}
	}
}

// TestRetryAfter: what the vendor asks for is kept, even beyond the cap; a shorter wish changes nothing.
func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct{ asked, want time.Duration }{
		{0, 8 * time.Second}, {time.Second, 8 * time.Second}, {9 * time.Second, 9 * time.Second}, {time.Minute, time.Minute}, {-time.Second, 8 * time.Second},
	} {
		t.Run(fmt.Sprint(tt.asked), func(t *testing.T) {
			for _, kind := range []fault.Kind{fault.Transient, fault.Throttled} {
				if got := policy.Decide(&fault.Error{Kind: kind, RetryAfter: tt.asked}, 3, 0).Delay; got != tt.want {
					t.Errorf("delay %v, want %v", got, tt.want)
				}
			}
		})
	}
}

// TestBackoffBounds: whatever the policy, the delay is never less than the plain backoff, at most a quarter more, and
// grows with each attempt until the cap.
func TestBackoffBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := retry.Policy{
			Base:        time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "base")),
			Cap:         time.Duration(rapid.Int64Range(0, int64(12*time.Hour)).Draw(t, "cap")),
			MaxAttempts: 1 << 30,
		}
		spent := rapid.OneOf(rapid.IntRange(1, 70), rapid.IntRange(1, 1<<20)).Draw(t, "spent")
		spread := rapid.Float64Range(0, 0.999999).Draw(t, "spread")
		delay := p.Decide(&fault.Error{Kind: fault.Transient}, spent, spread).Delay
		plain := p.Decide(&fault.Error{Kind: fault.Transient}, spent, 0).Delay
		if plain != doubled(p, spent) {
			t.Errorf("delay %v, want %v", plain, doubled(p, spent))
		}
		if delay < plain || delay > plain+plain/4 {
			t.Errorf("delay %v with spread %v, want %v to a quarter more", delay, spread, plain)
		}
		if next := p.Decide(&fault.Error{Kind: fault.Transient}, spent+1, 0).Delay; next < plain {
			t.Errorf("delay %v, then %v", plain, next)
		}
	})
}

// doubled is Base × 2^(spent−1), within Cap, reckoned without overflow.
func doubled(p retry.Policy, spent int) time.Duration {
	if p.Base == 0 {
		return 0
	}
	for range spent - 1 {
		if p.Base >= p.Cap {
			break
		}
		p.Base += p.Base
	}
	return min(p.Base, p.Cap)
}

func TestSpreadParts(t *testing.T) {
	seen := map[time.Duration]bool{}
	for i := range 100 {
		seen[policy.Decide(&fault.Error{Kind: fault.Transient}, 1, float64(i)/100).Delay] = true
	}
	if len(seen) != 100 {
		t.Errorf("100 texts come back at %d times, want 100", len(seen))
	}
}

// TestDecideBoundsWhatIsAskedFor: a queue cannot hide a message for a day, however politely a vendor asks.
func TestDecideBoundsWhatIsAskedFor(t *testing.T) {
	policy := retry.Policy{Base: time.Second, Cap: time.Minute, MaxAttempts: 8}
	got := policy.Decide(&fault.Error{Kind: fault.Throttled, RetryAfter: 24 * time.Hour}, 1, 0)
	if want := (retry.Decision{Action: retry.Again, Delay: 6 * time.Hour}); got != want {
		t.Errorf("Decide = %+v, want %+v", got, want)
	}
}
