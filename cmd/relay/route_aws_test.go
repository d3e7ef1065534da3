package main

import (
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/dynamo"
	"quickdumpnow.com/smsrelay/shared/relaytest"
)

// TestRoutesOnAWS works on the routing table of a deployed relay.
func TestRoutesOnAWS(t *testing.T) {
	s := newAWSStage(t)
	if code, out, trouble := s.relay("route", "ls"); code != exitDone || !strings.Contains(out, "There are no routes") {
		t.Errorf("without routes: exit code %d\n%s%s", code, out, trouble)
	}
	stored, err := dynamo.NewRoutes(s.dynamoDB, s.routing).Put(t.Context(), relaytest.Route())
	if err != nil {
		t.Fatal(err)
	}
	if code, out, trouble := s.relay("route", "ls"); code != exitDone || !strings.Contains(out, string(stored.TwilioNumber)) {
		t.Errorf("with one route: exit code %d\n%s%s", code, out, trouble)
	}
	s.environment[envQueue] = "of-nobody"
	if code, _, trouble := s.relay("route", "ls"); code != exitFailed || !strings.Contains(trouble, "hint: see that --aws-profile") {
		t.Errorf("with a queue of nobody: exit code %d\n%s", code, trouble)
	}
}
