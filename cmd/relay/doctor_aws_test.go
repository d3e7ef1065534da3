//go:build unix

package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/doctor"
	"quickdumpnow.com/smsrelay/cmd/relay/fake"
)

// TestDoctorOnAWS examines what the template makes, in emulators. They have no functions, and moto does not know the protocol in
// which the SDK asks about alarms: both are found.
func TestDoctorOnAWS(t *testing.T) {
	s := newAWSStage(t)
	_, twilioURL := newFake(t, nil)
	s.environment[cli.EnvTwilioBaseURL] = twilioURL
	s.environment[doctor.EnvAuthTokenSecret], s.environment[doctor.EnvAPIKeySecretID] = s.queue+"-token", "none"
	results := s.doctor(cli.ExitFound)
	want := map[string]doctor.Status{
		// ElasticMQ does not say that its queues are encrypted.
		"relay-open": doctor.OK, "queue-settings": doctor.Warn, "dead-letter-queue": doctor.OK, "redrive-policy": doctor.OK,
		"timer-queue": doctor.OK,
		"table-keys":  doctor.OK, "table-streams": doctor.OK, "ledger-ttl": doctor.OK, "dead-letters": doctor.OK, "uncertain": doctor.OK,
		"routes-active": doctor.Fail, "event-source-mappings": doctor.Fail, "secrets-shape": doctor.Fail, "alarm-subscribers": doctor.Fail,
		"twilio-credentials": doctor.Skipped, "public-url": doctor.Skipped,
	}
	for name, status := range want {
		if got := results[name]; got.Status != status {
			t.Errorf("%s: %s: %s, want %s", name, got.Status, got.Found, status)
		}
	}
	s.secret(s.queue+"-token", `{"accountSid":"`+fake.AccountSid+`","authToken":"`+fake.AuthToken+`"}`)
	results = s.doctor(cli.ExitFound)
	for name, status := range map[string]doctor.Status{
		"secrets-shape": doctor.OK, "secrets-age": doctor.OK, "twilio-credentials": doctor.OK,
		"auth-token": doctor.OK,
	} {
		if got := results[name]; got.Status != status {
			t.Errorf("with a secret, %s: %s: %s, want %s", name, got.Status, got.Found, status)
		}
	}
	if got := results["disk-space"]; got.Name != "" {
		t.Errorf("a check of one host was made: %+v", got)
	}
}

// doctor examines the stage, and expects that exit code.
func (s *awsStage) doctor(want int) map[string]doctor.Result {
	s.t.Helper()
	code, stdout, stderr := s.relay("doctor", "--json")
	var results []doctor.Result
	if err := json.Unmarshal([]byte(stdout), &results); err != nil || code != want {
		s.t.Fatalf("exit code %d, want %d; %v\n%s\n%s", code, want, err, stdout, stderr)
	}
	if strings.Contains(stdout, fake.AuthToken) || slices.Contains(strings.Fields(stdout), string(testNumber)) {
		s.t.Errorf("a secret or a number is shown:\n%s", stdout)
	}
	byName := map[string]doctor.Result{}
	for _, r := range results {
		byName[r.Name] = r
	}
	return byName
}

// secret makes a secret.
func (s *awsStage) secret(name, text string) {
	s.t.Helper()
	_, err := secretsmanager.NewFromConfig(s.other).CreateSecret(s.t.Context(),
		&secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String(text)})
	if err != nil {
		s.t.Fatal(err)
	}
}
