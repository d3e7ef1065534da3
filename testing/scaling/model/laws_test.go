package model

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// played is what came of customers at a station.
type played struct{ wait, used, length, perSecond float64 }

// play lets so many customers come to a station at random moments, and returns their mean wait in seconds, how much of the servers was
// used, the mean length of the line, and how many came in a second.
func play(servers int, perSecond float64, service func(*rand.Rand) time.Duration) played {
	const customers = 200_000
	a, random := newAgenda(), rand.New(rand.NewPCG(1, 1))
	s := newStation(a, "station", servers)
	var waits float64
	a.start(func(p *process) {
		for range customers {
			p.sleep(time.Duration(random.ExpFloat64() / perSecond * float64(time.Second)))
			a.start(func(p *process) {
				came := a.now
				s.take(p)
				waits += (a.now - came).Seconds()
				p.sleep(service(random))
				s.give()
			})
		}
	})
	for len(a.events) > 0 {
		a.run(a.events[0].at)
	}
	s.count(0)
	seconds := a.now.Seconds()
	return played{waits / customers, s.share(a.now), s.area / seconds, customers / seconds}
}

// near reports whether two numbers differ by a few percent at most: chance is left in 200,000 customers.
func near(got, want float64) bool { return math.Abs(got-want) <= 0.04*want }

func always(d time.Duration) func(*rand.Rand) time.Duration {
	return func(*rand.Rand) time.Duration { return d }
}

func exponential(mean time.Duration) func(*rand.Rand) time.Duration {
	return func(random *rand.Rand) time.Duration { return time.Duration(random.ExpFloat64() * float64(mean)) }
}

// erlangC is the wait of M/M/c: the chance of having to wait, by the mean time until one of the servers is free beyond what comes in.
func erlangC(servers int, perSecond, service float64) float64 {
	load := perSecond * service
	sum, term := 0.0, 1.0
	for k := range servers {
		sum += term
		term *= load / float64(k+1)
	}
	term *= float64(servers) / (float64(servers) - load)
	return term / (sum + term) * service / (float64(servers) - load)
}

// TestStationsKeepTheLawsOfQueues: a line's mean wait is what the formulas of Pollaczek and Khinchine, and of Erlang, say.
func TestStationsKeepTheLawsOfQueues(t *testing.T) {
	const service = 100 * time.Millisecond
	for _, tt := range []struct {
		name      string
		servers   int
		perSecond float64
		service   func(*rand.Rand) time.Duration
		wait      float64
	}{
		{"M/D/1, half full", 1, 5, always(service), 0.5 / (2 * 0.5) * 0.1},
		{"M/D/1, 80 %", 1, 8, always(service), 0.8 / (2 * 0.2) * 0.1},
		{"M/M/1, 80 %", 1, 8, exponential(service), 0.8 / 0.2 * 0.1},
		{"M/M/4, 80 %", 4, 32, exponential(service), erlangC(4, 32, 0.1)},
		{"M/M/20, 90 %", 20, 180, exponential(service), erlangC(20, 180, 0.1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := play(tt.servers, tt.perSecond, tt.service)
			if !near(got.wait, tt.wait) {
				t.Errorf("mean wait %.4f s, want %.4f", got.wait, tt.wait)
			}
			// The utilisation law, and Little's.
			if want := got.perSecond * service.Seconds() / float64(tt.servers); !near(got.used, want) {
				t.Errorf("used %.4f, want %.4f", got.used, want)
			}
			if want := got.perSecond * got.wait; !near(got.length, want) {
				t.Errorf("line of %.4f, want %.4f", got.length, want)
			}
		})
	}
}

// TestFlowsLetThroughWhatTheyHave: no more, and what comes when there is room does not wait.
func TestFlowsLetThroughWhatTheyHave(t *testing.T) {
	f := newFlow("flow", 100)
	taken := 0
	for at := time.Duration(0); at < 10*time.Second; at += time.Millisecond {
		if wait, ok := f.ask(at, 1, 0); ok && wait == 0 {
			taken++
		}
	}
	if taken < 990 || taken > 1001 {
		t.Errorf("%d units in 10 s at 100 a second", taken)
	}
	if share := f.share(10 * time.Second); math.Abs(share-10) > 1e-9 {
		t.Errorf("%v of the capacity was asked for, want 10 times", share)
	}
}

func TestBucketsAllowABurstAndThenTheirRate(t *testing.T) {
	b := newBucket("bucket", 10, 50)
	allowed := 0
	for at := time.Duration(0); at < 10*time.Second; at += time.Millisecond {
		if b.allow(at) {
			allowed++
		}
	}
	if allowed < 149 || allowed > 150 {
		t.Errorf("%d allowed in 10 s, want 50 at once and 10 a second", allowed)
	}
}

func TestEventsHappenInTheirOrder(t *testing.T) {
	a := newAgenda()
	var seen []int
	for i, d := range []int{3, 1, 2, 1} {
		a.after(time.Duration(d)*time.Second, func() { seen = append(seen, i) })
	}
	a.run(2 * time.Second)
	if len(seen) != 3 || seen[0] != 1 || seen[1] != 3 || seen[2] != 2 || a.now != 2*time.Second {
		t.Errorf("%v happened up to %v", seen, a.now)
	}
}

func TestAnEndStopsEveryProcess(t *testing.T) {
	a := newAgenda()
	isCleared, isReached := false, false
	a.start(func(p *process) {
		defer func() { isCleared = true }()
		p.sleep(time.Hour)
		isReached = true
	})
	a.run(time.Minute)
	a.end()
	if !isCleared || isReached || len(a.living) > 0 {
		t.Errorf("cleared %v, reached %v, %d living", isCleared, isReached, len(a.living))
	}
}
