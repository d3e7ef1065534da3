package cloudwatch_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// TestKeepsAll draws lines that the log accepts: every call must be legal, and every line kept once.
func TestKeepsAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := newFakeLogs()
		lines := f.lines(t, -time.Hour, 13*24*time.Hour)
		if err := f.log().Append(t.Context(), lines); err != nil {
			t.Fatalf("Append: %v", err)
		}
		want := map[string]int{}
		for _, l := range lines {
			want[name(l)]++
		}
		if held := f.holds(); !maps.Equal(want, held) {
			t.Errorf("lines held (-want +got):\n%.2000s", cmp.Diff(want, held))
		}
	})
}

// TestKeptIsRight draws lines, some of which the log refuses, and calls that fail, half of them after they took effect: what
// the error says is kept must be, and without a failed call the next line must not be.
func TestKeptIsRight(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := newFakeLogs()
		f.streams["instance"] = nil
		f.retention = rapid.SampledFrom([]time.Duration{24 * time.Hour, 365 * 24 * time.Hour}).Draw(t, "retention")
		lines := f.lines(t, -26*time.Hour, 15*24*time.Hour)
		failing := rapid.IntRange(0, 4).Draw(t, "failing call")
		fail := func(n int) error {
			if n == failing {
				return &types.ServiceUnavailableException{}
			}
			return nil
		}
		if rapid.Bool().Draw(t, "after all") {
			f.after = fail
		} else {
			f.before = fail
		}
		err := f.log().Append(t.Context(), lines)
		kept := len(lines)
		if err != nil {
			incomplete, ok := errors.AsType[*auditlog.IncompleteError](err)
			if !ok {
				t.Fatalf("error %v, want an *IncompleteError", err)
			}
			kept = incomplete.Kept
		}
		held := f.holds()
		for i, l := range lines[:kept] {
			if held[name(l)] == 0 {
				t.Fatalf("line %d of %d said to be kept is not", i, kept)
			}
		}
		if err != nil && (failing == 0 || f.n < failing) && held[name(lines[kept])] > 0 {
			t.Fatalf("line %d said to be missing is kept", kept)
		}
	})
}

