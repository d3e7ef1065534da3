package cloudwatch_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/awsclient"
	"quickdumpnow.com/smsrelay/shared/cloudwatch"
	"quickdumpnow.com/smsrelay/shared/relaytest"
)

// TestConformance runs the audit log's suite against an emulator of CloudWatch Logs.
func TestConformance(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	relaytest.TestAuditLog(t, func(t *testing.T) (auditlog.Log, func(t *testing.T) []auditlog.Line) {
		t.Helper()
		config := cloudwatch.Config{Group: e.createGroup(t), Stream: "instance"}
		kept := func(t *testing.T) []auditlog.Line {
			t.Helper()
			return e.lines(t, config)
		}
		return cloudwatch.New(e.config, config), kept
	})
}

// TestTrailConformance runs the trail's suite against it.
func TestTrailConformance(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	relaytest.TestTrail(t, func(t *testing.T) (auditlog.Log, auditlog.Trail) {
		t.Helper()
		config := cloudwatch.Config{Group: e.createGroup(t), Stream: "instance"}
		return cloudwatch.New(e.config, config), cloudwatch.NewTrail(e.config, config.Group)
	})
}

// emulator is an emulator of CloudWatch Logs.
type emulator struct {
	config aws.Config
	client *sdk.Client
}

// newEmulator returns the emulator that make test-aws started.
func newEmulator(t *testing.T) emulator {
	t.Helper()
	config := awsclient.New(relaytest.Emulator(t, relaytest.EmulatorMoto))
	return emulator{config: config, client: sdk.NewFromConfig(config)}
}

func (e emulator) createGroup(t *testing.T) string {
	t.Helper()
	name := "test-" + rand.Text()
	if _, err := e.client.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: &name}); err != nil {
		t.Fatalf("CreateLogGroup: %v", err)
	}
	return name
}

// lines reads all that the stream holds. A stream that was never written to is not there.
func (e emulator) lines(t *testing.T, c cloudwatch.Config) []auditlog.Line {
	t.Helper()
	input := &sdk.GetLogEventsInput{LogGroupName: &c.Group, LogStreamName: &c.Stream, StartFromHead: aws.Bool(true)}
	var lines []auditlog.Line
	for {
		out, err := e.client.GetLogEvents(t.Context(), input)
		if code, _ := awsclient.Code(err); code == "ResourceNotFoundException" {
			return nil
		}
		if err != nil {
			t.Fatalf("GetLogEvents: %v", err)
		}
		for _, event := range out.Events {
			lines = append(lines, auditlog.Line{Time: time.UnixMilli(*event.Timestamp), Text: []byte(*event.Message)})
		}
		if aws.ToString(out.NextForwardToken) == aws.ToString(input.NextToken) || len(out.Events) == 0 {
			return lines
		}
		input.NextToken = out.NextForwardToken
	}
}
