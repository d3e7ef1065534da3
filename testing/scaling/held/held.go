// Package held runs the real relay against the fake Twilio with a delay, at sizes that one machine reaches, and the model on the same
// arrivals, and compares how many texts a second went out and how long they took. What is compared are waits that are much longer than
// the machine's own work: for slots, for a conversation's turn, for a reserved time, for the slowest text of a batch. How long that work
// takes is measured first.
package held

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/testing/scaling/model"
)

// Case is one comparison.
type Case struct {
	Name string
	// Batches makes whole batches go to the sender, as Lambda does it, in so many runs at once; with 0 it is relay serve.
	Batches int
	// Shortest and Longest are how long Twilio takes for an answer.
	Shortest, Longest  time.Duration
	Numbers, Customers int
	TextsPerSecond     float64
	For                time.Duration
	PaceNumber         pace.Limit
}

// Cases are those of the page.
func Cases() []Case {
	const ms = time.Millisecond
	return []Case{
		{
			Name: "conversations at once: 20 texts a second, Twilio takes 9 s", Shortest: 9000 * ms, Longest: 9000 * ms, Numbers: 10, Customers: 80,
			TextsPerSecond: 20, For: 12 * time.Second,
		},
		{
			Name: "FIFO groups: 4 customers, 3 texts a second, Twilio takes 2 s", Shortest: 2000 * ms, Longest: 2000 * ms, Numbers: 4, Customers: 1,
			TextsPerSecond: 3, For: 12 * time.Second,
		},
		{
			Name: "pace: 10 numbers at 1 a second each, 15 texts a second, Twilio takes 0.1 s", Shortest: 100 * ms, Longest: 100 * ms, Numbers: 10,
			Customers: 20, TextsPerSecond: 15, For: 8 * time.Second, PaceNumber: pace.Limit{N: 1, Per: time.Second},
		},
		{
			Name:    "batches: 2 runs of up to 10, 18 texts a second, Twilio takes 0.2 to 1.4 s",
			Batches: 2, Shortest: 200 * ms, Longest: 1400 * ms, Numbers: 10, Customers: 40, TextsPerSecond: 18, For: 20 * time.Second,
		},
	}
}

// Outcome is how many texts a second went out, and how long they took from the webhook to the POST, in milliseconds.
type Outcome struct{ PerSecond, P50, P99 float64 }

// Compared is a case with what the relay did and what the model says.
type Compared struct {
	Name        string
	Real, Model Outcome
}

// Ratios are the model's values in the real ones.
func (c Compared) Ratios() Outcome {
	return Outcome{c.Model.PerSecond / c.Real.PerSecond, c.Model.P50 / c.Real.P50, c.Model.P99 / c.Real.P99}
}

// Compare runs a case both ways. work is what Measure returned.
func Compare(ctx context.Context, c Case, work Work, seed uint64) (Compared, error) {
	arrivals := c.arrivals(seed)
	latencies, end, err := c.play(ctx, arrivals)
	if err != nil {
		return Compared{}, fmt.Errorf("%s: %w", c.Name, err)
	}
	host := model.Host{
		Runs: c.Batches, GroupsEach: batchSize, Accept: work.Accept, Receive: work.Step, Step: work.Step, Receipts: c.Batches == 0,
	}
	if c.Batches == 0 {
		host.Runs, host.GroupsEach = slots, 1
	}
	expected, expectedEnd := model.RunOn(host, model.Settings{PaceNumber: c.PaceNumber}, c.Numbers, arrivals, seed)
	return Compared{c.Name, outcomeOf(latencies, end), outcomeOf(expected, expectedEnd)}, nil
}

// batchSize is the template's, and slots are those of relay serve, if it may open enough files.
const (
	batchSize = 10
	slots     = 100
)

// arrivals are the texts that come in, at random moments.
func (c Case) arrivals(seed uint64) (all []model.Arrival) {
	random := rand.New(rand.NewPCG(seed, 1))
	for at := time.Duration(0); ; {
		at += time.Duration(random.ExpFloat64() / c.TextsPerSecond * float64(time.Second))
		if at > c.For {
			return all
		}
		all = append(all, model.Arrival{
			At: at, Number: random.IntN(c.Numbers), Customer: random.IntN(c.Customers),
			Twilio: c.Shortest + time.Duration(random.Float64()*float64(c.Longest-c.Shortest)),
		})
	}
}

func outcomeOf(latencies []time.Duration, end time.Duration) Outcome {
	at := func(percent int) float64 { return percentile(latencies, percent).Seconds() * 1000 }
	return Outcome{float64(len(latencies)) / end.Seconds(), at(50), at(99)}
}

func percentile(of []time.Duration, percent int) time.Duration {
	return slices.Sorted(slices.Values(of))[len(of)*percent/100]
}
