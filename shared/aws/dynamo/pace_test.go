package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestPaceOnFake runs the book's suite against the fake, with two processes on one table.
func TestPaceOnFake(t *testing.T) {
	t.Parallel()
	relaytest.TestPace(t, func(*testing.T) relaytest.PaceUnderTest {
		f := newFake(dynamo.PaceSchema())
		return relaytest.PaceUnderTest{Book: paceOn(f), Other: paceOn(f)}
	})
}

// TestPaceConformance runs the book's suite against DynamoDB Local, with two processes on one table.
func TestPaceConformance(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, nil)
	relaytest.TestPace(t, func(t *testing.T) relaytest.PaceUnderTest {
		t.Helper()
		name := e.createTable(t, dynamo.PaceSchema())
		return relaytest.PaceUnderTest{Book: dynamo.NewPace(e.config, name), Other: dynamo.NewPace(e.config, name)}
	})
}

func paceOn(f *fakeDynamo) *dynamo.Pace { return dynamo.NewPace(f.config(), "qdn-sms-pace") }

// segment asks for one segment at one a second, ten texts in thirty seconds.
func segment() pace.Request {
	return pace.Request{
		Number: relaytest.TwilioNumber, To: relaytest.Destination, Segments: 1,
		Limits: pace.Limits{Pair: pace.Limit{N: 10, Per: 30 * time.Second}, Number: pace.Limit{N: 1, Per: time.Second}},
	}
}

// books checks that the nth segment, counted from 0, is booked n seconds after noon.
func books(t *testing.T, p *dynamo.Pace, n int) {
	t.Helper()
	at, err := p.Reserve(t.Context(), segment(), noon())
	if want := noon().Add(time.Duration(n) * time.Second); err != nil || !at.Equal(want) {
		t.Fatalf("booked %v, error %v; want %v", at, err, want)
	}
}

// isOvertaken checks that a booking was refused because another process was quicker.
func isOvertaken(t *testing.T, p *dynamo.Pace, now time.Time) {
	t.Helper()
	at, err := p.Reserve(t.Context(), segment(), now)
	checkFault(t, "Reserve after another", err, fault.Throttled)
	if wait := fault.Of(err).RetryAfter; !at.IsZero() || wait <= 0 || wait > time.Second {
		t.Errorf("booked %v, to be tried again after %v; want no booking, and up to a second", at, wait)
	}
}

func calls(t *testing.T, f *fakeDynamo, want map[string]int) {
	t.Helper()
	if diff := cmp.Diff(want, f.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestPaceCostsOneWrite: the first booking reads, the others only write.
func TestPaceCostsOneWrite(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.PaceSchema())
	p := paceOn(f)
	for n := range 5 {
		books(t, p, n)
		calls(t, f, map[string]int{"GetItem": 1, "PutItem": n + 1})
	}
	books(t, paceOn(f), 5)
	calls(t, f, map[string]int{"GetItem": 2, "PutItem": 6})
}

func TestPaceThatIsOffCostsNothing(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.PaceSchema())
	r := segment()
	r.Limits = pace.Limits{}
	if at, err := paceOn(f).Reserve(t.Context(), r, noon()); err != nil || !at.Equal(noon()) {
		t.Errorf("booked %v, error %v; want noon", at, err)
	}
	calls(t, f, map[string]int{})
}

// TestPaceLearnsFromAConflict: who was overtaken has booked nothing, and needs no read to go on.
func TestPaceLearnsFromAConflict(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.PaceSchema())
	first, second := paceOn(f), paceOn(f)
	books(t, first, 0)
	books(t, second, 1)
	books(t, second, 2)
	isOvertaken(t, first, noon())
	books(t, first, 3)
	books(t, first, 4)
	calls(t, f, map[string]int{"GetItem": 2, "PutItem": 6})
}

// TestPaceAfterTwoFirstBookings: of two processes that find nothing, one creates the item.
func TestPaceAfterTwoFirstBookings(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.PaceSchema())
	late, early := paceOn(f), paceOn(f)
	f.fault = func(operation string, n int, apply func() reply) reply {
		if operation == "GetItem" && n == 1 {
			answer := apply()
			f.mu.Unlock()
			defer f.mu.Lock()
			books(t, early, 0)
			return answer
		}
		return apply()
	}
	isOvertaken(t, late, noon())
	books(t, late, 1)
}

