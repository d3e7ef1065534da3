package cloudwatch

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// The limits of one PutLogEvents call. The service counts 26 bytes for each event in addition to its text, and refuses a call
// whose events are more than 24 hours apart.
const (
	maxEvents  = 10_000
	maxBytes   = 1_048_576
	eventBytes = 26
	maxSpan    = 24 * time.Hour
)

// fit returns how many lines, from the first, fit into one call. It is 0 if the first line is not possible, and problem says
// why.
func fit(lines []auditlog.Line) (n int, problem *fault.Error) {
	size, oldest, newest := 0, lines[0].Time.UnixMilli(), lines[0].Time.UnixMilli()
	for i, line := range lines {
		at := line.Time.UnixMilli()
		size += eventBytes + len(message(line))
		oldest, newest = min(oldest, at), max(newest, at)
		if i == maxEvents || size > maxBytes || newest-oldest > maxSpan.Milliseconds() || len(line.Text) == 0 {
			return i, &fault.Error{Kind: fault.Permanent, Err: misfit(line)}
		}
	}
	return len(lines), nil
}

// misfit says why this log cannot keep a line.
func misfit(line auditlog.Line) error {
	if len(line.Text) == 0 {
		return errors.New("an empty line cannot be logged")
	}
	return fmt.Errorf("a line of %d bytes cannot be logged, at most %d", len(line.Text), maxBytes-eventBytes)
}

// message returns the line's text as the service will count it.
func message(line auditlog.Line) string { return strings.ToValidUTF8(string(line.Text), "\uFFFD") }

// chunk is the lines of one call in order of time, as the service wants them.
type chunk struct {
	events []types.InputLogEvent
	// index holds, for each event, which of the lines it was.
	index []int
}

// sorted returns the lines as a chunk. Lines of the same time keep their order.
func sorted(lines []auditlog.Line) chunk {
	index := make([]int, len(lines))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int {
		return cmp.Compare(lines[a].Time.UnixMilli(), lines[b].Time.UnixMilli())
	})
	events := make([]types.InputLogEvent, len(lines))
	for i, line := range index {
		events[i] = types.InputLogEvent{
			Timestamp: aws.Int64(lines[line].Time.UnixMilli()),
			Message:   aws.String(message(lines[line])),
		}
	}
	return chunk{events: events, index: index}
}

// firstOf returns the first line, in the lines' own order, that the service rejected from a call that otherwise succeeded, and
// why; the error is nil if there is none.
func (c chunk) firstOf(rejected *types.RejectedLogEventsInfo) (first int, err error) {
	if rejected == nil {
		return 0, nil
	}
	// The events before old are too old, those from young on too new.
	old := max(endOf(rejected.TooOldLogEventEndIndex), endOf(rejected.ExpiredLogEventEndIndex))
	young := len(c.events)
	if rejected.TooNewLogEventStartIndex != nil {
		young = int(*rejected.TooNewLogEventStartIndex)
	}
	first = len(c.events)
	for i, line := range c.index {
		if line > first || (i >= old && i < young) {
			continue
		}
		first, err = line, tooNew()
		if i < old {
			err = tooOld()
		}
	}
	return first, err
}

// endOf returns the index after the last rejected event, 0 if there is none.
func endOf(index *int32) int { return int(aws.ToInt32(index)) }

// tooOld is the fault of a line that is too old for the log.
func tooOld() error {
	return &fault.Error{Kind: fault.Permanent, Err: errors.New("the line is too old for the log")}
}

// tooNew is the fault of a line whose time is more than two hours ahead. Nobody knows how far: someone wrote the time by hand,
// or a clock is wrong. Waiting for it would delay every line after it.
func tooNew() error {
	return &fault.Error{Kind: fault.Permanent, Err: errors.New("the line's time is too far in the future")}
}
