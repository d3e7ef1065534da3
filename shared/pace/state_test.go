package pace_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	number sms.PhoneNumber = "+18585550100"
	first  sms.PhoneNumber = "+18585550122"
	second sms.PhoneNumber = "+18585550133"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func limit(text string) pace.Limit {
	l, err := pace.Parse(text)
	if err != nil {
		panic(err)
	}
	return l
}

// asked is one text: when it is asked for and when it may go, both in the time since noon.
type asked struct {
	to       sms.PhoneNumber
	segments int
	now, at  string
}

func TestBook(t *testing.T) {
	for _, tt := range []struct {
		name         string
		pair, number string
		texts        []asked
	}{
		{"both limits are off", "off", "off", []asked{{first, 1, "0", "0"}, {first, 9, "0", "0"}, {first, 1, "-1s", "-1s"}}},
		{"two texts a pair", "2/10s", "off", []asked{
			{first, 1, "0", "0"}, {first, 1, "4s", "4s"}, {first, 1, "5s", "10s"}, {first, 1, "5s", "14s"}, {first, 1, "5s", "20s"},
		}},
		{"a pair waits no longer than it has to", "2/10s", "off", []asked{
			{first, 1, "0", "0"}, {first, 1, "1s", "1s"}, {first, 1, "10s", "10s"}, {first, 1, "11s", "11s"}, {first, 1, "12s", "20s"},
		}},
		{
			"a pair waits to the nanosecond", "1/10s", "off",
			[]asked{{first, 1, "0", "0"}, {first, 1, "9999999999ns", "10s"}, {first, 1, "20s", "20s"}},
		},
		{"another pair does not wait", "1/10s", "off", []asked{
			{first, 1, "0", "0"}, {first, 1, "0", "10s"}, {second, 1, "0", "0"}, {second, 1, "0", "10s"}, {first, 1, "0", "20s"},
		}},
		{"long texts are one to a pair", "2/10s", "off", []asked{{first, 5, "0", "0"}, {first, 5, "0", "0"}, {first, 1, "0", "10s"}}},
		{"one segment a second", "off", "1/1s", []asked{
			{first, 1, "0", "0"}, {second, 1, "0", "1s"}, {first, 1, "1500ms", "2s"}, {first, 1, "5s", "5s"}, {first, 1, "5s", "6s"},
		}},
		{
			"a long text takes longer", "off", "1/1s",
			[]asked{{first, 3, "0", "0"}, {first, 1, "0", "3s"}, {first, 2, "0", "4s"}, {first, 1, "0", "6s"}},
		},
		{"what has no length counts as one segment", "off", "1/1s", []asked{{first, 0, "0", "0"}, {first, -5, "0", "1s"}, {first, 1, "0", "2s"}}},
		{"three segments at once", "off", "3/3s", []asked{
			{first, 1, "0", "0"},
			{first, 1, "0", "0"},
			{first, 1, "0", "0"},
			{first, 1, "0", "1s"},
			{first, 1, "2s", "2s"},
			{first, 3, "10s", "10s"},
			{first, 1, "10s", "11s"},
		}},
		{"a text longer than what may go at once", "off", "3/3s", []asked{{first, 7, "0", "0"}, {first, 1, "0", "5s"}, {first, 1, "0", "6s"}}},
		{
			"who waits, waits for a whole millisecond", "off", "1/1ms",
			[]asked{{first, 1, "300us", "300us"}, {first, 1, "300us", "2ms"}, {first, 1, "300us", "3ms"}},
		},
		{"the number and the pair", "2/10s", "1/1s", []asked{
			{first, 1, "0", "0"},
			{first, 1, "0", "1s"},
			{first, 1, "0", "10s"},
			{second, 1, "0", "3s"},
			{second, 1, "0", "4s"},
			{second, 1, "0", "13s"},
		}},
		{
			"a free text goes now, to the nanosecond", "2/10s", "2/2s",
			[]asked{{first, 1, "1500us", "1500us"}, {first, 1, "1500us", "1500us"}, {first, 1, "1500us", "10002ms"}},
		},
		{"texts that may go at once do not wait for the millisecond", "9/10s", "2/2s", []asked{
			{first, 1, "1300us", "1300us"}, {first, 1, "1300001ns", "1300001ns"}, {second, 1, "1300002ns", "1002ms"},
		}},
		{"a clock that was an hour ahead and is set right", "2/10s", "1/1s", []asked{
			{first, 1, "1h", "1h"},
			{first, 1, "1h", "1h1s"},
			{first, 1, "1h", "1h10s"},
			{first, 1, "0", "0"},
			{second, 1, "0", "1s"},
			{first, 1, "2s", "2s"},
		}},
		{"a clock that was ahead by no more than clocks differ", "off", "1/1s", []asked{{first, 1, "1m", "1m"}, {first, 1, "0", "61s"}}},
		{"a long queue of a clock that is right", "off", "1/1m", []asked{{first, 9, "0", "0"}, {first, 1, "0", "9m"}, {first, 1, "1s", "10m"}}},
		{
			"a clock that goes back", "2/10s", "1/1s",
			[]asked{{first, 1, "5s", "5s"}, {first, 1, "0", "6s"}, {second, 1, "0", "7s"}, {first, 1, "3s", "15s"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			limits := pace.Limits{Pair: limit(tt.pair), Number: limit(tt.number)}
			var state pace.State
			for i, text := range tt.texts {
				r := pace.Request{Number: number, To: text.to, Segments: text.segments, Limits: limits}
				next, at := state.Book(r, since(t, text.now))
				if want := since(t, text.at); !at.Equal(want) {
					t.Errorf("text %d is booked for %v, want %v", i+1, at.Sub(noon), want.Sub(noon))
				}
				state = next
			}
		})
	}
}

// since returns the time that long after noon.
func since(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return noon.Add(d)
}

// TestBookWhenLimitsChange: a route's limit may be another with the next text.
func TestBookWhenLimitsChange(t *testing.T) {
	var state pace.State
	for i, tt := range []struct{ pair, number, at string }{
		{"4/10s", "1/1m", "0"},
		{"4/10s", "1/1m", "1m"},
		{"4/10s", "off", "1m"}, // in order, though the number is free
		{"4/10s", "off", "1m"},
		{"4/10s", "off", "1m"},    // the fourth at that moment
		{"2/10s", "off", "1m10s"}, // two are enough from here on
		{"2/10s", "off", "1m10s"},
		{"2/10s", "off", "1m20s"},
		{"off", "off", "0"},
		{"off", "1/1s", "2m"}, // the first two segments still take two minutes
	} {
		r := pace.Request{Number: number, To: first, Segments: 1, Limits: pace.Limits{Pair: limit(tt.pair), Number: limit(tt.number)}}
		next, at := state.Book(r, noon)
		if want := since(t, tt.at); !at.Equal(want) {
			t.Errorf("text %d is booked for %v, want %v", i+1, at.Sub(noon), want.Sub(noon))
		}
		state = next
	}
}

// TestStateStaysSmall: a state remembers no more than it has to, and never more than fits.
func TestStateStaysSmall(t *testing.T) {
	limits := pace.Limits{Pair: limit("3/10s"), Number: limit("1/1s")}
	ask := func(state pace.State, to sms.PhoneNumber, now time.Time) pace.State {
		state, _ = state.Book(pace.Request{Number: number, To: to, Segments: 1, Limits: limits}, now)
		return state
	}
	var state pace.State
	for range 50 {
		state = ask(state, first, noon)
	}
	if got := len(state.Recent[first]); got != 3 {
		t.Errorf("%d moments of a pair, want the last 3", got)
	}
	end := state.Recent[first][2]
	state = ask(state, second, end.Add(10*time.Second+time.Minute-time.Millisecond))
	if len(state.Recent) != 2 {
		t.Errorf("pairs %v, want both: a slow clock may still need the first", state.Recent)
	}
	state = ask(state, second, end.Add(10*time.Second+time.Minute))
	if len(state.Recent) != 1 {
		t.Errorf("pairs %v, want the second alone", state.Recent)
	}
}

// TestStateIsBounded: whatever is booked, a state fits into any store.
func TestStateIsBounded(t *testing.T) {
	for per, recipients := range map[string]int{"1/1h": 2100, "100/1h": 21} {
		r := pace.Request{Number: number, Segments: 1, Limits: pace.Limits{Pair: limit(per)}}
		var state pace.State
		for i := range 2200 {
			r.To = sms.PhoneNumber(fmt.Sprintf("whatsapp:%020d", i%recipients))
			// One after the other, each before those that are booked already: the last one has the oldest moment.
			state, _ = state.Book(r, noon.Add(-time.Duration(i)*time.Millisecond))
			if last := state.Recent[r.To]; len(last) == 0 {
				t.Fatalf("booking %d is not remembered", i+1)
			}
		}
		text, err := json.Marshal(state)
		if moments := count(state); err != nil || moments < 1900 || moments > 2000 || len(text) > 100_000 {
			t.Errorf("%s: %d moments in %d bytes, error %v; want nearly 2000 in less than 100 kB", per, moments, len(text), err)
		}
	}
}

func count(s pace.State) (moments int) {
	for _, of := range s.Recent {
		moments += len(of)
	}
	return moments
}

// TestStateKeepsWallTime: a Lambda function's monotonic clock stands still while it is frozen.
func TestStateKeepsWallTime(t *testing.T) {
	r := pace.Request{Number: number, To: first, Segments: 1, Limits: pace.Limits{Pair: limit("1/1s"), Number: limit("1/1s")}}
	state, _ := pace.State{}.Book(r, time.Now())
	for _, kept := range []time.Time{state.Next, state.Recent[first][0]} {
		if strings.Contains(kept.String(), "m=") {
			t.Errorf("state holds %v, with a monotonic reading", kept)
		}
	}
}

// TestBookOverALongTime: a rate that does not divide into whole nanoseconds is not exceeded in the long run.
func TestBookOverALongTime(t *testing.T) {
	t.Parallel()
	const segments = 30_000_000
	r := pace.Request{Number: number, To: first, Segments: segments, Limits: pace.Limits{Number: limit("3/1s")}}
	state, _ := pace.State{}.Book(r, noon)
	if took := state.Next.Sub(noon); took < segments/3*time.Second {
		t.Errorf("%d segments take %v less than a third of a second each", segments, segments/3*time.Second-took)
	}
}

// TestStateWithoutItsTime: what an earlier version wrote does not say when, and so nobody knows whether its clock was right.
func TestStateWithoutItsTime(t *testing.T) {
	t.Parallel()
	r := pace.Request{Number: number, To: first, Segments: 1, Limits: pace.Limits{Pair: limit("1/10s"), Number: limit("1/1s")}}
	for _, tt := range []struct {
		name, text, at string
	}{
		{"for a moment ago", `{"Next":1795521601000000000,"Pairs":{"+18585550122":[1795521595000]}}`, "5s"},
		{"for tomorrow, the number", `{"Next":1795608000000000000}`, "0"},
		{"for tomorrow, the pair", `{"Next":1795521601000000000,"Pairs":{"+18585550122":[1795608000000]}}`, "0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var state pace.State
			if err := json.Unmarshal([]byte(tt.text), &state); err != nil {
				t.Fatal(err)
			}
			if _, at := state.Book(r, noon); !at.Equal(since(t, tt.at)) {
				t.Errorf("booked for %v, want %v", at.Sub(noon), tt.at)
			}
		})
	}
}

