package cloudwatch_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// fakeSearch is a log group that is searched as the documentation describes FilterLogEvents: a stretch of its lines for a page,
// whether they match or not, and a token while there is more.
type fakeSearch struct {
	at    time.Time
	lines []string
	// stretch is how many lines a page goes through, pause how long it takes.
	stretch int
	pause   time.Duration
	// fail, if not nil, may fail the nth page.
	fail  func(n int) error
	pages int
}

func (f *fakeSearch) FilterLogEvents(ctx context.Context, in *sdk.FilterLogEventsInput,
	_ ...func(*sdk.Options),
) (*sdk.FilterLogEventsOutput, error) {
	f.pages++
	if f.fail != nil {
		if err := f.fail(f.pages); err != nil {
			return nil, err
		}
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(f.pause):
	}
	word, err := strconv.Unquote(*in.FilterPattern)
	if err != nil || *in.LogGroupName != "audit" || in.LogStreamNames != nil {
		return nil, fmt.Errorf("pattern %s in %s: %w", *in.FilterPattern, *in.LogGroupName, err)
	}
	first, _ := strconv.Atoi(aws.ToString(in.NextToken))
	last := min(first+f.stretch, len(f.lines))
	out := &sdk.FilterLogEventsOutput{}
	for _, line := range f.lines[first:last] {
		if at := f.at.UnixMilli(); strings.Contains(line, word) && at >= *in.StartTime && at <= *in.EndTime {
			out.Events = append(out.Events, types.FilteredLogEvent{Message: aws.String(line)})
		}
	}
	if last < len(f.lines) {
		out.NextToken = aws.String(strconv.Itoa(last))
	}
	return out, nil
}

// newSearch returns a group whose every tenth line is one of the first text.
func newSearch(count, stretch int) *fakeSearch {
	f := &fakeSearch{at: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), stretch: stretch}
	for i := range count {
		sid := relaytest.MessageSid(1)
		if i%10 > 0 {
			sid = relaytest.MessageSid(1 + i)
		}
		f.lines = append(f.lines, fmt.Sprintf(`{"id":"%s.%d","message_sid":%q}`, sid, i, sid))
	}
	return f
}

// find returns how many entries of the first text are found.
func (f *fakeSearch) find(t *testing.T) (int, error) {
	t.Helper()
	entries, err := cloudwatch.NewTrailOn(f, "audit").Find(t.Context(), relaytest.MessageSid(1), f.at, f.at)
	for _, entry := range entries {
		if entry.MessageSid != relaytest.MessageSid(1) {
			t.Errorf("found %+v", entry)
		}
	}
	return len(entries), err
}

// TestTrailPages: empty pages are gone through, and the pages have an end.
func TestTrailPages(t *testing.T) {
	for _, tt := range []struct{ lines, stretch, found, pages int }{
		{0, 10, 0, 1},
		{9, 10, 1, 1},
		{100, 1000, 10, 1},
		{100, 10, 10, 10},
		{100, 5, 10, 20},
		{cloudwatch.SearchPages * 10, 10, cloudwatch.SearchPages, cloudwatch.SearchPages},
		{cloudwatch.SearchPages*10 + 1, 10, cloudwatch.SearchPages, cloudwatch.SearchPages},
	} {
		f := newSearch(tt.lines, tt.stretch)
		got, err := f.find(t)
		if diff := cmp.Diff([]int{tt.found, tt.pages}, []int{got, f.pages}); diff != "" || err != nil {
			t.Errorf("%+v: found and pages (-want +got):\n%s%v", tt, diff, err)
		}
	}
}

// TestTrailThatTakesLong ends with what it has; one that its caller ends is an error.
func TestTrailThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newSearch(100, 10)
		f.pause = 3 * time.Second
		start := time.Now()
		got, err := f.find(t)
		if got != 2 || err != nil || time.Since(start) != cloudwatch.SearchTimeout {
			t.Errorf("found %d, %v, after %v", got, err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := cloudwatch.NewTrailOn(newSearch(1, 1), "other").Find(ctx, relaytest.MessageSid(1), f.at, f.at); err == nil {
			t.Error("a search that failed returned no error")
		}
		f.pages = 0
		if _, err := cloudwatch.NewTrailOn(f, "audit").Find(ctx, relaytest.MessageSid(1), f.at, f.at); err == nil || f.pages != 1 {
			t.Errorf("a search that was ended by its caller: %v after %d pages", err, f.pages)
		}
	})
}

// TestTrailThatFails: half a trail is not returned.
func TestTrailThatFails(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		kind fault.Kind
	}{
		"throttled": {&types.ThrottlingException{}, fault.Throttled},
		"no group":  {&types.ResourceNotFoundException{}, fault.Fatal},
		"no answer": {errors.New("connection reset"), fault.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			f := newSearch(100, 10)
			f.fail = func(n int) error {
				if n < 3 {
					return nil
				}
				return tt.err
			}
			if got, err := f.find(t); got != 0 || fault.Of(err).Kind != tt.kind {
				t.Errorf("found %d, error %v of kind %v, want %v", got, err, fault.Of(err).Kind, tt.kind)
			}
		})
	}
}