// TestLostAnswerOfReserve: a booking whose answer was lost is repeated by the client, and is one booking.
func TestLostAnswerOfReserve(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(dynamo.PaceSchema())
			p := paceOn(f)
			books(t, p, 0)
			f.fault = onPut(2, late, reply{err: lost()})
			books(t, p, 1)
			books(t, p, 2)
			calls(t, f, map[string]int{"GetItem": 1, "PutItem": 4})
		})
	}
}

// TestLostAnswerOfTheOvertaken: two processes book alike from the same version, and the answer of the later one is
// lost. It must not take the other's booking for its own.
func TestLostAnswerOfTheOvertaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(dynamo.PaceSchema())
		first, second := paceOn(f), paceOn(f)
		books(t, first, 0)
		books(t, second, 1)
		f.fault = onPut(3, false, reply{err: lost()})
		isOvertaken(t, first, noon())
		books(t, first, 2)
	})
}

// TestPaceReadsAgainAfterAnUnknownOutcome: what was written is not overlooked, and nobody is called quicker.
func TestPaceReadsAgainAfterAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(dynamo.PaceSchema())
			p := paceOn(f)
			books(t, p, 0)
			f.fault = func(_ string, _ int, apply func() reply) reply {
				if late {
					apply()
				}
				return reply{err: lost()}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, err := p.Reserve(ctx, segment(), noon())
			cancel()
			checkFault(t, "Reserve without an answer", err, fault.Unknown)
			f.fault = nil
			if late {
				books(t, p, 2)
			} else {
				books(t, p, 1)
			}
			if f.calls["GetItem"] != 2 {
				t.Errorf("%d reads, want one before and one after", f.calls["GetItem"])
			}
		})
	}
}

// TestPaceRemembersThroughARefusal: what was refused has not changed the item, which need not be read again.
func TestPaceRemembersThroughARefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(dynamo.PaceSchema())
		p := paceOn(f)
		books(t, p, 0)
		f.fault = func(string, int, func() reply) reply {
			return refuse(http.StatusBadRequest, "ProvisionedThroughputExceededException")
		}
		_, err := p.Reserve(t.Context(), segment(), noon())
		checkFault(t, "Reserve while DynamoDB is throttled", err, fault.Throttled)
		f.fault = nil
		books(t, p, 1)
		if f.calls["GetItem"] != 1 {
			t.Errorf("%d reads, want 1", f.calls["GetItem"])
		}
	})
}

func TestFaultsOfAFirstBooking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(dynamo.PaceSchema())
		p := paceOn(f)
		f.fault = func(string, int, func() reply) reply { return reply{err: lost()} }
		_, err := p.Reserve(t.Context(), segment(), noon())
		checkFault(t, "Reserve without a read", err, fault.Transient)
		f.fault = nil
		books(t, p, 0)
	})
}

// TestPaceAfterExpiry: DynamoDB has forgotten the item, and another process began again. It has booked as often as
// before, but what the first remembers must not pass for it.
func TestPaceAfterExpiry(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.PaceSchema())
	first, second := paceOn(f), paceOn(f)
	books(t, first, 0)
	clear(f.items)
	later := noon().Add(48 * time.Hour)
	taken := map[time.Time]bool{}
	for range 3 {
		for _, p := range []*dynamo.Pace{second, first} {
			at, err := p.Reserve(t.Context(), segment(), later)
			if fault.Of(err).Kind == fault.Throttled {
				// It was overtaken, and knows better now.
				at, err = p.Reserve(t.Context(), segment(), later)
			}
			if err != nil || taken[at] || at.Before(later) {
				t.Errorf("booked %v, error %v; booked before: %v", at, err, taken)
			}
			taken[at] = true
		}
	}
}

