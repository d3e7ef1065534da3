package states_test

import (
	"flag"
	"os"
	"slices"
	"sync/atomic"
	"testing"
)

// story is one way for texts to go.
type story struct {
	name string
	play func(s *stage)
}

func stories() []story {
	return slices.Concat(
		relayed(), refusals(), undeliverable(), waits(), drops(),
		doubts(), twins(), uncertainties(), resent(), ordered(), keywords(), heeded(), deaths(), interruptions(),
		receipts(), early(), crossed(), cascades(), timeouts(), reroutes(), fetches(), strays(),
		faults(), races(), answers(), held(), forNobody(), threads(), pictures(), contacts(), closing(), rings(),
	)
}

// longStories are those in which more time goes by than a test can wait for.
func longStories() []story { return slices.Concat(people(), holding()) }

// TestMain lets many stories wait side by side: over the emulators they do little else. -parallel still overrides it.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", "100"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestInMemory(t *testing.T) {
	t.Parallel()
	play(t, inMemory, inMemory)
}

func TestInSQLite(t *testing.T) {
	t.Parallel()
	play(t, inSQLite, inSQLite)
}

// TestOnAWS plays the stories over DynamoDB and SQS, as `make test-aws` emulates them.
func TestOnAWS(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	play(t, a.adapters, a.withOwnClock)
}

// play plays all stories over one set of adapters, the long ones with a clock that can be set. If all were played, they have walked the
// whole state machine.
func play(t *testing.T, open, openLong func(t *testing.T) adapters) {
	t.Helper()
	var w walked
	var played atomic.Int64
	all := stories()
	short := len(all)
	all = append(all, longStories()...)
	t.Run("stories", func(t *testing.T) {
		for n, story := range all {
			t.Run(story.name, func(t *testing.T) {
				t.Parallel()
				opened := open
				if n >= short {
					opened = openLong
				}
				s := newStage(t, n, opened(t), &w)
				defer s.end()
				played.Add(1)
				story.play(s)
			})
		}
	})
	if int(played.Load()) == len(all) {
		w.check(t)
	}
}
