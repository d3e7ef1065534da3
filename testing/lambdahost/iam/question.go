package iam

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// inquiry is what a request wants: the service's name for it, and what IAM is asked about it. Without questions nobody knows,
// and it is not allowed.
type inquiry struct {
	operation string
	questions []question
}

// question is what IAM is asked about a call: may this action be done with this resource?
type question struct{ operation, action, resource string }

// operationOf returns the service's name for the call of a JSON protocol, such as GetItem; "" of another protocol.
func operationOf(request *http.Request) string {
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	return operation
}

// read tells what a request wants. The body of a call of S3 is not looked at.
func (r *Recorder) read(service string, request *http.Request, body []byte) inquiry {
	if service == "s3" {
		return objectInquiry(request)
	}
	operation := operationOf(request)
	c := inquiry{operation: service + ":" + operation}
	var in input
	if operation == "" || json.Unmarshal(body, &in) != nil {
		return c
	}
	for _, u := range r.uses(service, operation, in) {
		q := question{operation: c.operation, action: service + ":" + u.action, resource: r.config.Canonical(u.resource)}
		if !slices.Contains(c.questions, q) {
			c.questions = append(c.questions, q)
		}
	}
	return c
}

// actionOf returns IAM's name for an operation. Those on batches of messages ask for the same as those on one.
func actionOf(operation string) string {
	switch operation {
	case "SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch":
		return strings.TrimSuffix(operation, "Batch")
	default:
		return operation
	}
}

// partOf returns IAM's name for a part of a transaction: a transaction has no name of its own there.
func partOf(part string) string {
	if part == "ConditionCheck" {
		return "ConditionCheckItem"
	}
	return part + "Item"
}

// use is an action, without the service, on a resource.
type use struct{ action, resource string }

// input are the members of requests that name resources.
type input struct {
	TableName, IndexName     string
	RequestItems             map[string]json.RawMessage
	TransactItems            []map[string]struct{ TableName string }
	StreamArn, ShardIterator string
	QueueURL                 string `json:"QueueUrl"`
	QueueName                string
	SecretID                 string `json:"SecretId"`
	LogGroupName             string `json:"logGroupName"`
	LogStreamName            string `json:"logStreamName"`
}

// uses returns what an operation does with what; nothing if its input does not name what.
func (r *Recorder) uses(service, operation string, in input) []use {
	if len(in.TransactItems) > 0 {
		return r.parts(in)
	}
	var resources []string
	switch service {
	case "dynamodb":
		resources = r.tables(operation, in)
	case "sqs":
		name := in.QueueURL[strings.LastIndexByte(in.QueueURL, '/')+1:]
		resources = r.arn(service, "", name+in.QueueName)
	case "logs":
		resources = r.arn(service, "log-group:", in.LogGroupName)
		for i := range resources {
			resources[i] += ":log-stream:" + in.LogStreamName
		}
	case "secretsmanager":
		resources = r.arn(service, "secret:", in.SecretID)
	}
	uses := make([]use, len(resources))
	for i, resource := range resources {
		uses[i] = use{actionOf(operation), resource}
	}
	return uses
}

// parts returns what the parts of a transaction do.
func (r *Recorder) parts(in input) []use {
	var uses []use
	for _, item := range in.TransactItems {
		for _, part := range slices.Sorted(maps.Keys(item)) {
			for _, table := range r.arn("dynamodb", "table/", item[part].TableName) {
				uses = append(uses, use{partOf(part), table})
			}
		}
	}
	return uses
}

// arn returns the ARN of a resource by its name, which may be an ARN already; none for no name.
func (r *Recorder) arn(service, kind, name string) []string {
	switch {
	case name == "":
		return nil
	case strings.HasPrefix(name, "arn:"):
		return []string{name}
	default:
		return []string{"arn:aws:" + service + ":" + r.config.Region + ":" + r.config.AccountID + ":" + kind + name}
	}
}

func (r *Recorder) tables(operation string, in input) []string {
	table := r.arn("dynamodb", "table/", in.TableName)
	switch {
	case in.ShardIterator != "":
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.arn("dynamodb", "", r.iterators.stream(in.ShardIterator))
	case in.StreamArn != "":
		return []string{in.StreamArn}
	case len(in.RequestItems) > 0:
		var tables []string
		for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
			tables = append(tables, r.arn("dynamodb", "table/", name)...)
		}
		return tables
	case len(table) == 0:
		return nil
	case operation == "ListStreams":
		return []string{r.streamOf(table[0] + "/stream/")}
	case in.IndexName != "":
		return []string{table[0] + "/index/" + in.IndexName}
	default:
		return table
	}
}

// streamOf returns the stream that a table has: a caller that asks for its streams needs a permission on that. Which one it
// is, the policies say.
func (r *Recorder) streamOf(prefix string) string {
	for _, statements := range r.config.Principals {
		for _, s := range statements {
			for _, resource := range s.Resource {
				if strings.HasPrefix(resource, prefix) {
					return resource
				}
			}
		}
	}
	return prefix
}
