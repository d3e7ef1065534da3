package dashboards

import (
	"bytes"
	"encoding/json"
	"time"

	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// observed is what AWS itself would measure of the run, as far as the stage knows it: the queues, the calls, the stream.
type observed struct {
	// hidden are the messages in flight or put off, by their handle.
	hidden      map[string]time.Time
	invocations map[string]int
	statuses    map[string]int
	iteratorAge time.Duration
	lines       bytes.Buffer
}

func (o *observed) answered(status int) {
	o.statuses["Count"]++
	switch status / 100 {
	case 4:
		o.statuses["4xx"]++
	case 5:
		o.statuses["5xx"]++
	}
}

// observe writes down the minute that ends, in the form in which functions print their metrics.
func (s *stage) observe() {
	for name, q := range map[string]*relaytest.MemoryQueue{
		"qdn-sms.fifo": s.texts, "qdn-sms-timers": s.timers, "qdn-sms-dead.fifo": s.dead,
		"qdn-sms-timers-dead": relaytest.NewMemoryQueue(relaytest.QueueOptions{Standard: true}, s.clock.Now),
	} {
		visible, inFlight, delayed, age := s.depth(q)
		s.line("AWS/SQS", "QueueName", name, map[string]float64{
			"ApproximateNumberOfMessagesVisible": visible, "ApproximateNumberOfMessagesNotVisible": inFlight,
			"ApproximateNumberOfMessagesDelayed": delayed, "ApproximateAgeOfOldestMessage": age.Seconds(),
		})
	}
	for id, n := range s.aws.invocations {
		s.line("AWS/Lambda", "FunctionName", id, map[string]float64{"Invocations": float64(n), "Errors": 0, "Throttles": 0})
	}
	s.line("AWS/Lambda", "FunctionName", "StreamAuditFunction", map[string]float64{"IteratorAge": float64(s.aws.iteratorAge.Milliseconds())})
	s.line("AWS/ApiGateway", "ApiId", "Api", map[string]float64{
		"Count": float64(s.aws.statuses["Count"]), "4xx": float64(s.aws.statuses["4xx"]), "5xx": float64(s.aws.statuses["5xx"]),
	})
	s.aws.reset()
}

// reset begins another minute.
func (o *observed) reset() {
	o.invocations, o.statuses, o.iteratorAge = map[string]int{}, map[string]int{}, 0
}

// depth counts the messages of a queue as SQS does.
func (s *stage) depth(q *relaytest.MemoryQueue) (visible, inFlight, delayed float64, age time.Duration) {
	now := s.clock.Now()
	for _, m := range q.Messages() {
		age = max(age, now.Sub(m.SentAt))
		switch {
		case q == s.timers && m.ReceiveCount == 0:
			delayed++
		case s.aws.hidden[m.ReceiptHandle].After(now):
			inFlight++
		default:
			visible++
		}
	}
	return visible, inFlight, delayed, age
}

// line writes metrics of one dimension.
func (s *stage) line(namespace, dimension, value string, metrics map[string]float64) {
	names := []map[string]string{}
	line := map[string]any{dimension: value}
	for name, v := range metrics {
		names = append(names, map[string]string{"Name": name})
		line[name] = v
	}
	line["_aws"] = map[string]any{
		"Timestamp":         s.clock.Now().UnixMilli(),
		"CloudWatchMetrics": []map[string]any{{"Namespace": namespace, "Dimensions": [][]string{{dimension}}, "Metrics": names}},
	}
	s.must(json.NewEncoder(&s.aws.lines).Encode(line))
}
