package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// deployed is a log group, a ledger's table and a conversations' table as a deployment makes them, in the emulator.
type deployed struct {
	t      *testing.T
	name   string
	tables *dynamodb.Client
	ledger *dynamo.Ledger
	talks  *dynamo.Conversations
	log    *cloudwatch.Log
}

func newDeployed(t *testing.T) *deployed {
	t.Helper()
	emulator := relaytest.Emulator(t, relaytest.EmulatorMoto)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": emulator.Endpoint, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": emulator.Region,
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	cfg := awsclient.New(emulator)
	d := &deployed{t: t, name: "audit-" + rand.Text(), tables: dynamodb.NewFromConfig(cfg)}
	logs := cloudwatchlogs.NewFromConfig(cfg)
	if _, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &d.name}); err != nil {
		t.Fatal(err)
	}
	keep := &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: &d.name, RetentionInDays: aws.Int32(7)}
	if _, err := logs.PutRetentionPolicy(t.Context(), keep); err != nil {
		t.Fatal(err)
	}
	d.makeTable(d.name, dynamo.LedgerSchema())
	d.makeTable(d.conversationsTable(), dynamo.ConversationsSchema())
	d.ledger = dynamo.NewLedger(cfg, dynamo.LedgerConfig{Table: d.name, Now: time.Now})
	d.talks = dynamo.NewConversations(cfg, d.conversationsTable())
	d.log = cloudwatch.New(cfg, cloudwatch.Config{Group: d.name, Stream: "instance"})
	return d
}

func (d *deployed) conversationsTable() string { return d.name + "-conversations" }

// makeTable makes a table with the keys of the schema, and without its indexes.
func (d *deployed) makeTable(name string, schema dynamo.TableSchema) {
	d.t.Helper()
	input := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest}
	for i, key := range []string{schema.Key, schema.SortKey} {
		if key == "" {
			continue
		}
		input.AttributeDefinitions = append(input.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: &key, AttributeType: types.ScalarAttributeTypeS})
		input.KeySchema = append(input.KeySchema,
			types.KeySchemaElement{AttributeName: &key, KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]})
	}
	if _, err := d.tables.CreateTable(d.t.Context(), input); err != nil {
		d.t.Fatal(err)
	}
}

// talk takes a conversation through STOP and START, and of the first told changes into the log.
func (d *deployed) talk(at time.Time, told int) (conversation.Conversation, auditlog.Line) {
	d.t.Helper()
	var before conversation.Conversation
	var line auditlog.Line
	for i, keyword := range []sms.Keyword{{Type: sms.OptOutStop, Word: "STOP"}, {Type: sms.OptOutStart, Word: "START"}} {
		wanted := before
		wanted.TwilioNumber, wanted.Customer = relaytest.TwilioNumber, relaytest.Customer
		wanted, _, _ = wanted.Hear(keyword, relaytest.MessageSid(i+1), at)
		after, err := auditlog.PutConversation(d.t.Context(), d.talks, before, wanted, at)
		if err != nil {
			d.t.Fatal(err)
		}
		old, change := &before, auditlog.ChangeChanged
		if i == 0 {
			old, change = nil, auditlog.ChangeCreated
		}
		entry, err := auditlog.ConversationEntry(old, &after, change, auditlog.Seen{At: at})
		if err != nil {
			d.t.Fatal(err)
		}
		if line, err = entry.Line(); err != nil {
			d.t.Fatal(err)
		}
		if i < told {
			if err := d.log.Append(d.t.Context(), []auditlog.Line{line}); err != nil {
				d.t.Fatal(err)
			}
		}
		before = after
	}
	return before, line
}

// live takes a text through its life, and of the first told changes into the log.
func (d *deployed) live(n int, noon time.Time, told int) ledger.Record {
	d.t.Helper()
	var before ledger.Record
	for i, after := range storyLife(n, noon) {
		after.Version = before.Version
		after, err := auditlog.Seal(before, after)
		if err != nil {
			d.t.Fatal(err)
		}
		stored, change, old := ledger.Record{}, auditlog.ChangeChanged, &before
		if before.Version == 0 {
			stored, err = d.ledger.Create(d.t.Context(), after)
			change, old = auditlog.ChangeCreated, nil
		} else {
			stored, err = d.ledger.Update(d.t.Context(), after)
		}
		if err != nil {
			d.t.Fatal(err)
		}
		if i < told {
			d.tell(old, &stored, change)
		}
		before = stored
	}
	return before
}

