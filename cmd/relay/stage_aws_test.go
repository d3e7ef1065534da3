//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/fake"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/testing/lambdahost"
	"quickdumpnow.com/smsrelay/testing/lambdahost/provision"
	"quickdumpnow.com/smsrelay/testing/lambdahost/template"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// awsStage is what template.yaml describes, in emulators: the tables, the queues and the log group, but no function. The
// test's environment leads the AWS SDK there, so that every command with --aws works on it.
type awsStage struct {
	t *testing.T
	// dynamoDB, sqs and other reach the emulators past the program, other CloudWatch Logs among the rest.
	dynamoDB, sqs, other aws.Config
	routing, ledger      string
	queue, auditLogGroup string
	mediaBucket          string
	// environment is what the program finds in its own. More may be set.
	environment map[string]string
}

// newAWSStage makes the stack, and takes it away with the test. Without the emulators the test is skipped.
func newAWSStage(t *testing.T) *awsStage {
	t.Helper()
	mark := "cmd-" + strings.ToLower(rand.Text()[:10])
	s := &awsStage{
		t: t, routing: mark + "-routing", ledger: mark + "-ledger", queue: mark, auditLogGroup: "/" + mark + "/audit",
		dynamoDB: awsclient.New(relaytest.Emulator(t, relaytest.EmulatorDynamoDB)),
		sqs:      awsclient.New(relaytest.Emulator(t, relaytest.EmulatorSQS)),
		other:    awsclient.New(relaytest.Emulator(t, relaytest.EmulatorMoto)),
	}
	s.environment = map[string]string{
		cli.EnvRoutingTable: s.routing, cli.EnvLedgerTable: s.ledger, cli.EnvQueue: s.queue, cli.EnvAuditLogGroup: s.auditLogGroup,
		cli.EnvConversationsTable: mark + "-conversations",
	}
	s.leadThere()
	s.create(mark)
	return s
}

// leadThere sets what the SDK reads, and hides the settings of the user who runs the test.
func (s *awsStage) leadThere() {
	nobody := filepath.Join(s.t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": *s.dynamoDB.BaseEndpoint, "AWS_ENDPOINT_URL_SQS": *s.sqs.BaseEndpoint,
		"AWS_ENDPOINT_URL": *s.other.BaseEndpoint,
		"AWS_REGION":       s.dynamoDB.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "",
		"AWS_PROFILE":     "",
		"AWS_CONFIG_FILE": nobody, "AWS_SHARED_CREDENTIALS_FILE": nobody, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		s.t.Setenv(name, value)
	}
}

// create makes the stack with the template's defaults but for the names.
func (s *awsStage) create(mark string) {
	text, err := os.ReadFile(filepath.Join("..", "..", "template.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	const secret = "arn:aws:secretsmanager:us-east-1:" + lambdahost.AccountID + ":secret:fake-AbCdEf"
	parsed, err := template.Parse(text, map[string]any{
		"TwilioAccountSid": fake.AccountSid, "TwilioAuthTokenSecretArn": secret, "TwilioApiKeySecretArn": secret,
		"QueueName": s.queue, "RoutingTableName": s.routing, "LedgerTableName": s.ledger, "PaceTableName": mark + "-pace",
		"ConversationsTableName": mark + "-conversations",
		"AuditLogGroupName":      s.auditLogGroup,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	stack, err := provision.Create(s.t.Context(), parsed, provision.Account{
		ID: lambdahost.AccountID, Region: s.dynamoDB.Region, StackName: mark, APIEndpoint: "https://relay.invalid",
		DynamoDB: s.dynamoDB, SQS: s.sqs, Other: s.other,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.mediaBucket, _ = stack.Physical("MediaBucket", "")
	s.t.Cleanup(func() {
		if err := stack.Delete(context.WithoutCancel(s.t.Context())); err != nil {
			s.t.Error(err)
		}
	})
}

// relay runs a command line of the program with --aws.
func (s *awsStage) relay(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	return s.run(append(args, "--aws")...)
}

// run runs a command line of the program.
func (s *awsStage) run(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	var out, trouble bytes.Buffer
	p := program{cli.Program{Stdout: &out, Stderr: &trouble, Lookup: func(name string) (string, bool) {
		value, ok := s.environment[name]
		return value, ok
	}}}
	code = p.run(s.t.Context(), args)
	return code, out.String(), trouble.String()
}
