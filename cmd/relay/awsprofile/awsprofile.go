// Package awsprofile reaches AWS with the operator's own access: the profile, the region and the credentials that the AWS command line
// would use, including SSO and assumed roles. The Lambda functions never do this; see shared/aws/awsclient, whose time limits and
// retries also apply here.
package awsprofile

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
)

// ErrNoRegion means that neither the profile nor the environment names a region.
var ErrNoRegion = errors.New("no AWS region is set")

// Config says whose credentials to use. Its zero value means the environment and the default profile.
type Config struct {
	// Profile is the name of a profile in the shared configuration; empty is AWS_PROFILE, or the default one.
	Profile string
	// Region comes before the profile's, and before AWS_REGION.
	Region string
}

// Load returns the SDK's configuration for the doors in shared/. It does not call AWS yet: expired credentials fail at the first call.
// The error is ErrNoRegion, or says what is wrong with the profile.
func Load(ctx context.Context, c Config) (aws.Config, error) {
	var options []func(*config.LoadOptions) error
	if c.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(c.Profile))
	}
	if c.Region != "" {
		options = append(options, config.WithRegion(c.Region))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("read the AWS profile: %w", err)
	}
	if loaded.Region == "" {
		return aws.Config{}, ErrNoRegion
	}
	cfg := awsclient.New(awsclient.Config{Region: loaded.Region})
	cfg.Credentials = loaded.Credentials
	// The sources name other endpoints, AWS_ENDPOINT_URL_SQS for one.
	cfg.BaseEndpoint, cfg.ConfigSources = loaded.BaseEndpoint, loaded.ConfigSources
	return cfg, nil
}
