package seeding_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"

	"quickdumpnow.com/smsrelay/functions/seed-routes/seeding"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// reasonOf returns what CloudFormation is told about a file.
func reasonOf(t *testing.T, text string) string {
	t.Helper()
	b := &bucket{objects: map[seeding.Object]string{{Bucket: "seed-000000000000", Key: "maintenance-20261126.json"}: text}}
	table := &relaytest.MemoryRoutes{}
	s := newStack(t, seeding.Config{Read: b.read, Routes: table})
	answer := s.ask(cfn.RequestCreate, map[string]any{"Bucket": "seed-000000000000", "Key": "maintenance-20261126.json"}, nil)
	wants(t, table)
	return answer.Reason
}

// TestReason: every kind of mistake in a file fails the deployment, with its place, and without a number.
func TestReason(t *testing.T) {
	t.Parallel()
	const frame = "s3://seed-000000000000/maintenance-20261126.json is not right, and nothing was put:\n"
	const notE164 = "is not E.164: want a plus sign, country code and number, such as "
	tests := []struct{ name, file, want string }{
		{"not E.164", file(entry("01", "22 ", morning)), `routes[0]: DestinationCarrier "***0122 " ` + notE164 + "***0122"},
		{
			"not E.164, in another way", `{"routes":[{"TwilioNumber":"(858) 555-0101","DestinationCarrier":"+18585550122","Active":true}]}`,
			`routes[0]: TwilioNumber "(***0101" ` + notE164 + "***0101",
		},
		{"twice", file(entry("01", "22", morning), entry("01", "33", morning)), "routes[1]: TwilioNumber ***0101 is already in routes[0]"},
		{"round in a circle", file(entry("01", "02", morning), entry("02", "01", morning)), "routes[0]: hop ***0102 is itself routed in " +
			"routes[1]: texts would go round in a loop\nroutes[1]: hop ***0101 is itself routed in routes[0]: texts would go round in a loop"},
		{"to itself", file(entry("01", "01", morning)), "routes[0]: hop ***0101 is the Twilio number itself: texts would go round in a loop"},
		{
			"no date", file(entry("01", "22", "yesterday")),
			`routes[0]: LastUpdated "yesterday" is not an RFC 3339 time such as 2026-11-24T08:00:00Z`,
		},
		{"unknown field", `{"routes":[{"Twilio":"+18585550101"}]}`, `routes[0]: line 1: unknown field "Twilio"`},
		{
			"a long name", `{"routes":[{"` + strings.Repeat("ä", 300) + `":1}]}`,
			`routes[0]: line 1: unknown field "` + strings.Repeat("ä", 103) + "…",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := reasonOf(t, tt.file); got != frame+tt.want {
				t.Errorf("reason %q\nwant   %q", got, frame+tt.want)
			}
		})
	}
}

// TestReasonIsBounded: the first problems are told, and how many more there are.
func TestReasonIsBounded(t *testing.T) {
	t.Parallel()
	var routes []string
	for i := range 100 {
		routes = append(routes, entry(fmt.Sprintf("%02d", i), "x", morning))
	}
	got := strings.Split(reasonOf(t, file(routes...)), "\n")
	told := len(got) - 2
	if last := got[len(got)-1]; told < 10 || last != fmt.Sprintf("and %d more", 100-told) {
		t.Errorf("%d problems told, then %q", told, last)
	}
	for i, line := range got[1 : told+1] {
		if !strings.HasPrefix(line, fmt.Sprintf("routes[%d]: ", i)) {
			t.Errorf("line %d is %q", i, line)
		}
	}
}

// TestReasonOfARefusal keeps what has to be fixed.
func TestReasonOfARefusal(t *testing.T) {
	t.Parallel()
	const said = "not authorized: arn:aws:sts::000000000000:assumed-role/r on arn:aws:s3:::seed-000000000000/m.json"
	read := (&bucket{faults: []error{&fault.Error{
		Kind: fault.Fatal, HTTPStatus: http.StatusBadRequest,
		Err: fmt.Errorf("S3 GetObject: %s", said),
	}}}).read
	s := newStack(t, seeding.Config{Read: read, Routes: &relaytest.MemoryRoutes{}})
	answer := s.ask(cfn.RequestCreate, at("one", "1"), nil)
	if !strings.HasSuffix(answer.Reason, said) {
		t.Errorf("reason %q, want the end %q", answer.Reason, said)
	}
}