// TestPaceItem shows an item as it is stored.
func TestPaceItem(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.PaceSchema())
	p := paceOn(f)
	books(t, p, 0)
	books(t, p, 1)
	stored := f.items[string(relaytest.TwilioNumber)]
	if writer := stored.text("Writer"); len(writer) < 20 {
		t.Errorf("Writer is %q, want something that no other process has", writer)
	}
	stored = maps.Clone(stored)
	delete(stored, "Writer")
	got, err := json.Marshal(stored)
	if err != nil {
		t.Fatal(err)
	}
	// Booked at noon. Both moments at noon and a second later; two seconds until the number is free; a minute more for slow clocks.
	want := `{"At":{"N":"1795521600000000000"},"ExpiresAt":{"N":"1795521692"},"Next":{"N":"1795521602000000000"},` +
		`"Pairs":{"M":{"+18585550122":{"L":[{"N":"1795521600000"},{"N":"1795521601000"}]}}},` +
		`"TwilioNumber":{"S":"+18585550100"},"Version":{"N":"1795521600001"}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

// TestUnreadablePace reads what someone wrote into the table by hand.
func TestUnreadablePace(t *testing.T) {
	t.Parallel()
	for name, attributes := range map[string]string{
		"no version":        `"Next":{"N":"1"}`,
		"an invalid time":   `"Version":{"N":"1"},"Next":{"S":"noon"}`,
		"an invalid moment": `"Version":{"N":"1"},"Pairs":{"M":{"+18585550122":{"L":[{"S":"+18585550122"}]}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(dynamo.PaceSchema())
			item := `{"TwilioNumber":{"S":"+18585550100"},` + attributes + `}`
			first, second := paceOn(f), paceOn(f)
			books(t, second, 0)
			f.store(t, item)
			for what, p := range map[string]*dynamo.Pace{"read": first, "learned": second} {
				_, err := p.Reserve(t.Context(), segment(), noon())
				checkFault(t, "Reserve, item "+what, err, fault.Fatal)
				if err != nil && (strings.Contains(err.Error(), "555") || !strings.Contains(err.Error(), "***0100 is unreadable")) {
					t.Errorf("error is %q", err)
				}
			}
			// Deleting the item repairs it.
			delete(f.items, string(relaytest.TwilioNumber))
			books(t, first, 0)
		})
	}
}

// TestPaceTakesTurns: while one booking is under way, another for the same number waits, as long as it may, and one for
// another number does not.
func TestPaceTakesTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(dynamo.PaceSchema())
		p := paceOn(f)
		hold := make(chan struct{})
		f.fault = func(operation string, n int, apply func() reply) reply {
			if operation == "PutItem" && n == 1 {
				f.mu.Unlock()
				defer f.mu.Lock()
				<-hold
			}
			return apply()
		}
		go func() { _, _ = p.Reserve(t.Context(), segment(), noon()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := p.Reserve(ctx, segment(), noon())
		checkFault(t, "Reserve while another has the turn", err, fault.Transient)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the deadline's", err)
		}
		other := segment()
		other.Number = relaytest.Fallback
		if at, err := p.Reserve(t.Context(), other, noon()); err != nil || !at.Equal(noon()) {
			t.Errorf("for another number %v, error %v; want noon", at, err)
		}
		close(hold)
		synctest.Wait()
		books(t, p, 1)
	})
}

// TestPaceOfManyProcesses: Lambda instances that share nothing but the table keep the pair's limit together.
func TestPaceOfManyProcesses(t *testing.T) {
	t.Parallel()
	const processes, each, n, per = 5, 8, 3, 10 * time.Second
	f := newFake(dynamo.PaceSchema())
	r := segment()
	r.Limits = pace.Limits{Pair: pace.Limit{N: n, Per: per}}
	booked := make(chan time.Time, processes*each)
	for range processes {
		p := paceOn(f)
		for range each {
			go func() {
				at, err := p.Reserve(t.Context(), r, noon())
				for fault.Of(err).Kind == fault.Throttled {
					at, err = p.Reserve(t.Context(), r, noon())
				}
				if err != nil {
					t.Errorf("Reserve: %v", err)
				}
				booked <- at
			}()
		}
	}
	var moments []time.Time
	for range processes * each {
		moments = append(moments, <-booked)
	}
	slices.SortFunc(moments, time.Time.Compare)
	for i, at := range moments {
		// Without a limit of the number, n go at once, and n more after each span.
		if want := noon().Add(time.Duration(i/n) * per); !at.Equal(want) {
			t.Errorf("booking %d is for %v, want %v", i+1, at, want)
		}
	}
}
