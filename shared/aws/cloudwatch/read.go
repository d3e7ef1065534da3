package cloudwatch

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// The service lets an account read a few pages a second, and searches for a while before it answers.
const (
	readTimeout    = 30 * time.Second
	readAttempts   = 8
	readMaxBackoff = 5 * time.Second
)

// reading is the part of the SDK's client that a Reader uses.
type reading interface {
	FilterLogEvents(context.Context, *sdk.FilterLogEventsInput, ...func(*sdk.Options)) (*sdk.FilterLogEventsOutput, error)
	DescribeLogGroups(context.Context, *sdk.DescribeLogGroupsInput, ...func(*sdk.Options)) (*sdk.DescribeLogGroupsOutput, error)
}

// Reader reads a log group back, all its streams together. It is for operators' tools: no function reads the log.
type Reader struct {
	client reading
	group  string
}

// NewReader returns a reader of the log group of that name.
func NewReader(cfg aws.Config, group string) *Reader {
	client := sdk.NewFromConfig(cfg, func(o *sdk.Options) {
		o.APIOptions = append(o.APIOptions, awsclient.AttemptTimeout(readTimeout))
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) { r.MaxAttempts, r.MaxBackoff = readAttempts, readMaxBackoff })
	})
	return &Reader{client: client, group: group}
}

// Query says which lines to read. Zero fields do not restrict.
type Query struct {
	// From and Until bound the lines' times, both ends included.
	From, Until time.Time
	// Containing is a word that a line has to hold.
	Containing string
}

// Read calls visit for each line, roughly in order of time, and stops at visit's first error, which it returns as it is. Other
// errors are *fault.Error.
func (r *Reader) Read(ctx context.Context, q Query, visit func(auditlog.Line) error) error {
	input := &sdk.FilterLogEventsInput{LogGroupName: &r.group, StartTime: millis(q.From), EndTime: millis(q.Until)}
	if q.Containing != "" {
		input.FilterPattern = aws.String(strconv.Quote(q.Containing))
	}
	for {
		// A page may be empty and still have a next one.
		page, err := r.client.FilterLogEvents(ctx, input)
		if err != nil {
			return logsFault("FilterLogEvents", false, err)
		}
		for _, event := range page.Events {
			line := auditlog.Line{Time: time.UnixMilli(aws.ToInt64(event.Timestamp)).UTC(), Text: []byte(aws.ToString(event.Message))}
			if err := visit(line); err != nil {
				return err
			}
		}
		if aws.ToString(page.NextToken) == "" {
			return nil
		}
		input.NextToken = page.NextToken
	}
}

// millis returns a bound as the service has it; nil means no bound.
func millis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return aws.Int64(t.UnixMilli())
}

// Retention returns for how long the group keeps its lines; 0 is for ever. A group that is not there is a fatal fault.
func (r *Reader) Retention(ctx context.Context) (time.Duration, error) {
	input := &sdk.DescribeLogGroupsInput{LogGroupNamePrefix: &r.group}
	for {
		page, err := r.client.DescribeLogGroups(ctx, input)
		if err != nil {
			return 0, logsFault("DescribeLogGroups", false, err)
		}
		for _, group := range page.LogGroups {
			if aws.ToString(group.LogGroupName) == r.group {
				return time.Duration(aws.ToInt32(group.RetentionInDays)) * 24 * time.Hour, nil
			}
		}
		if aws.ToString(page.NextToken) == "" {
			return 0, &fault.Error{Kind: fault.Fatal, Err: fmt.Errorf("there is no log group %s", r.group)}
		}
		input.NextToken = page.NextToken
	}
}
