package simulation_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
)

var (
	seedFlag      = flag.Uint64("seed", 0, "play this one schedule, and with -v show what happens in it")
	schedulesFlag = flag.Int("schedules", 10_000, "how many schedules to play")
	firstFlag     = flag.Uint64("first", 1, "the seed of the first of them")
	failuresFlag  = flag.Int("failures", 1, "stop after so many schedules that violate something")
	smallerFlag   = flag.Bool("smaller", false, "with -seed and -v, show the schedule with as few decisions as still violate something")
	progressFlag  = flag.Bool("progress", false, "say now and then how far it is")
)

// TestMain has the collector of garbage run less often: a schedule leaves much of it, and keeps little.
func TestMain(m *testing.M) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	m.Run()
}

// wordsOf returns what an attempt's phone reads of a text.
func wordsOf(r ledger.Record, a ledger.Attempt) string { return plan.TextOf(r.AsSent(a), a.Header) }

// outcome is what came of a schedule.
type outcome struct {
	violations []string
	trace      string
	taken      []uint32
	steps      int
	tally      tally
	// handed is how many orders of operators who has a customer were carried out.
	handed int
}

// play plays one schedule in a bubble of its own, over stores in memory.
func play(t *testing.T, sc scenario, c *chance, traced bool) outcome {
	t.Helper()
	var o outcome
	synctest.Test(t, func(*testing.T) {
		sc.Clocks.wait()
		o = playOver(inMemory(sc.route()), sc, c, traced)
	})
	return o
}

// playOver plays one schedule in the bubble that it is called in.
func playOver(over stores, sc scenario, c *chance, traced bool) outcome {
	s := newSchedule(over, sc, c, traced)
	s.run()
	synctest.Wait()
	o := outcome{violations: s.violations, taken: c.taken, steps: s.steps, tally: s.tally, handed: s.handed()}
	if traced {
		o.trace = s.told.String()
	}
	return o
}

// playSeed plays the schedule of a seed.
func playSeed(t *testing.T, seed uint64, traced bool) outcome {
	t.Helper()
	return play(t, scenarioOf(seed), fromSeed(seed), traced)
}

// scenarioOf returns the scenario of a seed.
func scenarioOf(seed uint64) scenario { return scenarios().Example(int(seed & 0x7fffffff)) }

// TestSimulation plays many schedules, or the one of -seed.
func TestSimulation(t *testing.T) {
	if *seedFlag != 0 {
		o := playSeed(t, *seedFlag, true)
		if *smallerFlag {
			o = smaller(t, scenarioOf(*seedFlag), o.taken)
		}
		t.Logf("scenario: %+v\n%s", scenarioOf(*seedFlag), o.trace)
		report(t, *seedFlag, o)
		return
	}
	var run survey
	stop := progress(&run.next)
	defer stop()
	t.Run("schedules", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("shard", func(t *testing.T) {
				t.Parallel()
				for run.goesOn() {
					// A test keeps something of every bubble until it ends.
					t.Run("some", run.some)
				}
			})
		}
	})
	t.Logf("%d schedules, %d steps", *schedulesFlag, run.steps.Load())
	t.Log(run.tally)
}

// survey is what the shards of a test share.
type survey struct {
	next, steps, failures atomic.Int64

	mu    sync.Mutex
	tally tally
}

func (s *survey) goesOn() bool {
	return s.next.Load() < int64(*schedulesFlag) && s.failures.Load() < int64(*failuresFlag)
}

// some plays some more of the schedules.
func (s *survey) some(t *testing.T) {
	for range 1000 {
		i := s.next.Add(1)
		if i > int64(*schedulesFlag) || s.failures.Load() >= int64(*failuresFlag) {
			return
		}
		seed := *firstFlag + uint64(i) - 1
		o := playSeed(t, seed, false)
		s.steps.Add(int64(o.steps))
		s.count(o.tally)
		if report(t, seed, o) {
			s.failures.Add(1)
		}
	}
}

func (s *survey) count(t tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally = s.tally.plus(t)
}

// skipIfOne skips a test that is about more than the one schedule that is asked for.
func skipIfOne(t *testing.T) {
	t.Helper()
	if *seedFlag != 0 {
		t.Skip("only one schedule is asked for")
	}
}

// report fails the test if the schedule violated something, and says how to see it.
func report(t *testing.T, seed uint64, o outcome) (failed bool) {
	t.Helper()
	if len(o.violations) == 0 {
		return false
	}
	t.Errorf("schedule %d violates what must hold:\n  %s\nplay it again: go test ./testing/simulation -run 'Simulation$' -v -seed %d",
		seed, strings.Join(o.violations, "\n  "), seed)
	return true
}

// progress prints how far it is every few seconds, if it was asked for.
func progress(done *atomic.Int64) (stop func()) {
	if !*progressFlag {
		return func() {}
	}
	ticker, stopped, began := time.NewTicker(5*time.Second), make(chan struct{}), time.Now()
	go func() {
		for {
			select {
			case <-ticker.C:
				n := done.Load()
				fmt.Fprintf(os.Stderr, "%d of %d schedules, %.0f a second\n", n, *schedulesFlag, float64(n)/time.Since(began).Seconds())
			case <-stopped:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(stopped)
	}
}

// TestSimulationRepeats plays schedules twice: a seed must always give the same one.
func TestSimulationRepeats(t *testing.T) {
	skipIfOne(t)
	t.Parallel()
	for seed := range uint64(50) {
		first, second := playSeed(t, seed+1, true), playSeed(t, seed+1, true)
		if first.trace != second.trace {
			t.Fatalf("schedule %d is not always the same:\n%s", seed+1, difference(first.trace, second.trace))
		}
	}
}

// difference shows where two traces part.
func difference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return strings.Join(as[max(0, i-3):i+1], "\n") + "\n-- or --\n" + bs[i]
		}
	}
	return "one is longer"
}

// TestSimulationDrawn lets rapid make up scenarios and every single decision, so that what it finds is made small.
func TestSimulationDrawn(t *testing.T) {
	skipIfOne(t)
	t.Parallel()
	decisions := rapid.SliceOfN(rapid.Uint32Range(0, 999), 0, 400)
	rapid.Check(t, func(r *rapid.T) {
		sc, given := scenarios().Draw(r, "scenario"), decisions.Draw(r, "decisions")
		if o := play(t, sc, playing(given), true); len(o.violations) > 0 {
			r.Fatalf("violates what must hold:\n  %s\n%s", strings.Join(o.violations, "\n  "), o.trace)
		}
	})
}
