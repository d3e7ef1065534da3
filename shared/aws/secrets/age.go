package secrets

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
)

// ChangedAt returns when a secret, by name or ARN, was given its newest value. It is for operators' tools. Errors are
// *fault.Error, a Fatal one if there is no such secret.
func ChangedAt(ctx context.Context, cfg aws.Config, secret string) (time.Time, error) {
	out, err := sdk.NewFromConfig(cfg).DescribeSecret(ctx, &sdk.DescribeSecretInput{SecretId: &secret})
	if err != nil {
		return time.Time{}, awsclient.Call{Name: "Secrets Manager DescribeSecret", Kind: kindOfCode}.Fault(err)
	}
	if out.LastChangedDate != nil {
		return *out.LastChangedDate, nil
	}
	return aws.ToTime(out.CreatedDate), nil
}
