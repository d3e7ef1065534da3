// Package provision makes what template.yaml describes in emulators: tables in DynamoDB Local, queues in ElasticMQ, log
// groups and buckets in moto. It imitates the part of CloudFormation that the relay's end-to-end runs need, knows every
// type of resource that the template has, and refuses one that it does not know: a resource that is silently left out
// would be one that nobody tested.
package provision

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"quickdumpnow.com/smsrelay/testing/lambdahost/template"
)

// Account is where the emulators are, and the names they give things.
type Account struct {
	// ID and Region are those of all ARNs.
	ID     string
	Region string
	// StackName names the stack.
	StackName string
	// DynamoDB, SQS and Other are the clients' configurations: of DynamoDB and its streams, of SQS, of all other services.
	DynamoDB aws.Config
	SQS      aws.Config
	Other    aws.Config
	// ApiEndpoint is where the front door listens.
	APIEndpoint string
}

// Stack is what was made.
type Stack struct {
	account  Account
	template *template.Template
	// physical are the names of what is there, by logical id and attribute ("" for Ref).
	physical map[string]map[string]string
	undo     []func(context.Context) error
}

// nothingHere are the types that an emulated account does not need: the host plays their part itself, or only
// CloudWatch and CloudFormation would look at them.
func nothingHere() []string {
	return []string{
		// The host reads these itself.
		"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", "AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Route",
		"AWS::Lambda::Permission", "AWS::IAM::Role", "AWS::Serverless::Function", "Custom::SeedRoutes",
		// Nobody calls the emulators past the host, and none of them evaluates such policies.
		"AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SNS::Subscription",
		// testing/templates and testing/dashboards hold them against the code.
		"AWS::CloudWatch::Dashboard", "AWS::CloudWatch::Alarm", "AWS::Logs::QueryDefinition", "AWS::SNS::Topic",
		// A domain needs a registrar and a certificate.
		"AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::ApiMapping", "AWS::Route53::RecordSet", "AWS::Route53::RecordSetGroup",
	}
}

// Create makes everything. What was made before an error is taken away again.
func Create(ctx context.Context, t *template.Template, account Account) (*Stack, error) {
	s := &Stack{account: account, template: t, physical: map[string]map[string]string{}}
	if err := s.create(ctx); err != nil {
		return nil, fmt.Errorf("create the stack: %w", joined(err, s.Delete(context.WithoutCancel(ctx))))
	}
	return s, nil
}

func joined(err, other error) error {
	if other == nil {
		return err
	}
	return fmt.Errorf("%w; and to delete it again: %w", err, other)
}

func (s *Stack) create(ctx context.Context) error {
	makers := map[string]func(ctx context.Context, id string, r template.Resource) error{
		"AWS::DynamoDB::Table": s.table, "AWS::SQS::Queue": s.queue, "AWS::Logs::LogGroup": s.logGroup, "AWS::S3::Bucket": s.bucket,
	}
	all := s.template.All()
	for _, id := range s.order(all) {
		r := all[id]
		s.name(id, r)
		maker := makers[r.Type]
		if maker == nil {
			if !slices.Contains(nothingHere(), r.Type) {
				return fmt.Errorf("%s: nothing is known of resources of type %s", id, r.Type)
			}
			continue
		}
		if err := maker(ctx, id, r); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return nil
}

// order returns the logical ids such that a queue's dead-letter queue comes before it.
func (s *Stack) order(all map[string]template.Resource) []string {
	ids := slices.Sorted(maps.Keys(all))
	rank := func(id string) int {
		if _, redrives := all[id].Properties["RedrivePolicy"]; redrives {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(ids, func(a, b string) int { return rank(a) - rank(b) })
	return ids
}

// name gives a resource the names that need not be asked for.
func (s *Stack) name(id string, r template.Resource) {
	of := func(service, name string) string {
		return "arn:aws:" + service + ":" + s.account.Region + ":" + s.account.ID + ":" + name
	}
	names := map[string]string{"": id}
	switch r.Type {
	case "AWS::Serverless::Function":
		names[""] = s.account.StackName + "-" + id
		names["Arn"] = of("lambda", "function:"+names[""])
	case "AWS::IAM::Role":
		names["Arn"] = "arn:aws:iam::" + s.account.ID + ":role/" + s.account.StackName + "-" + id
	case "AWS::ApiGatewayV2::Api":
		names["ApiEndpoint"] = s.account.APIEndpoint
	case "AWS::SNS::Topic":
		names[""] = of("sns", s.account.StackName+"-"+id)
		names["TopicArn"] = names[""]
	}
	s.physical[id] = names
}

// Physical returns a resource's name or attribute, and those of the account that CloudFormation knows.
func (s *Stack) Physical(id, attribute string) (string, bool) {
	switch id {
	case "AWS::Region":
		return s.account.Region, true
	case "AWS::AccountId":
		return s.account.ID, true
	case "AWS::Partition":
		return "aws", true
	case "AWS::StackName":
		return s.account.StackName, true
	case "AWS::StackId":
		return "arn:aws:cloudformation:" + s.account.Region + ":" + s.account.ID + ":stack/" + s.account.StackName + "/1", true
	case "AWS::URLSuffix":
		return "amazonaws.com", true
	}
	name, ok := s.physical[id][attribute]
	return name, ok
}

// Resolve fills in the names of all resources.
func (s *Stack) Resolve(v any) (any, error) { return s.template.Resolve(v, s.Physical) }

// Into resolves v and reads it into a struct whose fields have the properties' names.
func (s *Stack) Into(v, into any) error {
	resolved, err := s.Resolve(v)
	if err != nil {
		return err
	}
	text, err := json.Marshal(resolved)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// Delete takes away what was made, the last first.
func (s *Stack) Delete(ctx context.Context) error {
	var failures []string
	for _, undo := range slices.Backward(s.undo) {
		if err := undo(ctx); err != nil {
			failures = append(failures, err.Error())
		}
	}
	s.undo = nil
	if len(failures) > 0 {
		return fmt.Errorf("delete the stack: %s", strings.Join(failures, "; "))
	}
	return nil
}

func (s *Stack) onDelete(undo func(context.Context) error) { s.undo = append(s.undo, undo) }
