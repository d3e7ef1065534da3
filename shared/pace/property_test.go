package pace_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// booking is a text and the moment that it got.
type booking struct {
	to       sms.PhoneNumber
	segments int
	now, at  time.Time
}

// diary is what one number booked, one text after the other.
type diary struct {
	limits   pace.Limits
	state    pace.State
	now      time.Time
	bookings []booking
}

// anyLimit draws a limit that bites, often one that is off.
func anyLimit(name string) *rapid.Generator[pace.Limit] {
	return rapid.Custom(func(t *rapid.T) pace.Limit {
		if rapid.IntRange(0, 3).Draw(t, name+" is off if 0") == 0 {
			return pace.Limit{}
		}
		// A booking counts whole milliseconds, so none is shorter.
		n := rapid.IntRange(1, 6).Draw(t, name+" N")
		return pace.Limit{N: n, Per: time.Duration(rapid.IntRange(n, 20_000).Draw(t, name+" Per")) * time.Millisecond}
	})
}

// drawDiary books texts at times that come in jumps and, as clocks differ, up to a second in the wrong order.
func drawDiary(t *rapid.T) *diary {
	d := &diary{now: noon, limits: pace.Limits{Pair: anyLimit("pair").Draw(t, "pair"), Number: anyLimit("number").Draw(t, "number")}}
	back := time.Duration(rapid.SampledFrom([]int{0, 0, 1000}).Draw(t, "clocks differ by")) * time.Millisecond
	for range rapid.IntRange(1, 60).Draw(t, "texts") {
		d.now = d.now.Add(rapid.SampledFrom([]time.Duration{
			0, 0, 1, time.Microsecond, time.Millisecond, 999 * time.Millisecond, 7 * time.Second,
			3 * time.Minute,
		}).Draw(t, "pause"))
		late := time.Duration(rapid.IntRange(0, int(back)).Draw(t, "behind"))
		d.book(t, d.now.Add(-late))
	}
	return d
}

func (d *diary) book(t *rapid.T, now time.Time) {
	t.Helper()
	r := pace.Request{
		Number: number, Limits: d.limits, To: rapid.SampledFrom([]sms.PhoneNumber{first, first, second}).Draw(t, "to"),
		Segments: rapid.IntRange(1, 4).Draw(t, "segments"),
	}
	before := written(t, d.state)
	state, at := d.state.Book(r, now)
	booked := written(t, state)
	if d.state.Book(r, now.Add(time.Second)); written(t, d.state) != before || written(t, state) != booked {
		t.Fatalf("what Book made of %s is now %s, of it %s", before, written(t, d.state), written(t, state))
	}
	d.keepsThroughStorage(t, r, now, state, at)
	if at.Before(now) || !at.Equal(now) && !at.Equal(at.Truncate(time.Millisecond)) {
		t.Fatalf("asked at %v, booked %v after: want now, or a whole millisecond later", now, at.Sub(now))
	}
	if again, _ := (pace.State{}).Book(r, now); now.After(d.state.Until(d.limits)) && !cmp.Equal(again, state, cmpopts.EquateEmpty()) {
		t.Fatalf("at %v, after %v, the state still mattered", now, d.state.Until(d.limits))
	}
	d.state = state
	d.bookings = append(d.bookings, booking{r.To, r.Segments, now, at})
}

// keepsThroughStorage: a state that was written and read books the same.
func (d *diary) keepsThroughStorage(t *rapid.T, r pace.Request, now time.Time, want pace.State, wantAt time.Time) {
	t.Helper()
	var read pace.State
	if err := json.Unmarshal([]byte(written(t, d.state)), &read); err != nil {
		t.Fatal(err)
	}
	if got, at := read.Book(r, now); !at.Equal(wantAt) || !cmp.Equal(want, got, cmpopts.EquateEmpty()) {
		t.Fatalf("read again, the state booked %v instead of %v:\n%s", at, wantAt, cmp.Diff(want, got, cmpopts.EquateEmpty()))
	}
}

