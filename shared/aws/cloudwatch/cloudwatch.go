// Package cloudwatch is the relay's door to CloudWatch Logs: the audit log, in the terms of shared/auditlog, kept by
// PutLogEvents in a log group of its own. A line printed to standard output would be in the log, too, but nobody would
// notice a lost one. A Trail finds the entries of one text again. The package makes no entries (functions/stream-audit
// does), creates no log group (template.yaml does) and writes no metrics.
package cloudwatch

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// api is the part of the SDK's client that a Log uses.
type api interface {
	PutLogEvents(context.Context, *sdk.PutLogEventsInput, ...func(*sdk.Options)) (*sdk.PutLogEventsOutput, error)
	CreateLogStream(context.Context, *sdk.CreateLogStreamInput, ...func(*sdk.Options)) (*sdk.CreateLogStreamOutput, error)
}

// Config says where the log is.
type Config struct {
	// Group is the log group, which must exist.
	Group string
	// Stream is the log stream, created when it is missing. Each function instance has one of its own.
	Stream string
}

var _ auditlog.Log = (*Log)(nil)

// Log is one log stream. It is safe for concurrent use.
type Log struct {
	client api
	config Config
}

// New returns the log that c names.
func New(cfg aws.Config, c Config) *Log {
	return newLog(sdk.NewFromConfig(cfg), c)
}

func newLog(client api, c Config) *Log { return &Log{client: client, config: c} }

// Append keeps the lines in as few calls as the service's bounds allow, one after the other, and stops at the first that did
// not keep all of its own. A call that seemed to fail may have kept its lines: then they are there twice.
func (l *Log) Append(ctx context.Context, lines []auditlog.Line) error {
	for kept := 0; kept < len(lines); {
		n, problem := fit(lines[kept:])
		if n == 0 {
			return &auditlog.IncompleteError{Kept: kept, Err: problem}
		}
		if surely, err := l.put(ctx, lines[kept:kept+n]); err != nil {
			return &auditlog.IncompleteError{Kept: kept + surely, Err: err}
		}
		kept += n
	}
	return nil
}

// put keeps the lines of one call. If it cannot keep them all, surely is how many, from the first, are certainly kept.
func (l *Log) put(ctx context.Context, lines []auditlog.Line) (surely int, err error) {
	chunk := sorted(lines)
	rejected, err := l.putEvents(ctx, chunk.events)
	if missing(err) {
		if err := l.createStream(ctx); err != nil {
			return 0, err
		}
		rejected, err = l.putEvents(ctx, chunk.events)
	}
	if err != nil {
		return 0, logsFault("PutLogEvents", true, err)
	}
	return chunk.firstOf(rejected)
}

func (l *Log) putEvents(ctx context.Context, events []types.InputLogEvent) (*types.RejectedLogEventsInfo, error) {
	out, err := l.client.PutLogEvents(ctx, &sdk.PutLogEventsInput{
		LogGroupName:  &l.config.Group,
		LogStreamName: &l.config.Stream,
		LogEvents:     events,
	})
	if err != nil {
		return nil, err
	}
	return out.RejectedLogEventsInfo, nil
}

// createStream creates the log stream, or finds that someone else just did.
func (l *Log) createStream(ctx context.Context) error {
	_, err := l.client.CreateLogStream(ctx, &sdk.CreateLogStreamInput{
		LogGroupName:  &l.config.Group,
		LogStreamName: &l.config.Stream,
	})
	if code, _ := awsclient.Code(err); err == nil || code == "ResourceAlreadyExistsException" {
		return nil
	}
	return logsFault("CreateLogStream", false, err)
}

// missing reports whether the stream, or its group, is not there.
func missing(err error) bool {
	code, _ := awsclient.Code(err)
	return code == "ResourceNotFoundException"
}

// logsFault classifies the failure of a call.
func logsFault(operation string, writes bool, err error) error {
	call := awsclient.Call{Name: "CloudWatch Logs " + operation, Writes: writes, Kind: kindOfCode}
	return call.Fault(err)
}

// kindOfCode knows CloudWatch Logs' own error codes.
func kindOfCode(code string) (kind fault.Kind, ok bool) {
	switch code {
	case "OperationAbortedException":
		return fault.Transient, true
	case "ServiceQuotaExceededException":
		return fault.Fatal, true
	default:
		return fault.Unknown, false
	}
}
