package retry_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/retry"
)

// policy makes at most five attempts. The last delays reach the cap.
var policy = retry.Policy{Base: 2 * time.Second, Cap: 15 * time.Second, MaxAttempts: 5, HaltDelay: 10 * time.Minute}

// answers are the answers to each kind of failure. A kind that does not exist is answered as carefully as Unknown.
var answers = map[fault.Kind]retry.Answer{
	fault.Unknown:     retry.Unknown,
	fault.Transient:   retry.Retry,
	fault.NotSent:     retry.Wait,
	fault.Throttled:   retry.Wait,
	fault.Quota:       retry.Wait,
	fault.Permanent:   retry.Failed,
	fault.Unreachable: retry.NextHop,
	fault.OptedOut:    retry.NextHop,
	fault.Fatal:       retry.Halt,
	fault.Kind(99):    retry.Unknown,
	fault.Kind(-1):    retry.Unknown,
}

// tried are n attempts that all count.
func tried(n int) retry.Tried { return retry.Tried{Spent: n, All: n} }

func TestAnswerTo(t *testing.T) {
	for kind, want := range answers {
		if got := retry.AnswerTo(kind); got != want {
			t.Errorf("AnswerTo(%v) = %v, want %v", kind, got, want)
		}
	}
	for kind := fault.Kind(0); !strings.HasPrefix(kind.String(), "fault.Kind("); kind++ {
		if _, tested := answers[kind]; !tested {
			t.Errorf("kind %v has no row in this test", kind)
		}
	}
}

// TestAnswerNames: logs and the command line show the names.
func TestAnswerNames(t *testing.T) {
	want := map[retry.Answer]string{
		retry.Sent: "sent", retry.Retry: "retry", retry.NextHop: "next_hop", retry.Failed: "failed", retry.Unknown: "unknown",
		retry.Halt: "halt", retry.Wait: "wait", retry.Answer(0): "retry.Answer(0)", retry.Answer(8): "retry.Answer(8)",
		retry.Answer(-1): "retry.Answer(-1)",
	}
	for answer, name := range want {
		if got := answer.String(); got != name {
			t.Errorf("retry.Answer(%d).String() = %q, want %q", int(answer), got, name)
		}
	}
}

// TestDecide goes through every kind of failure at every attempt, without spread.
func TestDecide(t *testing.T) {
	again := func(answer retry.Answer, delay time.Duration) retry.Decision {
		return retry.Decision{Answer: answer, Delay: delay}
	}
	var waits, retries []retry.Decision
	for _, delay := range []time.Duration{
		2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 15 * time.Second,
		15 * time.Second, 15 * time.Second,
	} {
		waits, retries = append(waits, again(retry.Wait, delay)), append(retries, again(retry.Retry, delay))
	}
	for i := range retries {
		if i+1 >= policy.MaxAttempts {
			retries[i] = retry.Decision{Answer: retry.Retry, Exhausted: true}
		}
	}
	always := func(d retry.Decision) []retry.Decision { return []retry.Decision{d, d, d, d, d, d, d} }
	byAnswer := map[retry.Answer][]retry.Decision{ // after the first attempt, the second, …
		retry.Retry:   retries,
		retry.Wait:    waits,
		retry.NextHop: always(retry.Decision{Answer: retry.NextHop}),
		retry.Failed:  always(retry.Decision{Answer: retry.Failed}),
		retry.Unknown: always(retry.Decision{Answer: retry.Unknown}),
		retry.Halt:    always(retry.Decision{Answer: retry.Halt, Delay: 10 * time.Minute}),
	}
	for kind, answer := range answers {
		for i, want := range byAnswer[answer] {
			f := &fault.Error{Kind: kind, Code: 30003, HTTPStatus: 500, Err: errors.New("irrelevant")}
			if got := policy.Decide(f, tried(i+1), 0); got != want {
				t.Errorf("after attempt %d ended %v: %+v, want %+v", i+1, kind, got, want)
			}
		}
	}
}

// TestOnlyARetryIsExhausted: the other answers end the hop, find out, or spend no attempt, and so know no last one.
func TestOnlyARetryIsExhausted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &fault.Error{
			Kind:       fault.Kind(rapid.IntRange(-1, 10).Draw(t, "kind")),
			RetryAfter: time.Duration(rapid.Int64Range(-int64(time.Hour), int64(24*time.Hour)).Draw(t, "retry after")),
		}
		spent := rapid.IntRange(0, 10).Draw(t, "spent")
		got := policy.Decide(f, retry.Tried{Spent: spent, All: rapid.IntRange(0, 99).Draw(t, "all")},
			rapid.Float64Range(0, 0.999999).Draw(t, "spread"))
		if got.Answer != retry.AnswerTo(f.Kind) {
			t.Errorf("%v is answered %v, want %v", f.Kind, got.Answer, retry.AnswerTo(f.Kind))
		}
		if want := got.Answer == retry.Retry && spent >= policy.MaxAttempts; got.Exhausted != want {
			t.Errorf("%v after attempt %d: %+v, want exhausted %v", f.Kind, spent, got, want)
		}
		if waits := (got.Answer == retry.Retry && !got.Exhausted) || got.Answer == retry.Wait ||
			got.Answer == retry.Halt; waits != (got.Delay > 0) {
			t.Errorf("%v after attempt %d: %+v, want a delay with a retry, a wait and a halt only", f.Kind, spent, got)
		}
	})
}

