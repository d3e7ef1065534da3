package seeding_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	dynamosdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	s3sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"quickdumpnow.com/smsrelay/functions/seed-routes/seeding"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/s3"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// emulators are moto's S3 with a bucket, and DynamoDB Local with a routing table.
type emulators struct {
	config aws.Config
	client *s3sdk.Client
	bucket string
	table  route.Table
}

func newEmulators(t *testing.T) emulators {
	t.Helper()
	e := emulators{config: awsclient.New(relaytest.Emulator(t, relaytest.EmulatorMoto)), bucket: "seed-" + strings.ToLower(rand.Text())}
	e.client = s3sdk.NewFromConfig(e.config, func(o *s3sdk.Options) { o.UsePathStyle = true })
	if _, err := e.client.CreateBucket(t.Context(), &s3sdk.CreateBucketInput{Bucket: &e.bucket}); err != nil {
		t.Fatal(err)
	}
	config := awsclient.New(relaytest.Emulator(t, relaytest.EmulatorDynamoDB))
	name, key := "test-"+rand.Text(), dynamo.RoutesSchema().Key
	_, err := dynamosdk.NewFromConfig(config).CreateTable(t.Context(), &dynamosdk.CreateTableInput{
		TableName: &name, BillingMode: dynamotypes.BillingModePayPerRequest,
		KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: &key, KeyType: dynamotypes.KeyTypeHash}},
		AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: &key, AttributeType: dynamotypes.ScalarAttributeTypeS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.table = dynamo.NewRoutes(config, name)
	return e
}

// put puts an object and returns its version's id, if the bucket keeps versions.
func (e emulators) put(t *testing.T, key, text string) string {
	t.Helper()
	out, err := e.client.PutObject(t.Context(), &s3sdk.PutObjectInput{Bucket: &e.bucket, Key: &key, Body: bytes.NewReader([]byte(text))})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.VersionId)
}

// stack is CloudFormation before a function that is wired as main.go does it.
func (e emulators) stack(t *testing.T) *stack {
	t.Helper()
	return newStack(t, seeding.Config{
		Routes: e.table,
		Read: func(ctx context.Context, o seeding.Object, limit int64) ([]byte, error) {
			return s3.New(e.config, o.Bucket).Get(ctx, o.Key, o.VersionID, limit)
		},
	})
}

// at names a file of the bucket.
func (e emulators) at(key, version string) map[string]any {
	properties := at(key, version)
	properties["Bucket"] = e.bucket
	return properties
}

// TestLifeOfAStackOnEmulators is TestLifeOfAStack with S3 and DynamoDB behind it.
func TestLifeOfAStackOnEmulators(t *testing.T) {
	t.Parallel()
	e := newEmulators(t)
	for key, text := range files() {
		e.put(t, key, text)
	}
	life(t, e.stack(t), e.table, e.at)
}

// TestOneKeyOnEmulators overwrites the file in place, in a bucket that keeps versions. By their ids a rollback reads the file
// that was deployed; without them it reads the wrong one again.
func TestOneKeyOnEmulators(t *testing.T) {
	t.Parallel()
	e := newEmulators(t)
	_, err := e.client.PutBucketVersioning(t.Context(), &s3sdk.PutBucketVersioningInput{
		Bucket: &e.bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	const key = "maintenance.json"
	byID := func(id string) map[string]any {
		properties := e.at(key, id)
		properties["VersionId"] = id
		return properties
	}
	s := e.stack(t)
	good := e.put(t, key, files()["one"])
	s.deploys(byID(good), "CREATE_COMPLETE", "2", "0")
	edit(t, e.table, "+18585550100", "+18585550144", noon.Add(-time.Hour/2))
	after := []string{"+18585550100 to +18585550144, version 2 by anna", "+18585550101 to +18585550122, version 1 by seed"}
	wrong := e.put(t, key, files()["wrong"])
	s.deploys(byID(wrong), "UPDATE_ROLLBACK_COMPLETE", "", "")
	wants(t, e.table, after...)
	s.deploys(e.at(key, "3"), "UPDATE_ROLLBACK_COMPLETE", "", "")
	s.deploys(byID("no-such-version"), "UPDATE_ROLLBACK_COMPLETE", "", "")
	e.put(t, key, files()["two"])
	s.deploys(e.at(key, "4"), "UPDATE_COMPLETE", "2", "1")
	after = []string{after[0], "+18585550101 to +18585550133, version 2 by seed", "+18585550102 to +18585550122, version 1 by seed"}
	wants(t, e.table, after...)
	e.put(t, key, files()["wrong"])
	s.deploys(e.at(key, "5"), "UPDATE_ROLLBACK_FAILED", "", "")
	wants(t, e.table, after...)
}

// TestBucketThatIsGoneOnEmulators fails a deployment, and holds up no deletion.
func TestBucketThatIsGoneOnEmulators(t *testing.T) {
	t.Parallel()
	e := newEmulators(t)
	e.put(t, "one", files()["one"])
	s := e.stack(t)
	s.deploys(e.at("one", "1"), "CREATE_COMPLETE", "2", "0")
	one := "one"
	if _, err := e.client.DeleteObject(t.Context(), &s3sdk.DeleteObjectInput{Bucket: &e.bucket, Key: &one}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.client.DeleteBucket(t.Context(), &s3sdk.DeleteBucketInput{Bucket: &e.bucket}); err != nil {
		t.Fatal(err)
	}
	s.deploys(e.at("one", "2"), "UPDATE_ROLLBACK_FAILED", "", "")
	if status := s.remove("DELETE"); status != "DELETE_COMPLETE" {
		t.Error(status)
	}
	wants(t, e.table, "+18585550100 to +18585550122, version 1 by seed", "+18585550101 to +18585550122, version 1 by seed")
}