func TestChunks(t *testing.T) {
	t.Parallel()
	const most = 1_048_576 - 26
	f := newFakeLogs()
	repeat := func(n int, age time.Duration, size int) (lines []auditlog.Line) {
		for i := range n {
			lines = append(lines, f.line(i, age, size))
		}
		return lines
	}
	tests := []struct {
		name  string
		lines []auditlog.Line
		want  []int
	}{
		{"none", nil, nil},
		{"one", repeat(1, 0, 1), []int{1}},
		{"as many as fit", repeat(10_000, 0, 50), []int{10_000}},
		{"one more", repeat(10_001, 0, 50), []int{10_000, 1}},
		{"as long as fits", repeat(1, 0, most), []int{1}},
		{"two that fill a call", repeat(2, 0, most/2-13), []int{2}},
		{"two that overfill it", repeat(2, 0, most/2-12), []int{1, 1}},
		{"24 hours", []auditlog.Line{f.line(0, 24*time.Hour, 1), f.line(1, 0, 1)}, []int{2}},
		{"a millisecond more", []auditlog.Line{f.line(0, 24*time.Hour+time.Millisecond, 1), f.line(1, 0, 1)}, []int{1, 1}},
		{"backwards", []auditlog.Line{f.line(0, 0, 1), f.line(1, 24*time.Hour, 1), f.line(2, 25*time.Hour, 1)}, []int{2, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeLogs()
			if err := f.log().Append(t.Context(), tt.lines); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, f.puts); diff != "" {
				t.Errorf("lines of each call (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIncomplete(t *testing.T) {
	t.Parallel()
	const hour, day = time.Hour, 24 * time.Hour
	f := newFakeLogs()
	ages := func(ages ...time.Duration) (lines []auditlog.Line) {
		for i, age := range ages {
			lines = append(lines, f.line(i, age, 1))
		}
		return lines
	}
	tests := []struct {
		name  string
		lines []auditlog.Line
		kept  int
		kind  fault.Kind
		text  string
	}{
		{"the oldest is last", ages(0, 0, 15*day), 2, fault.Permanent, "too old for the log"},
		{"the oldest is first", ages(15*day, 0, 0), 0, fault.Permanent, "too old for the log"},
		{"the newest is last", ages(0, hour, -3*hour), 2, fault.Permanent, "too far in the future"},
		{"the newest is first", ages(-3*hour, hour, 0), 0, fault.Permanent, "too far in the future"},
		{"in the middle of a call", ages(0, hour, -3*hour, 2*hour, -4*hour), 2, fault.Permanent, "too far in the future"},
		{"in the second call", ages(0, 30*hour, 30*hour, -3*hour), 3, fault.Permanent, "too far in the future"},
		{"an empty line", append(ages(0, 0), auditlog.Line{Time: f.now}), 2, fault.Permanent, "an empty line"},
		{"a line too long", append(ages(0, 0, 0), f.line(9, 0, 1_048_551)), 3, fault.Permanent, "1048551 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := newFakeLogs().log().Append(t.Context(), tt.lines)
			incomplete, ok := errors.AsType[*auditlog.IncompleteError](err)
			if !ok {
				t.Fatalf("error %v, want an *IncompleteError", err)
			}
			if incomplete.Kept != tt.kept || fault.Of(err).Kind != tt.kind || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%d kept, %v: %v; want %d, %v: %s", incomplete.Kept, fault.Of(err).Kind, err, tt.kept, tt.kind, tt.text)
			}
		})
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	f := newFakeLogs()
	l := f.log()
	put := func(i int) {
		t.Helper()
		if err := l.Append(t.Context(), []auditlog.Line{f.line(i, 0, 1)}); err != nil {
			t.Fatal(err)
		}
	}
	put(1)
	put(2)
	if calls := f.n; calls != 3 {
		t.Errorf("%d calls for two lines and a new stream, want 3", calls)
	}
	delete(f.streams, "instance")
	put(3)
	if got := len(f.streams["instance"]); got != 1 {
		t.Errorf("%d lines in the new stream, want 1", got)
	}
}

// TestStreamMadeByAnother finds the stream missing, and then there.
func TestStreamMadeByAnother(t *testing.T) {
	t.Parallel()
	f := newFakeLogs()
	f.before = func(n int) error {
		if n > 1 {
			return nil
		}
		f.streams["instance"] = nil
		return &types.ResourceNotFoundException{}
	}
	if err := f.log().Append(t.Context(), []auditlog.Line{f.line(1, 0, 1)}); err != nil {
		t.Error(err)
	}
}

func TestFaultKinds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"no group", &types.ResourceNotFoundException{}, fault.Fatal},
		{"throttled", &types.ThrottlingException{}, fault.Throttled},
		{"denied", &types.AccessDeniedException{}, fault.Fatal},
		{"credentials unknown", &types.UnrecognizedClientException{}, fault.Fatal},
		{"refused", &types.InvalidParameterException{}, fault.Permanent},
		{"unavailable", &types.ServiceUnavailableException{}, fault.Unknown},
		{"lost", context.DeadlineExceeded, fault.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeLogs()
			f.before = func(int) error { return tt.err }
			err := f.log().Append(t.Context(), []auditlog.Line{f.line(1, 0, 1)})
			if got := fault.Of(err); got.Kind != tt.want {
				t.Errorf("kind %v, want %v: %v", got.Kind, tt.want, err)
			}
		})
	}
}

// TestBytesThatAreNoText counts a byte that is sent as three.
func TestBytesThatAreNoText(t *testing.T) {
	t.Parallel()
	f := newFakeLogs()
	lines := []auditlog.Line{{Time: f.now, Text: slices.Repeat([]byte("x\xff"), 200_000)}, f.line(1, 0, 400_000)}
	if err := f.log().Append(t.Context(), lines); err != nil {
		t.Error(err)
	}
}

func BenchmarkAppend(b *testing.B) {
	f := newFakeLogs()
	var lines []auditlog.Line
	for i := range 100 {
		lines = append(lines, f.line(i, time.Duration(i*37%100)*time.Second, 300))
	}
	l := f.log()
	for b.Loop() {
		f.streams["instance"], f.puts = nil, nil
		if err := l.Append(b.Context(), lines); err != nil {
			b.Fatal(err)
		}
	}
}
