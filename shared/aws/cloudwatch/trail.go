package cloudwatch

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
)

// The bounds of a search: an operator waits for the answer, behind a gateway that gives up after 14 seconds.
const (
	searchTimeout = 8 * time.Second
	searchPages   = 25
	searchAttempt = 4 * time.Second
)

// searching is the part of the SDK's client that a Trail uses.
type searching interface {
	FilterLogEvents(context.Context, *sdk.FilterLogEventsInput, ...func(*sdk.Options)) (*sdk.FilterLogEventsOutput, error)
}

var _ auditlog.Trail = (*Trail)(nil)

// Trail finds a text's entries in a log group, in all its streams. It is safe for concurrent use.
type Trail struct {
	client searching
	group  string
}

// NewTrail returns the trail in the log group of that name.
func NewTrail(cfg aws.Config, group string) *Trail {
	return &Trail{group: group, client: sdk.NewFromConfig(cfg, func(o *sdk.Options) {
		o.APIOptions = append(o.APIOptions, awsclient.AttemptTimeout(searchAttempt))
	})}
}

// Find searches page by page; most pages are empty if there is a lot between the two times. When its time or its pages are
// used up, it returns what it has.
func (t *Trail) Find(ctx context.Context, messageSid string, from, to time.Time) ([]auditlog.Entry, error) {
	bounded, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	input := &sdk.FilterLogEventsInput{
		LogGroupName: &t.group, StartTime: aws.Int64(from.UnixMilli()), EndTime: aws.Int64(to.UnixMilli()),
		// A word in quotes is searched for as it is.
		FilterPattern: aws.String(strconv.Quote(messageSid)),
	}
	var entries []auditlog.Entry
	for range searchPages {
		page, err := t.client.FilterLogEvents(bounded, input)
		if bounded.Err() != nil && ctx.Err() == nil {
			return entries, nil
		}
		if err != nil {
			return nil, logsFault("FilterLogEvents", false, err)
		}
		for _, event := range page.Events {
			if entry, ok := auditlog.EntryOf(auditlog.Line{Text: []byte(aws.ToString(event.Message))}, messageSid); ok {
				entries = append(entries, entry)
			}
		}
		if aws.ToString(page.NextToken) == "" {
			break
		}
		input.NextToken = page.NextToken
	}
	return entries, nil
}
