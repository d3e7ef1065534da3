//go:build unix

package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
)

// wants runs a command line on the stage, and wants its exit code and a text in what it says.
func (s *awsStage) wants(code int, want string, args ...string) {
	s.t.Helper()
	if got, out, trouble := s.relay(args...); got != code || !strings.Contains(out+trouble, want) {
		s.t.Errorf("relay %s: exit code %d, want %d and %q\n%s%s", strings.Join(args, " "), got, code, want, out, trouble)
	}
}

// TestRoutesOnAWS works on the routing table of a deployed relay.
func TestRoutesOnAWS(t *testing.T) {
	s := newAWSStage(t)
	s.environment[cli.EnvOperator] = "anna"
	const number = "+18585550100"
	s.wants(cli.ExitDone, "There are no routes", "route", "ls")
	s.wants(cli.ExitDone, "added, version 1 by anna", "route", "set", number, "--to", "+16195550123", "--fallback", "+16195550124",
		"--max-age", "2h")
	s.wants(cli.ExitDone, "MaxAge=2h", "route", "get", number)
	s.wants(cli.ExitDone, "changed, version 2 by anna", "route", "set", number, "--to", "(619) 555-0125")
	s.wants(cli.ExitFailed, "route of "+number+" has version 2, not 1: anna wrote it at", "route", "off", number, "--version", "1")
	s.wants(cli.ExitDone, `"waiting":{"texts":0,"unseen":0,"sent_on":true}`, "route", "off", number, "--version", "2", "--json")
	s.wants(cli.ExitDone, `"field":"OffSince"`, "route", "off", number, "--drop-waiting", "--json")
	s.wants(cli.ExitDone, "changed, version 5", "route", "on", number)
	empty := writeMaintenance(t, t.TempDir(), `{"routes":[]}`)
	s.wants(cli.ExitUsage, "--prune would remove all routes", "route", "import", empty, "--prune")
	other := writeMaintenance(t, t.TempDir(), `{"routes":[{"TwilioNumber":"+18585550101","DestinationCarrier":"+16195550123","Active":true}]}`)
	s.wants(cli.ExitDone, "1 removed. Nothing was changed", "route", "import", other, "--prune", "--dry-run")
	s.wants(cli.ExitDone, "removed, version 6", "route", "rm", number)
	s.wants(cli.ExitDone, "1 route removed, see --all.", "route", "ls")
	s.wants(cli.ExitDone, "removed", "route", "ls", "--all")
	s.wants(cli.ExitDone, "0 problems, 0 warnings", "route", "check")
	found, err := dynamo.NewRoutes(s.dynamoDB, s.routing).Lookup(t.Context(), number)
	if r := found[number]; err != nil || r.Version != 6 || r.OffSince.IsZero() || r.UpdatedBy != "anna" || r.Active || !r.IsRemoved() {
		t.Errorf("stored %+v, error %v", r, err)
	}
	s.environment[cli.EnvQueue] = "of-nobody"
	s.wants(cli.ExitFailed, "hint: check that --aws-profile", "route", "ls")
}

// TestRouteWrittenByHandOnAWS has no version: it can be changed all the same, and has one then.
func TestRouteWrittenByHandOnAWS(t *testing.T) {
	s := newAWSStage(t)
	const number = "+18585550100"
	_, err := dynamodb.NewFromConfig(s.dynamoDB).PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: &s.routing, Item: map[string]types.AttributeValue{
			"TwilioNumber":       &types.AttributeValueMemberS{Value: number},
			"DestinationCarrier": &types.AttributeValueMemberS{Value: "+16195550123"},
			"Active":             &types.AttributeValueMemberBOOL{Value: true},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.wants(cli.ExitDone, "active       yes", "route", "get", number)
	s.wants(cli.ExitFailed, "has version 0, not 1", "route", "set", number, "--to", "+16195550124", "--version", "1")
	s.wants(cli.ExitDone, "changed, version 1", "route", "set", number, "--to", "+16195550124", "--version", "0")
	s.wants(cli.ExitDone, "changed, version 2", "route", "set", number, "--to", "+16195550125")
	s.wants(cli.ExitDone, "unchanged, version 2", "route", "on", number)
}
