package dynamo_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestDescribe reads off moto what a table is like: DynamoDB Local knows nothing of backups.
func TestDescribe(t *testing.T) {
	t.Parallel()
	config := awsclient.New(relaytest.Emulator(t, relaytest.EmulatorMoto))
	e := emulator{config: config, client: sdk.NewFromConfig(config)}
	name := e.createTable(t, dynamo.LedgerSchema())
	got, err := dynamo.Describe(t.Context(), config, name)
	if err != nil {
		t.Fatal(err)
	}
	if got.StreamARN == "" {
		t.Error("no stream")
	}
	stream := got.StreamARN
	plain := dynamo.Description{
		Key: "MessageSid", Indexes: []string{"ByCustomer", "ByStateDay", "ByTwilioNumber"},
		StreamViewType: "NEW_AND_OLD_IMAGES", StreamARN: stream,
	}
	if diff := cmp.Diff(plain, got); diff != "" {
		t.Errorf("as it was made (-want +got):\n%s", diff)
	}
	if backed, err := dynamo.BackedUp(t.Context(), config, name); err != nil || backed {
		t.Errorf("as it was made it is backed up: %v, %v", backed, err)
	}
	_, err = e.client.UpdateTimeToLive(t.Context(), &sdk.UpdateTimeToLiveInput{
		TableName: &name, TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String("ExpiresAt"),
			Enabled:       aws.Bool(true),
		},
	})
	if err == nil {
		_, err = e.client.UpdateContinuousBackups(t.Context(), &sdk.UpdateContinuousBackupsInput{
			TableName: &name, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	plain.TTLAttribute = "ExpiresAt"
	got, err = dynamo.Describe(t.Context(), config, name)
	if diff := cmp.Diff(plain, got); err != nil || diff != "" {
		t.Errorf("once it was set up: %v (-want +got):\n%s", err, diff)
	}
	if backed, err := dynamo.BackedUp(t.Context(), config, name); err != nil || !backed {
		t.Errorf("once it was set up it is backed up: %v, %v", backed, err)
	}
	_, err = dynamo.Describe(t.Context(), config, "no-such-table")
	checkFault(t, "Describe without a table", err, fault.Fatal)
}
