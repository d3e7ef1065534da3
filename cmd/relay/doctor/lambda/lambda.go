// Package lambda is the door to AWS Lambda, for operators' tools: which functions poll a queue or read a stream, and how many of
// them may run at once. The functions themselves do not use it.
package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// Mapping is one event source mapping.
type Mapping struct {
	// FunctionARN is the function that it calls.
	FunctionARN string
	// State is "Enabled", "Disabled" or a state in between; Reason says who changed it, LastResult what happened to the last batch.
	State, Reason, LastResult string
	// MaximumConcurrency is how many batches it may give to the function at once; 0 means no limit.
	MaximumConcurrency int
}

// Functions asks about functions.
type Functions struct{ client *sdk.Client }

// New returns Functions.
func New(cfg aws.Config) Functions { return Functions{sdk.NewFromConfig(cfg)} }

// Mappings returns the mappings of a queue or of a stream, by its ARN. Errors are *fault.Error.
func (f Functions) Mappings(ctx context.Context, source string) ([]Mapping, error) {
	var mappings []Mapping
	pages := sdk.NewListEventSourceMappingsPaginator(f.client, &sdk.ListEventSourceMappingsInput{EventSourceArn: &source})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsclient.Call{Name: "Lambda ListEventSourceMappings", Kind: kindOfCode}.Fault(err)
		}
		for _, m := range page.EventSourceMappings {
			mapping := Mapping{
				FunctionARN: aws.ToString(m.FunctionArn), State: aws.ToString(m.State),
				Reason: aws.ToString(m.StateTransitionReason), LastResult: aws.ToString(m.LastProcessingResult),
			}
			if scaling := m.ScalingConfig; scaling != nil {
				mapping.MaximumConcurrency = int(aws.ToInt32(scaling.MaximumConcurrency))
			}
			mappings = append(mappings, mapping)
		}
	}
	return mappings, nil
}

// Reserved returns how many of a function may run at once, and whether that is set at all. Errors are *fault.Error.
func (f Functions) Reserved(ctx context.Context, function string) (limit int, set bool, err error) {
	out, err := f.client.GetFunctionConcurrency(ctx, &sdk.GetFunctionConcurrencyInput{FunctionName: &function})
	if err != nil {
		return 0, false, awsclient.Call{Name: "Lambda GetFunctionConcurrency", Kind: kindOfCode}.Fault(err)
	}
	return int(aws.ToInt32(out.ReservedConcurrentExecutions)), out.ReservedConcurrentExecutions != nil, nil
}

// kindOfCode knows Lambda's own error codes.
func kindOfCode(code string) (kind fault.Kind, ok bool) {
	switch code {
	case "ResourceNotFoundException", "InvalidParameterValueException":
		return fault.Fatal, true
	case "TooManyRequestsException":
		return fault.Throttled, true
	default:
		return fault.Unknown, false
	}
}