func TestStateAsJSON(t *testing.T) {
	state := pace.State{
		Next:   noon.Add(1234567891),
		Recent: map[sms.PhoneNumber][]time.Time{first: {noon, noon.Add(time.Millisecond)}, second: {noon.Add(time.Hour)}},
	}
	for _, tt := range []struct {
		name, text string
		state      pace.State
	}{
		{
			"with both", `{"Next":1795521601234567891,"Pairs":{"+18585550122":[1795521600000,1795521600001],"+18585550133":[1795525200000]}}`,
			state,
		},
		{"of the number alone", `{"Next":1795521601234567891}`, pace.State{Next: state.Next}},
		{"with its time", `{"Next":1795521601234567891,"At":1795521600000000001}`, pace.State{Next: state.Next, BookedAt: noon.Add(1)}},
		{"with nothing", `{}`, pace.State{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := json.Marshal(tt.state)
			if err != nil || string(text) != tt.text {
				t.Errorf("written %s, error %v; want %s", text, err, tt.text)
			}
			var read pace.State
			if err := json.Unmarshal([]byte(tt.text), &read); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.state, read, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
	var read pace.State
	if err := json.Unmarshal([]byte(`{"Next":"noon"}`), &read); err == nil {
		t.Error("an invalid time was read")
	}
}

func BenchmarkBook(b *testing.B) {
	limits := pace.Limits{Pair: limit(pace.DefaultPair), Number: limit(pace.DefaultNumber)}
	for _, pairs := range []int{1, 3, 100} {
		b.Run(fmt.Sprintf("pairs=%d", pairs), func(b *testing.B) {
			var state pace.State
			now, i := noon, 0
			for b.Loop() {
				i++
				now = now.Add(time.Second / 10)
				to := sms.PhoneNumber(fmt.Sprintf("+185855501%02d", i%pairs))
				state, _ = state.Book(pace.Request{Number: number, To: to, Segments: 1, Limits: limits}, now)
			}
		})
	}
}
