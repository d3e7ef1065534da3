package cloudwatch_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
	"quickdumpnow.com/smsrelay/testing/relaytest"
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

// lines reads the whole group back, with a Reader: so the suite is one for the Reader, too.
func (e emulator) lines(t *testing.T, c cloudwatch.Config) []auditlog.Line {
	t.Helper()
	var lines []auditlog.Line
	err := cloudwatch.NewReader(e.config, c.Group).Read(t.Context(), cloudwatch.Query{}, func(line auditlog.Line) error {
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// TestReaderOnEmulator reads what is asked for, and no more.
func TestReaderOnEmulator(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	group := e.createGroup(t)
	noon := time.Now().Add(-time.Hour).Truncate(time.Minute)
	for i, stream := range []string{"one", "another"} {
		var lines []auditlog.Line
		for n := range 3 {
			text := fmt.Sprintf(`{"message_sid":"SM%d%d"}`, i, n)
			lines = append(lines, auditlog.Line{Time: noon.Add(time.Duration(n) * time.Second), Text: []byte(text)})
		}
		if err := cloudwatch.New(e.config, cloudwatch.Config{Group: group, Stream: stream}).Append(t.Context(), lines); err != nil {
			t.Fatal(err)
		}
	}
	reader := cloudwatch.NewReader(e.config, group)
	for name, tt := range map[string]struct {
		query cloudwatch.Query
		want  []string
	}{
		"all":       {cloudwatch.Query{}, []string{"SM00", "SM01", "SM02", "SM10", "SM11", "SM12"}},
		"from then": {cloudwatch.Query{From: noon.Add(2 * time.Second)}, []string{"SM02", "SM12"}},
		"until":     {cloudwatch.Query{Until: noon}, []string{"SM00", "SM10"}},
		"one text":  {cloudwatch.Query{Containing: "SM11"}, []string{"SM11"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := reader.Read(t.Context(), tt.query, func(line auditlog.Line) error {
				var entry auditlog.Entry
				err := json.Unmarshal(line.Text, &entry)
				got = append(got, entry.MessageSid)
				return err
			})
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("error %v, texts (-want +got):\n%s", err, diff)
			}
		})
	}
	enough := errors.New("enough")
	if err := reader.Read(t.Context(), cloudwatch.Query{}, func(auditlog.Line) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("error %v, want the visitor's", err)
	}
	if kept, err := reader.Retention(t.Context()); err != nil || kept != 0 {
		t.Errorf("kept for %v, error %v; want for ever", kept, err)
	}
	keep := &sdk.PutRetentionPolicyInput{LogGroupName: &group, RetentionInDays: aws.Int32(7)}
	if _, err := e.client.PutRetentionPolicy(t.Context(), keep); err != nil {
		t.Fatal(err)
	}
	if kept, err := reader.Retention(t.Context()); err != nil || kept != 7*24*time.Hour {
		t.Errorf("kept for %v, error %v; want 7 days", kept, err)
	}
	// Part of a name is no name.
	if _, err := cloudwatch.NewReader(e.config, group[:len(group)-1]).Retention(t.Context()); err == nil {
		t.Error("a group that is not there has a retention")
	}
}