// tell writes a change into the log, as the audit function does.
func (d *deployed) tell(before, after *ledger.Record, change string) {
	d.t.Helper()
	entry, err := auditlog.MessageEntry(before, after, change, auditlog.Seen{At: time.Now()})
	if err != nil {
		d.t.Fatal(err)
	}
	line, err := entry.Line()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.log.Append(d.t.Context(), []auditlog.Line{line}); err != nil {
		d.t.Fatal(err)
	}
}

// relay runs a verb of relay audit on it.
func (d *deployed) relay(args ...string) (code int, out, trouble string) {
	d.t.Helper()
	var stdout, stderr bytes.Buffer
	p := program{cli.Program{Stdout: &stdout, Stderr: &stderr, Lookup: func(string) (string, bool) { return "", false }}}
	code = p.run(d.t.Context(), append(append([]string{"audit"}, args...), "--aws", "--audit-log-group", d.name))
	return code, stdout.String(), stderr.String()
}

// verify wants an exit code, and a text in the report.
func (d *deployed) verify(code int, want string, args ...string) {
	d.t.Helper()
	tables := []string{"verify", "--ledger-table", d.name, "--conversations-table", d.conversationsTable()}
	got, out, trouble := d.relay(append(tables, args...)...)
	if got != code || !strings.Contains(out+trouble, want) {
		d.t.Errorf("verify %v: exit code %d, want %d and %q:\n%s%s", args, got, code, want, out, trouble)
	}
}

// TestAuditOnAWS reads the log from CloudWatch Logs and the ledger from DynamoDB, as emulators have them.
func TestAuditOnAWS(t *testing.T) {
	d := newDeployed(t)
	hourAgo := time.Now().Add(-time.Hour).Truncate(time.Minute)
	first := d.live(1, hourAgo, 3)
	second := d.live(2, hourAgo, 2)
	d.verify(cli.ExitDone, "5 entries, 2 texts")
	d.verify(cli.ExitDone, "3 entries, 1 texts", "--message", first.MessageSid)
	d.verify(cli.ExitDone, `"heads":true,"problems":{}`, "--json", "--since", "3h")
	if code, out, trouble := d.relay("trace", first.MessageSid); code != cli.ExitDone || strings.Count(out, "***0122") != 3 {
		t.Errorf("trace: exit code %d\n%s%s", code, out, trouble)
	}
	if code, out, trouble := d.relay("export", "--format", "jsonl", "--since", "3h"); code != cli.ExitDone || strings.Count(out, "\n") != 5 {
		t.Errorf("export: exit code %d\n%s%s", code, out, trouble)
	}

	// A change of just now may still be on its way into the log; one of an hour ago is missing.
	d.live(3, time.Now().Add(-3*time.Minute-10*time.Second), 2)
	d.verify(cli.ExitDone, "pending", "--grace", "5m")
	d.verify(cli.ExitFound, relaytest.MessageSid(3)+": version 3 is missing at the end", "--grace", "1s")
	d.verify(cli.ExitDone, "No entry is missing", "--message", second.MessageSid)

	// So is the removal of a record, until the log has an entry about it.
	key := map[string]types.AttributeValue{dynamo.LedgerSchema().Key: &types.AttributeValueMemberS{Value: second.MessageSid}}
	if _, err := d.tables.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &d.name, Key: key}); err != nil {
		t.Fatal(err)
	}
	d.verify(cli.ExitFound, second.MessageSid+": the ledger has no record of it", "--message", second.MessageSid, "--grace", "1s")
	d.tell(&second, nil, auditlog.ChangeExpired)
	d.verify(cli.ExitDone, "3 entries, 1 texts", "--message", second.MessageSid)
}

