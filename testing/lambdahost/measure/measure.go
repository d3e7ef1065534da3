// Package measure writes what AWS itself would measure of a stack: of its front door, functions, queues and tables, under
// CloudWatch's names, as lines in the embedded metric format. It is told what happened and finds nothing out by itself; what
// functions emit is theirs.
package measure

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/testing/lambdahost/iam"
)

// Meter writes the lines. It is safe for concurrent use.
type Meter struct {
	now func() time.Time

	mu sync.Mutex
	w  io.Writer
	// sentAt are the messages that are on a queue, by queue and message id, with when they were sent.
	sentAt map[string]map[string]time.Time
	// seen are the ids of all messages so far: one that is sent again within the time of deduplication has the first one's id.
	seen map[string]bool
	// ids are those of the messages that were received, by handle.
	ids map[string]string
}

// New returns a meter that writes to w. An error of w is not reported: readers of the lines see that some are missing.
func New(w io.Writer, now func() time.Time) *Meter {
	return &Meter{w: w, now: now, sentAt: map[string]map[string]time.Time{}, seen: map[string]bool{}, ids: map[string]string{}}
}

// Request measures an answer of the front door.
func (m *Meter) Request(api string, status int, latency time.Duration) {
	m.line("AWS/ApiGateway", map[string]string{"ApiId": api}, map[string]float64{
		"Count": 1, "4xx": oneIf(status/100 == 4), "5xx": oneIf(status/100 == 5), "Latency": milliseconds(latency),
	})
}

// Invocation measures an invocation of a function. A throttled one does not count.
func (m *Meter) Invocation(function string, took time.Duration, failed, throttled bool) {
	values := map[string]float64{"Throttles": 1}
	if !throttled {
		values = map[string]float64{"Invocations": 1, "Errors": oneIf(failed), "Throttles": 0, "Duration": milliseconds(took)}
	}
	m.line("AWS/Lambda", map[string]string{"FunctionName": function}, values)
}

// IteratorAge measures how old the last change of a stream's batch is that a function is given.
func (m *Meter) IteratorAge(function string, age time.Duration) {
	m.line("AWS/Lambda", map[string]string{"FunctionName": function}, map[string]float64{"IteratorAge": milliseconds(age)})
}

// Call measures a call of a queue or a table.
func (m *Meter) Call(call iam.Call) {
	kind := "ConsumedReadCapacityUnits"
	if strings.HasPrefix(call.Operation, "dynamodb:Put") {
		kind = "ConsumedWriteCapacityUnits"
	}
	for _, name := range slices.Sorted(maps.Keys(call.Units)) {
		dimensions := map[string]string{}
		table, index, isIndex := strings.Cut(name, "/index/")
		if dimensions["TableName"] = table; isIndex {
			dimensions["GlobalSecondaryIndexName"] = index
		}
		m.line("AWS/DynamoDB", dimensions, map[string]float64{kind: call.Units[name]})
	}
	operation, isQueue := strings.CutPrefix(call.Operation, "sqs:")
	if isQueue && len(call.Resources) == 1 && len(call.Messages) > 0 && !call.Failed() {
		m.queueCall(operation, call.Resources[0][strings.LastIndexByte(call.Resources[0], ':')+1:], call.Messages)
	}
}

func (m *Meter) queueCall(operation, queue string, messages []iam.Message) {
	m.follow(strings.TrimSuffix(operation, "Batch"), queue, messages)
	if strings.HasPrefix(operation, "Send") {
		m.line("AWS/SQS", map[string]string{"QueueName": queue}, map[string]float64{"NumberOfMessagesSent": float64(len(messages))})
	}
}

// follow records which messages are on a queue. One that came past the calls is known from its first receive on.
func (m *Meter) follow(operation, queue string, messages []iam.Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sentAt[queue] == nil {
		m.sentAt[queue] = map[string]time.Time{}
	}
	for _, message := range messages {
		switch {
		case operation == "DeleteMessage":
			delete(m.sentAt[queue], m.ids[message.Handle])
			delete(m.ids, message.Handle)
		case message.ID != "" && !m.seen[message.ID]:
			m.sentAt[queue][message.ID], m.seen[message.ID] = m.now(), true
		}
		if operation == "ReceiveMessage" {
			m.ids[message.Handle] = message.ID
		}
	}
}

// Depth measures how many messages a queue has: to be received, received and not deleted, and put off.
func (m *Meter) Depth(queue string, visible, inFlight, delayed int) {
	age := 0.0
	if visible+inFlight+delayed > 0 {
		age = m.age(queue).Seconds()
	}
	m.line("AWS/SQS", map[string]string{"QueueName": queue}, map[string]float64{
		"ApproximateNumberOfMessagesVisible": float64(visible), "ApproximateNumberOfMessagesNotVisible": float64(inFlight),
		"ApproximateNumberOfMessagesDelayed": float64(delayed), "ApproximateAgeOfOldestMessage": age,
	})
}

// age is how long the oldest message has been on a queue.
func (m *Meter) age(queue string) (age time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, at := range m.sentAt[queue] {
		age = max(age, m.now().Sub(at))
	}
	return age
}

// line writes metrics of one set of dimensions.
func (m *Meter) line(namespace string, dimensions map[string]string, values map[string]float64) {
	line := map[string]any{}
	names := []map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		names = append(names, map[string]string{"Name": name})
		line[name] = values[name]
	}
	for name, value := range dimensions {
		line[name] = value
	}
	line["_aws"] = map[string]any{
		"Timestamp": m.now().UnixMilli(),
		"CloudWatchMetrics": []map[string]any{{
			"Namespace": namespace, "Dimensions": [][]string{slices.Sorted(maps.Keys(dimensions))}, "Metrics": names,
		}},
	}
	text, err := json.Marshal(line)
	if err != nil {
		panic(fmt.Sprintf("names and numbers are not written as JSON: %v", err))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.w.Write(append(text, '\n'))
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
