package cloudwatch_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
)

// fakeLogs is CloudWatch Logs with one log group, as its documentation describes PutLogEvents: it refuses a call that is
// out of bounds and rejects the events of a good one that are too old or too new.
type fakeLogs struct {
	now       time.Time
	retention time.Duration
	group     string
	streams   map[string][]types.InputLogEvent
	// before and after, if not nil, may fail the nth PutLogEvents before it takes effect, or after.
	before func(n int) error
	after  func(n int) error
	// puts are the sizes of the calls that were answered.
	puts []int
	n    int
}

func newFakeLogs() *fakeLogs {
	return &fakeLogs{
		now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), retention: 365 * 24 * time.Hour,
		group: "audit", streams: map[string][]types.InputLogEvent{},
	}
}

func (f *fakeLogs) log() *cloudwatch.Log {
	return cloudwatch.NewOn(f, cloudwatch.Config{Group: "audit", Stream: "instance"})
}

func (f *fakeLogs) CreateLogStream(_ context.Context, in *sdk.CreateLogStreamInput,
	_ ...func(*sdk.Options),
) (*sdk.CreateLogStreamOutput, error) {
	if *in.LogGroupName != f.group {
		return nil, &types.ResourceNotFoundException{Message: aws.String("The specified log group does not exist.")}
	}
	if _, ok := f.streams[*in.LogStreamName]; ok {
		return nil, &types.ResourceAlreadyExistsException{}
	}
	f.streams[*in.LogStreamName] = nil
	return &sdk.CreateLogStreamOutput{}, nil
}

func (f *fakeLogs) PutLogEvents(_ context.Context, in *sdk.PutLogEventsInput, _ ...func(*sdk.Options)) (*sdk.PutLogEventsOutput, error) {
	f.n++
	if f.before != nil {
		if err := f.before(f.n); err != nil {
			return nil, err
		}
	}
	stream, ok := f.streams[*in.LogStreamName]
	if !ok || *in.LogGroupName != f.group {
		return nil, &types.ResourceNotFoundException{}
	}
	if problem := f.illegal(in.LogEvents); problem != "" {
		return nil, &types.InvalidParameterException{Message: &problem}
	}
	kept, rejected := f.sift(in.LogEvents)
	f.streams[*in.LogStreamName] = append(stream, kept...)
	f.puts = append(f.puts, len(in.LogEvents))
	if f.after != nil {
		if err := f.after(f.n); err != nil {
			return nil, err
		}
	}
	return &sdk.PutLogEventsOutput{RejectedLogEventsInfo: rejected}, nil
}

// illegal says which bound a call breaks.
func (f *fakeLogs) illegal(events []types.InputLogEvent) string {
	size, oldest, newest := 0, int64(-1), int64(-1)
	for i, e := range events {
		size += len(*e.Message) + 26
		if *e.Message == "" {
			return "an event is empty"
		}
		if i > 0 && *e.Timestamp < *events[i-1].Timestamp {
			return "not in chronological order"
		}
		if f.old(e) || f.young(e) {
			continue
		}
		if oldest < 0 {
			oldest = *e.Timestamp
		}
		newest = *e.Timestamp
	}
	switch {
	case len(events) == 0 || len(events) > 10_000:
		return fmt.Sprintf("%d events", len(events))
	case size > 1_048_576:
		return fmt.Sprintf("%d bytes", size)
	case newest-oldest > (24 * time.Hour).Milliseconds():
		return "more than 24 hours"
	default:
		return ""
	}
}

func (f *fakeLogs) old(e types.InputLogEvent) bool {
	return *e.Timestamp < f.now.Add(-14*24*time.Hour).UnixMilli() || f.expired(e)
}

func (f *fakeLogs) expired(e types.InputLogEvent) bool {
	return *e.Timestamp < f.now.Add(-f.retention).UnixMilli()
}

func (f *fakeLogs) young(e types.InputLogEvent) bool {
	return *e.Timestamp > f.now.Add(2*time.Hour).UnixMilli()
}

// sift parts the events of a legal call in those kept and those rejected.
func (f *fakeLogs) sift(events []types.InputLogEvent) ([]types.InputLogEvent, *types.RejectedLogEventsInfo) {
	var info types.RejectedLogEventsInfo
	from, to := 0, len(events)
	for i, e := range events {
		switch {
		case f.expired(e):
			from = i + 1
			info.ExpiredLogEventEndIndex = aws.Int32(int32(from))
		case f.old(e):
			from = i + 1
			info.TooOldLogEventEndIndex = aws.Int32(int32(from))
		}
		if f.young(e) && to == len(events) {
			to = i
			info.TooNewLogEventStartIndex = aws.Int32(int32(i))
		}
	}
	if from == 0 && to == len(events) {
		return events, nil
	}
	return events[from:to], &info
}

// holds counts the lines that the log holds.
func (f *fakeLogs) holds() map[string]int {
	count := map[string]int{}
	for _, events := range f.streams {
		for _, e := range events {
			count[nameOf(*e.Timestamp, (*e.Message)[:min(20, len(*e.Message))], len(*e.Message))]++
		}
	}
	return count
}

// name tells lines apart: by their time, their beginning and their length.
func name(l auditlog.Line) string {
	return nameOf(l.Time.UnixMilli(), string(l.Text[:min(20, len(l.Text))]), len(l.Text))
}

func nameOf(at int64, beginning string, size int) string {
	return fmt.Sprint(at, " ", beginning, " ", size)
}

// padding is what lines are made long with.
var padding = bytes.Repeat([]byte("x"), 1<<21)

// line is a line of that age and of at least size bytes.
func (f *fakeLogs) line(i int, age time.Duration, size int) auditlog.Line {
	text := fmt.Sprintf(`{"id":%d}`, i)
	return auditlog.Line{Time: f.now.Add(-age), Text: append([]byte(text), padding[:max(0, size-len(text))]...)}
}

// lines draws lines in no order, of all sizes that matter and between the two ages, a few of them many.
func (f *fakeLogs) lines(t *rapid.T, youngest, oldest time.Duration) []auditlog.Line {
	var lines []auditlog.Line
	for range rapid.IntRange(0, 5).Draw(t, "stretches") {
		size := rapid.SampledFrom([]int{1, 90, 5_000, 400_000, 1_048_550}).Draw(t, "size")
		count := rapid.IntRange(1, min(8_000, 2_500_000/size)).Draw(t, "count")
		age := time.Duration(rapid.Int64Range(int64(youngest), int64(oldest)).Draw(t, "age"))
		step := rapid.SampledFrom([]time.Duration{0, time.Microsecond, time.Second, -time.Second}).Draw(t, "step")
		for i := range count {
			at := min(max(age+time.Duration(i)*step, youngest), oldest)
			lines = append(lines, f.line(len(lines), at, size))
		}
	}
	return lines
}