// TestAuditOfConversationsOnAWS reads the conversations' table, which has phones, too.
func TestAuditOfConversationsOnAWS(t *testing.T) {
	d := newDeployed(t)
	hourAgo := time.Now().Add(-time.Hour).Truncate(time.Minute)
	phone := conversation.Phone{PhoneKey: conversation.PhoneKey{TwilioNumber: relaytest.TwilioNumber, Phone: relaytest.Destination}}
	if _, err := d.talks.PutPhone(t.Context(), phone); err != nil {
		t.Fatal(err)
	}
	c, last := d.talk(hourAgo, 1)
	chain := auditlog.ChainOf(c.ID)
	d.verify(cli.ExitFound, chain+": version 2 is missing at the end")
	if err := d.log.Append(t.Context(), []auditlog.Line{last}); err != nil {
		t.Fatal(err)
	}
	d.verify(cli.ExitDone, "2 entries, 0 texts, 1 conversations")
	d.verify(cli.ExitDone, "2 entries, 0 texts, 1 conversations", "--conversation", c.ID)
	for _, args := range [][]string{
		{"trace", c.ID},
		{"trace", "--customer", string(c.Customer), "--number", string(c.TwilioNumber), "--conversations-table", d.conversationsTable()},
	} {
		if code, out, trouble := d.relay(args...); code != cli.ExitDone || strings.Count(out, "ed: opt out") != 2 {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, trouble)
		}
	}
	// Something other than the relay removes the conversation, and the log does not have that.
	key := map[string]types.AttributeValue{
		"TwilioNumber": &types.AttributeValueMemberS{Value: string(c.TwilioNumber)},
		"Item":         &types.AttributeValueMemberS{Value: conversation.Item(c.Customer)},
	}
	removal := &dynamodb.DeleteItemInput{TableName: aws.String(d.conversationsTable()), Key: key}
	if _, err := d.tables.DeleteItem(t.Context(), removal); err != nil {
		t.Fatal(err)
	}
	d.verify(cli.ExitFound, chain+": the conversations' table has no record of it", "--grace", "1s")
}

// TestAuditOnAWSThatIsNotThere gives advice.
func TestAuditOnAWSThatIsNotThere(t *testing.T) {
	d := newDeployed(t)
	group := d.name
	d.name = "another-" + group
	d.verify(cli.ExitFailed, "there is no log group "+d.name)
	d.verify(cli.ExitFailed, "hint: check that --aws-profile and --aws-region belong to the stack")
	d.name = group
	code, out, trouble := d.relay("verify", "--ledger-table", "another-"+group, "--conversations-table", d.conversationsTable())
	if code != cli.ExitFailed || !strings.Contains(trouble, "ResourceNotFoundException") || !strings.Contains(trouble, "hint: ") {
		t.Errorf("without the table: exit code %d\n%s%s", code, out, trouble)
	}
}

// TestRouteHistoryOnAWS finds the changes of a route in CloudWatch Logs, and those of no other.
func TestRouteHistoryOnAWS(t *testing.T) {
	d := newDeployed(t)
	d.live(1, time.Now().Add(-time.Hour), 3)
	var lines []auditlog.Line
	for n, phone := range []string{"***0122", "***0123"} {
		entry := auditlog.Entry{
			ID: fmt.Sprintf("route:***0100.%d@%d", n+1, n+1), Time: time.Now().Add(time.Duration(n-2) * time.Hour).UTC(),
			Subject: auditlog.SubjectRoute,
			Change:  auditlog.ChangeChanged, Version: int64(n + 1), TwilioNumber: "***0100", Actor: "ann",
			Before: &auditlog.Route{DestinationCarrier: "***0121", Active: true}, After: &auditlog.Route{DestinationCarrier: phone, Active: true},
		}
		line, err := entry.Line()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := d.log.Append(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"***0123":         {},
		"went to ***0122": {"--at", "90m"},
		"went to ***0121": {"--at", "3h"},
		"went to ***0123": {"--at", "1m"},
	} {
		var stdout, stderr bytes.Buffer
		p := program{cli.Program{Stdout: &stdout, Stderr: &stderr, Lookup: func(string) (string, bool) { return "", false }}}
		code := p.run(t.Context(), append([]string{"route", "history", "+18585550100", "--aws", "--audit-log-group", d.name}, args...))
		if code != cli.ExitDone || !strings.Contains(stdout.String(), want) {
			t.Errorf("%v: exit code %d, want %q\n%s%s", args, code, want, stdout.String(), stderr.String())
		}
	}
}