func written(t *rapid.T, s pace.State) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pairs returns the bookings of each pair, in the order in which they were asked for.
func (d *diary) pairs() map[sms.PhoneNumber][]booking {
	byTo := map[sms.PhoneNumber][]booking{}
	for _, b := range d.bookings {
		byTo[b.to] = append(byTo[b.to], b)
	}
	return byTo
}

// TestNoSpanHoldsMoreThanN: of any N+1 moments of a pair, the last is Per or more after the first.
func TestNoSpanHoldsMoreThanN(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDiary(t)
		if d.limits.Pair.Off() {
			return
		}
		n := d.limits.Pair.N
		for _, booked := range d.pairs() {
			slices.SortFunc(booked, func(a, b booking) int { return a.at.Compare(b.at) })
			for i := n; i < len(booked); i++ {
				if span := booked[i].at.Sub(booked[i-n].at); span < d.limits.Pair.Per {
					t.Fatalf("%d texts within %v, at most %v", n+1, span, d.limits.Pair)
				}
			}
		}
	})
}

// TestPairsKeepTheirOrder: a later text of a pair never gets an earlier moment. A text that goes at once goes at its own
// clock's time, which may be behind another's by a part of the millisecond that both booked.
func TestPairsKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDiary(t)
		if d.limits.Pair.Off() {
			return
		}
		for _, booked := range d.pairs() {
			for i := 1; i < len(booked); i++ {
				if ahead := booked[i-1].at.Sub(booked[i].at); ahead >= time.Millisecond {
					t.Fatalf("text %d got a moment %v before that of text %d", i+1, ahead, i)
				}
			}
		}
	})
}

// TestNumbersKeepTheirRate: with no pair in the way, whatever a number sends in a span, all but N-1 of the segments had
// their time in it.
func TestNumbersKeepTheirRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDiary(t)
		if d.limits.Number.Off() || !d.limits.Pair.Off() {
			return
		}
		n, per := d.limits.Number.N, d.limits.Number.Per
		for i := range d.bookings {
			segments := 0
			for j := i + 1; j < len(d.bookings); j++ {
				segments += d.bookings[j-1].segments
				least := time.Duration(segments-n+1) * per / time.Duration(n)
				// N at once have no order: each may go at its own clock's time.
				if span := d.bookings[j].at.Sub(d.bookings[i].at); least > 0 && span < least {
					t.Fatalf("after %d segments, text %d came %v after text %d, want %v or more (%v)", segments, j+1, span, i+1, least, d.limits.Number)
				}
			}
		}
	})
}

// TestNobodyWaitsInVain: a text that has to wait could not have gone a millisecond earlier, by one limit or the other.
func TestNobodyWaitsInVain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDiary(t)
		byTo := map[sms.PhoneNumber][]time.Time{}
		for i, b := range d.bookings {
			if b.at.After(b.now) && !d.mustWait(i, byTo[b.to]) {
				t.Fatalf("text %d waited %v for nothing", i+1, b.at.Sub(b.now))
			}
			byTo[b.to] = append(byTo[b.to], b.at)
		}
	})
}

// mustWait reports whether the ith booking had a reason to be no earlier.
func (d *diary) mustWait(i int, sent []time.Time) bool {
	at, pair, number := d.bookings[i].at, d.limits.Pair, d.limits.Number
	near := func(t time.Time) bool { return at.Sub(t) < 2*time.Millisecond }
	if !pair.Off() && len(sent) > 0 && near(slices.MaxFunc(sent, time.Time.Compare)) {
		return true
	}
	if !pair.Off() && len(sent) >= pair.N && near(sent[len(sent)-pair.N].Add(pair.Per)) {
		return true
	}
	if number.Off() {
		return false
	}
	// The number is taken from some text's request on, by all segments since.
	interval := number.Per / time.Duration(number.N)
	segments := 0
	for j := i - 1; j >= 0; j-- {
		segments += d.bookings[j].segments
		due := d.bookings[j].now.Add(time.Duration(segments-number.N+1) * interval)
		if near(due) {
			return true
		}
	}
	return false
}
