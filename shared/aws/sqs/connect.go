package sqs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
)

// Connect begins a connection to SQS, see [awsclient.Connect].
func Connect(ctx context.Context, cfg aws.Config) {
	no := false
	found, err := sdk.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, sdk.EndpointParameters{
		Region: &cfg.Region, Endpoint: cfg.BaseEndpoint, UseDualStack: &no, UseFIPS: &no,
	})
	if err == nil {
		awsclient.Connect(ctx, cfg, found.URI)
	}
}
