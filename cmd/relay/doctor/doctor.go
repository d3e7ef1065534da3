// Package doctor is `relay doctor`: it checks a relay on one host or on AWS. Each check has a name; together they check the account at
// Twilio, the numbers' webhooks, the front door, the routes, the texts, and the host or the stack. The checks change nothing: what
// they post at the front door is a status callback that the relay ignores. Findings show no secrets, and mask numbers.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/shared/duration"
)

// Status is the result of a check.
type Status string

// The statuses, from the best to the worst.
const (
	OK Status = "ok"
	// Skipped means that the check could not be made; the finding says why.
	Skipped Status = "skipped"
	// Warn means that it works, but not as well as it should, or not for long.
	Warn Status = "warn"
	// Fail means that texts are lost, or soon will be.
	Fail Status = "fail"
)

// Finding is what one check found.
type Finding struct {
	Status Status `json:"status"`
	// Found says what the check found, or why it could not be made.
	Found string `json:"found"`
	// Fix is the command or the place that fixes the problem; empty if there is nothing to fix.
	Fix string `json:"fix,omitempty"`
}

// hostSet says which sets a check applies to.
type hostSet string

// The sets.
const (
	both      hostSet = "both"
	onOneHost hostSet = "one host"
	onAWS     hostSet = "aws"
)

// Check is one check.
type Check struct {
	// Name is stable: people and scripts choose checks by it, and docs/runbook.md has a section of this name.
	Name string
	// Why says what goes wrong if the check fails.
	Why string
	On  hostSet

	run func(context.Context, *exam) Finding
}

// Result is one check with what it found.
type Result struct {
	Name string `json:"name"`
	Finding
	Why string `json:"why"`
	// TookMilliseconds is how long it took.
	TookMilliseconds int64 `json:"took_ms"`
}

// options bound an examination.
type options struct {
	// Only are the names of the checks to make; empty means all checks for the relay's set.
	Only []string
	// Deadline limits the time of each check, Parallel how many run at once.
	Deadline time.Duration
	Parallel int
}

// Checks returns every check, in the order of the output.
func Checks() []Check {
	return slices.Concat(accountChecks(), numberChecks(), frontDoorChecks(), routeChecks(), textChecks(), registrationChecks(), hostChecks(),
		stackChecks())
}

// find returns the check of that name, and whether there is one.
func find(name string) (Check, bool) {
	checks := Checks()
	at := slices.IndexFunc(checks, func(c Check) bool { return c.Name == name })
	if at < 0 {
		return Check{}, false
	}
	return checks[at], true
}

// examine makes the checks and returns their results, in the order of Checks.
func examine(ctx context.Context, relay Relay, o options) []Result {
	chosen := chosen(relay, o.Only)
	results := make([]Result, len(chosen))
	asking, stop := context.WithTimeout(ctx, o.Deadline)
	defer stop()
	e := newExam(asking, relay)
	group := errgroup.Group{}
	group.SetLimit(o.Parallel)
	for i, check := range chosen {
		group.Go(func() error {
			began := relay.Now()
			finding := within(ctx, o.Deadline, check, e)
			results[i] = Result{Name: check.Name, Finding: finding, Why: check.Why, TookMilliseconds: relay.Now().Sub(began).Milliseconds()}
			return nil
		})
	}
	_ = group.Wait() // no check returns an error
	return results
}

// chosen returns the checks to make. A check that is asked for by name is made, or skipped with the reason, on either set.
func chosen(relay Relay, only []string) []Check {
	return slices.DeleteFunc(Checks(), func(c Check) bool {
		if len(only) > 0 {
			return !slices.Contains(only, c.Name)
		}
		return c.On != both && c.On != relay.set()
	})
}

// within makes one check, with its deadline.
func within(ctx context.Context, deadline time.Duration, check Check, e *exam) Finding {
	if check.On != both && check.On != e.set() {
		return skipped("this check does not apply here, only to: %s", check.On)
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	found := make(chan Finding, 1)
	go func() { found <- check.run(ctx, e) }()
	select {
	case finding := <-found:
		return finding
	case <-ctx.Done():
		return Finding{
			Status: Fail, Found: fmt.Sprintf("no answer within %s", duration.Text(deadline)),
			Fix: "check that this host can reach what the check asks, or allow more time with --deadline",
		}
	}
}

// worst returns the worst status among the results.
func worst(results []Result) Status {
	order := []Status{OK, Skipped, Warn, Fail}
	worst := 0
	for _, r := range results {
		worst = max(worst, slices.Index(order, r.Status))
	}
	return order[worst]
}

func ok(format string, args ...any) Finding {
	return Finding{Status: OK, Found: fmt.Sprintf(format, args...)}
}

func skipped(format string, args ...any) Finding {
	return Finding{Status: Skipped, Found: fmt.Sprintf(format, args...)}
}

func warn(fix, format string, args ...any) Finding {
	return Finding{Status: Warn, Found: fmt.Sprintf(format, args...), Fix: fix}
}

func fail(fix, format string, args ...any) Finding {
	return Finding{Status: Fail, Found: fmt.Sprintf(format, args...), Fix: fix}
}

// ofOneNumber returns the names of the checks that can be made of one number.
func ofOneNumber() []string {
	var names []string
	for _, c := range slices.Concat(numberChecks(), routeChecks(), textChecks(), registrationChecks()) {
		if c.Name != "dead-letters" && c.Name != "route-loops" {
			names = append(names, c.Name)
		}
	}
	return names
}
