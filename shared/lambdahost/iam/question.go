package iam

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// question is what IAM is asked about a call: may this action be done with this resource?
type question struct{ operation, action, resource string }

// operationOf returns the service's name for the call of a JSON protocol, such as GetItem; "" of another protocol.
func operationOf(request *http.Request) string {
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	return operation
}

// questions returns what a call asks for, one for each resource. None: nobody knows, and it is not allowed.
func (r *Recorder) questions(service string, request *http.Request, body []byte) []question {
	if service == "s3" {
		return objectQuestions(request)
	}
	operation := operationOf(request)
	action := service + ":" + actionOf(operation)
	var asked []question
	for _, resource := range r.resources(service, operation, body) {
		asked = append(asked, question{operation: service + ":" + operation, action: action, resource: r.config.Canonical(resource)})
	}
	return asked
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

// input are the members of requests that name resources.
type input struct {
	TableName, IndexName     string
	RequestItems             map[string]json.RawMessage
	StreamArn, ShardIterator string
	QueueURL                 string `json:"QueueUrl"`
	SecretID                 string `json:"SecretId"`
	LogGroupName             string `json:"logGroupName"`
	LogStreamName            string `json:"logStreamName"`
}

func (r *Recorder) resources(service, operation string, body []byte) []string {
	var in input
	if json.Unmarshal(body, &in) != nil {
		return nil
	}
	arn := func(name string) string {
		return "arn:aws:" + service + ":" + r.config.Region + ":" + r.config.AccountID + ":" + name
	}
	switch service {
	case "dynamodb":
		return r.tables(operation, in, arn)
	case "sqs":
		return []string{arn(in.QueueURL[strings.LastIndexByte(in.QueueURL, '/')+1:])}
	case "logs":
		return []string{arn("log-group:" + in.LogGroupName + ":log-stream:" + in.LogStreamName)}
	case "secretsmanager":
		return []string{in.SecretID}
	default:
		return nil
	}
}

func (r *Recorder) tables(operation string, in input, arn func(string) string) []string {
	switch {
	case in.ShardIterator != "":
		r.mu.Lock()
		defer r.mu.Unlock()
		return []string{r.streams[in.ShardIterator]}
	case in.StreamArn != "":
		return []string{in.StreamArn}
	case operation == "ListStreams":
		return []string{r.streamOf(arn("table/" + in.TableName + "/stream/"))}
	case len(in.RequestItems) > 0:
		var tables []string
		for _, table := range slices.Sorted(maps.Keys(in.RequestItems)) {
			tables = append(tables, arn("table/"+table))
		}
		return tables
	case in.IndexName != "":
		return []string{arn("table/" + in.TableName + "/index/" + in.IndexName)}
	default:
		return []string{arn("table/" + in.TableName)}
	}
}

// streamOf returns the stream that a table has: whoever asks for its streams is asked for a permission on that. Which one it
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

// iterates reports whether the answer to an operation names a shard iterator.
func iterates(operation string) bool {
	return operation == "GetShardIterator" || operation == "GetRecords"
}

// remember notes which stream a shard iterator is of: the calls that use it do not say. Each answer to GetRecords names the
// next one.
func (r *Recorder) remember(answer *watched, request []byte) {
	var asked struct{ StreamArn, ShardIterator string }
	var told struct{ ShardIterator, NextShardIterator string }
	if !answer.keep || json.Unmarshal(request, &asked) != nil || json.Unmarshal(answer.body.Bytes(), &told) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if asked.StreamArn != "" {
		r.streams[told.ShardIterator] = asked.StreamArn
		return
	}
	r.streams[told.NextShardIterator] = r.streams[asked.ShardIterator]
	if told.NextShardIterator != asked.ShardIterator {
		delete(r.streams, asked.ShardIterator)
	}
}

// objectQuestions reads a call of S3, in the path style. Listing is asked of the bucket, the rest of the object.
func objectQuestions(request *http.Request) []question {
	bucket, key, hasKey := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/")
	const root = "arn:aws:s3:::"
	ask := func(operation, action, resource string) []question {
		return []question{{operation: "s3:" + operation, action: "s3:" + action, resource: root + resource}}
	}
	versioned := request.URL.Query().Has("versionId")
	switch {
	case !hasKey || key == "":
		if request.Method == http.MethodGet || request.Method == http.MethodHead {
			return ask("ListObjects", "ListBucket", bucket)
		}
		return nil
	case request.Method == http.MethodPut:
		return ask("PutObject", "PutObject", bucket+"/"+key)
	case request.Method != http.MethodGet && request.Method != http.MethodHead:
		return nil
	case versioned:
		return ask("GetObject", "GetObjectVersion", bucket+"/"+key)
	default:
		return ask("GetObject", "GetObject", bucket+"/"+key)
	}
}
