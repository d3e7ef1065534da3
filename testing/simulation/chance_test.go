package simulation_test

import "math/rand/v2"

// chance makes every decision of a schedule. The decisions are numbers, and 0 is always the harmless one, so that a
// schedule can be written down, played again, and made smaller by putting zeros into it.
type chance struct {
	rng *rand.Rand
	// given are decisions to play again; behind their end everything is 0. It is used when rng is nil.
	given []uint32
	// taken are the decisions made so far.
	taken []uint32
	// calm is set when nothing more is left to chance.
	calm bool
}

// fromSeed returns decisions that are all made by the seed.
func fromSeed(seed uint64) *chance {
	return &chance{rng: rand.New(rand.NewPCG(seed, 0x5ea5)), taken: make([]uint32, 0, 1024)}
}

// playing returns decisions that were made before.
func playing(given []uint32) *chance { return &chance{given: given} }

// of returns a number from 0 up to n.
func (c *chance) of(n int) int {
	if c.calm || n <= 1 {
		return 0
	}
	decided := 0
	switch at := len(c.taken); {
	case c.rng != nil:
		decided = c.rng.IntN(n)
	case at < len(c.given):
		decided = int(c.given[at] % uint32(n))
	}
	c.taken = append(c.taken, uint32(decided))
	return decided
}

// odds reports whether something happens that does so permille times in a thousand.
func (c *chance) odds(permille int) bool {
	if c.calm || permille <= 0 {
		return false
	}
	return c.of(1000) >= 1000-permille
}

// weighted returns the index of one of the weights, each as likely as it is heavy.
func (c *chance) weighted(weights ...int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	rest := c.of(total)
	for i, w := range weights {
		if rest -= w; rest < 0 {
			return i
		}
	}
	return 0
}

// one returns one of the choices. The first is the harmless one.
func one[T any](c *chance, choices ...T) T { return choices[c.of(len(choices))] }
