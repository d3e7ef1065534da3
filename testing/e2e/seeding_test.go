//go:build unix

package e2e

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	seedFile = `{"routes":[{"TwilioNumber":"+18585550100","DestinationCarrier":"+16195550123","FallbackCarriers":["+16195550124"],` +
		`"Active":true,"LastUpdated":"2026-11-01T08:00:00Z"}]}`
	brokenSeed = `{"routes":[{"TwilioNumber":"+18585550100","DestinationCarrier":"nobody","Active":true,` +
		`"LastUpdated":"2026-11-01T08:00:00Z"}]}`
)

// seedBucket makes a bucket that keeps versions, puts files there under the same key, one after the other, and returns the versions'
// ids.
func seedBucket(t *testing.T, key string, files ...string) (bucket string, versions []string) {
	t.Helper()
	bucket = "seed-" + strings.ToLower(rand.Text())
	client := s3.NewFromConfig(awsclient.New(relaytest.Emulator(t, relaytest.EmulatorMoto)), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	_, err := client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		out, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(file)})
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, aws.ToString(out.VersionId))
	}
	return bucket, versions
}

// TestSeeding deploys a stack whose parameters name a maintenance.json: its routes are there before the first text, and the
// function used all that it may do, and tried nothing else.
func TestSeeding(t *testing.T) {
	for name, byVersion := range map[string]bool{"the latest": false, "a version": true} {
		t.Run(name, func(t *testing.T) {
			files := []string{seedFile}
			if byVersion {
				files = append(files, brokenSeed) // It is the latest, and must not be read.
			}
			bucket, versions := seedBucket(t, "routes/maintenance.json", files...)
			parameters := map[string]any{"SeedBucket": bucket, "SeedKey": "routes/maintenance.json"}
			if byVersion {
				parameters["SeedByVersionId"], parameters["SeedVersion"] = "true", versions[0]
			}
			s := newStage(t, parameters, nil)
			routes, err := dynamo.NewRoutes(s.host.Direct("dynamodb"), s.host.Name("RoutingTable")).Lookup(t.Context(), number)
			if err != nil {
				t.Fatal(err)
			}
			seeded := routes[number]
			if diff := cmp.Diff([]sms.PhoneNumber{phone, fallback},
				append([]sms.PhoneNumber{seeded.DestinationCarrier}, seeded.FallbackCarriers...)); diff != "" {
				t.Errorf("phones of the seeded route (-want +got):\n%s", diff)
			}
			s.await(s.mustText(customer(1), number, "is anybody there?"), patience, ledger.Delivered)
			s.checkSeedingPermissions()
		})
	}
}

// checkSeedingPermissions wants the seeding's permissions used, and no call of anyone refused.
func (s *stage) checkSeedingPermissions() {
	s.t.Helper()
	for _, denied := range s.host.Recorder().Denied() {
		s.t.Errorf("%s may not %s with %s", denied.Principal, denied.Action, denied.Resource)
	}
	may := 0
	s.until("the function's log is shipped", patience, func() bool {
		may = 0
		for _, p := range s.host.Recorder().Unused() {
			if strings.Contains(p.Principal, "SEEDROUTES") {
				may++
			}
		}
		return may == 0
	})
}

// TestSeedingOfABrokenFile does not come up, and CloudFormation hears which field is wrong.
func TestSeedingOfABrokenFile(t *testing.T) {
	bucket, _ := seedBucket(t, "maintenance.json", brokenSeed)
	_, err := startStage(t, map[string]any{"SeedBucket": bucket}, nil)
	if err == nil || !strings.Contains(err.Error(), "SeedRoutes: create: the answer is FAILED") ||
		!strings.Contains(err.Error(), "DestinationCarrier") {
		t.Errorf("the stack came up, or nobody heard why not: %v", err)
	}
}
