package iam

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Call is one call as it was answered. It is what a service would bill and measure.
type Call struct {
	// Principal and Operation are as in a Count.
	Principal string
	Operation string
	// Resources are what it was about, each once: a queue, a table, an index that was asked, a log stream.
	Resources []string
	Allowed   bool
	// Status is the HTTP status of the answer. Sent and Received are the bytes of the bodies.
	Status         int
	Sent, Received int64
	// Messages are the queue's messages that it was about: none of a receive that found none.
	Messages []Message
	// Units are the capacity units that DynamoDB counted, by table and by "table/index/name".
	Units map[string]float64
}

// Message is a queue's message as far as a call names it: one that was sent by its ID, one that was received by both, one that is
// deleted or hidden by the handle that it was received with.
type Message struct {
	ID     string `json:"MessageId"`
	Handle string `json:"ReceiptHandle"`
}

// Failed reports whether the service did not do what it was asked for.
func (c Call) Failed() bool { return c.Status/100 != 2 }

// tells reports whether the answer to an operation says something that a Call has.
func tells(operation string) bool {
	return slices.Contains([]string{"SendMessage", "SendMessageBatch", "ReceiveMessage"}, operation) || consumes(operation)
}

// consumes reports whether DynamoDB says how many units an operation used, if it is asked for that.
func consumes(operation string) bool {
	return slices.Contains([]string{
		"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem",
		"TransactGetItems", "TransactWriteItems",
	}, operation)
}

// askForUnits has DynamoDB say what the call used, by table and index.
func askForUnits(request *http.Request, body []byte) {
	var members map[string]json.RawMessage
	if !consumes(operationOf(request)) || json.Unmarshal(body, &members) != nil {
		return
	}
	members["ReturnConsumedCapacity"] = json.RawMessage(`"INDEXES"`)
	asked, err := json.Marshal(members)
	if err != nil {
		return
	}
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(asked)), int64(len(asked))
}

// observe reports a call.
func (r *Recorder) observe(principal string, asked inquiry, allowed bool, answer *watched, sent *counted, body []byte) {
	if r.config.Observe == nil {
		return
	}
	call := Call{
		Principal: principal, Operation: asked.operation, Allowed: allowed, Status: answer.status, Sent: sent.bytes.Load(),
		Received: answer.bytes,
		Messages: messages(asked.operation, body, answer.body.Bytes()), Units: units(answer.body.Bytes()),
	}
	for _, q := range asked.questions {
		if !slices.Contains(call.Resources, q.resource) {
			call.Resources = append(call.Resources, q.resource)
		}
	}
	r.config.Observe(call)
}

// messages reads which messages a call of SQS was about: the answer says it of those that were sent or received, the request of
// the others.
func messages(operation string, request, answer []byte) []Message {
	name, isQueue := strings.CutPrefix(operation, "sqs:")
	if !isQueue {
		return nil
	}
	text := answer
	if !strings.HasPrefix(name, "Send") && name != "ReceiveMessage" {
		text = request
	}
	var several struct{ Messages, Successful, Entries []Message }
	var one Message
	if json.Unmarshal(text, &several) != nil || json.Unmarshal(text, &one) != nil {
		return nil // It is an error's.
	}
	if one != (Message{}) {
		return []Message{one}
	}
	return slices.Concat(several.Messages, several.Successful, several.Entries)
}

// consumed is what DynamoDB says of the units of one table.
type consumed struct {
	TableName              string
	CapacityUnits          float64
	Table                  struct{ CapacityUnits float64 }
	GlobalSecondaryIndexes map[string]struct{ CapacityUnits float64 }
}

// units reads the units out of an answer: those of one table, or of several.
func units(answer []byte) map[string]float64 {
	var one struct{ ConsumedCapacity consumed }
	var several struct{ ConsumedCapacity []consumed }
	if json.Unmarshal(answer, &one) == nil {
		several.ConsumedCapacity = []consumed{one.ConsumedCapacity}
	} else if json.Unmarshal(answer, &several) != nil {
		return nil
	}
	var sums map[string]float64
	add := func(name string, n float64) {
		if sums == nil {
			sums = map[string]float64{}
		}
		sums[name] += n
	}
	for _, c := range several.ConsumedCapacity {
		if c.CapacityUnits > 0 {
			add(c.TableName, c.Table.CapacityUnits)
		}
		for index, i := range c.GlobalSecondaryIndexes {
			add(c.TableName+"/index/"+index, i.CapacityUnits)
		}
	}
	return sums
}
