package held

import (
	"testing"
	"time"
)

// TestCompare plays a moment of each kind of relay. How long it took is not looked at: that is for the command, on a quiet machine.
func TestCompare(t *testing.T) {
	t.Parallel()
	for _, batches := range []int{0, 2} {
		c := Case{
			Name: "a moment", Batches: batches, Shortest: time.Millisecond, Longest: 20 * time.Millisecond, Numbers: 2, Customers: 3,
			TextsPerSecond: 40, For: 500 * time.Millisecond,
		}
		texts := len(c.arrivals(1))
		compared, err := Compare(t.Context(), c, Work{Accept: time.Millisecond, Step: time.Millisecond}, 1)
		if err != nil || texts == 0 || compared.Name != c.Name {
			t.Fatalf("%d texts, %+v, error %v", texts, compared, err)
		}
		for _, o := range []Outcome{compared.Real, compared.Model, compared.Ratios()} {
			if o.PerSecond <= 0 || o.P50 <= 0 || o.P99 < o.P50*0.1 {
				t.Errorf("with %d batches: %+v", batches, o)
			}
		}
	}
}

// TestWhatDoesNotArriveIsAnError: a comparison of what never came would be none.
func TestWhatDoesNotArriveIsAnError(t *testing.T) {
	t.Parallel()
	p := &posts{at: map[int]time.Time{}, all: make(chan struct{})}
	if fault := p.note(map[string][]string{"Body": {"no number"}}); fault.Delay != 0 || len(p.at) != 0 {
		t.Errorf("noted %v", p.at)
	}
	if fault := p.note(map[string][]string{"Body": {"text 7"}}); fault.Delay != 0 || len(p.at) != 0 {
		t.Errorf("noted %v of no texts", p.at)
	}
}