// TestDecideBeforeAnyAttempt: of an account that is unusable no attempt counts, so that none may be spent.
func TestDecideBeforeAnyAttempt(t *testing.T) {
	if got, want := policy.Decide(&fault.Error{Kind: fault.Transient}, tried(0), 0),
		(retry.Decision{Answer: retry.Retry, Delay: 2 * time.Second}); got != want {
		t.Errorf("Decide = %+v, want %+v", got, want)
	}
	if got, want := policy.Decide(&fault.Error{Kind: fault.Fatal}, tried(0), 0),
		(retry.Decision{Answer: retry.Halt, Delay: 10 * time.Minute}); got != want {
		t.Errorf("Decide = %+v, want %+v", got, want)
	}
}

func TestOneAttemptOnly(t *testing.T) {
	once := retry.Policy{Base: time.Second, Cap: time.Second, MaxAttempts: 1}
	want := retry.Decision{Answer: retry.Retry, Exhausted: true}
	if got := once.Decide(&fault.Error{Kind: fault.Transient, RetryAfter: time.Hour}, tried(1), 0.5); got != want {
		t.Errorf("after a failure of the only attempt: %+v, want %+v", got, want)
	}
}

// TestWait: looks that are no attempts come less and less often, and never end. Each wait is as long as all before it.
func TestWait(t *testing.T) {
	for due, want := range map[time.Duration]time.Duration{
		-time.Minute: 2 * time.Second, 0: 2 * time.Second, 2 * time.Second: 2 * time.Second, 5 * time.Second: 5 * time.Second,
		15 * time.Second: 15 * time.Second, time.Hour: 15 * time.Second, 1<<63 - 1: 15 * time.Second,
	} {
		if got := policy.Wait(due, 0); got != want {
			t.Errorf("Wait(%v) = %v, want %v", due, got, want)
		}
	}
	if got, want := policy.Wait(time.Hour, 0.5), 15*time.Second+15*time.Second/8; got != want {
		t.Errorf("Wait with half the spread = %v, want %v", got, want)
	}
}

// TestNewPolicy: an unusable account must be looked at often enough to notice, and seldom enough to last.
func TestNewPolicy(t *testing.T) {
	want := retry.Policy{Base: 2 * time.Second, Cap: 5 * time.Minute, MaxAttempts: 8, HaltDelay: 5 * time.Minute}
	if got := retry.NewPolicy(2*time.Second, 8); got != want {
		t.Errorf("NewPolicy = %+v, want %+v", got, want)
	}
}

// TestRetryAfter: what the vendor asks for is kept, even beyond the cap; a shorter wish changes nothing.
func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct{ asked, want time.Duration }{
		{0, 8 * time.Second},
		{time.Second, 8 * time.Second},
		{9 * time.Second, 9 * time.Second},
		{time.Minute, time.Minute},
		{-time.Second, 8 * time.Second},
	} {
		t.Run(fmt.Sprint(tt.asked), func(t *testing.T) {
			for _, kind := range []fault.Kind{fault.Transient, fault.Throttled} {
				if got := policy.Decide(&fault.Error{Kind: kind, RetryAfter: tt.asked}, tried(3), 0).Delay; got != tt.want {
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
		delay := p.Decide(&fault.Error{Kind: fault.Transient}, tried(spent), spread).Delay
		plain := p.Decide(&fault.Error{Kind: fault.Transient}, tried(spent), 0).Delay
		if plain != doubled(p, spent) {
			t.Errorf("delay %v, want %v", plain, doubled(p, spent))
		}
		if delay < plain || delay > plain+plain/4 {
			t.Errorf("delay %v with spread %v, want %v to a quarter more", delay, spread, plain)
		}
		if next := p.Decide(&fault.Error{Kind: fault.Transient}, tried(spent+1), 0).Delay; next < plain {
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
		seen[policy.Decide(&fault.Error{Kind: fault.Transient}, tried(1), float64(i)/100).Delay] = true
	}
	if len(seen) != 100 {
		t.Errorf("100 texts come back at %d times, want 100", len(seen))
	}
}

// TestDecideBoundsWhatIsAskedFor: a queue cannot hide a message for a day, however politely a vendor asks.
func TestDecideBoundsWhatIsAskedFor(t *testing.T) {
	policy := retry.Policy{Base: time.Second, Cap: time.Minute, MaxAttempts: 8}
	got := policy.Decide(&fault.Error{Kind: fault.Throttled, RetryAfter: 24 * time.Hour}, tried(1), 0)
	if want := (retry.Decision{Answer: retry.Wait, Delay: 6 * time.Hour}); got != want {
		t.Errorf("Decide = %+v, want %+v", got, want)
	}
}
