package model

import (
	"slices"
	"time"
)

// Fact is one number that the model takes from outside.
type Fact struct {
	Key   string
	Value float64
	Unit  string
	// How says how sure it is: measured here, documented by the vendor, said by others, or assumed.
	How string
	// Source says where it is from, or why it is assumed.
	Source string
}

// How sure a fact is.
const (
	measured   = "measured"
	documented = "documented"
	reported   = "said by others"
	assumed    = "assumed"
)

// Where facts are from.
const (
	apiGatewayQuotas = "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"
	lambdaQuotas     = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
	lambdaMemory     = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
	sqsQuotas        = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"
	dynamoQuotas     = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"
	dynamoPartitions = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
	dynamoLatency    = "single-digit milliseconds, https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Introduction.html"
	sqsLatency       = "tens of milliseconds, https://aws.amazon.com/sqs/faqs/"
	inIssue          = "compiled ingest on two cores, warm, n = 15, medians"
)

// Facts is the table of all of them. Milliseconds of CPU are those of a whole core: a function with less memory than a core needs has a
// share of one.
func Facts() []Fact {
	return []Fact{
		{"ingest cpu", 0.426, "ms of CPU a webhook", measured, inIssue},
		{"call cpu", 0.35, "ms of CPU a call of AWS or Twilio", measured, inIssue + "; without its handler and Lambda's own loop"},
		{"invocation cpu", 0.065, "ms of CPU an invocation", measured, "a function that does nothing, beside it"},
		{"text cpu", 0.03, "ms of CPU a text", measured, "BenchmarkText in functions/sender/delivery"},
		{"receipt cpu", 0.015, "ms of CPU a receipt", measured, "BenchmarkReceipt in functions/sender/delivery"},
		{"entry cpu", 0.025, "ms of CPU an audit entry", measured, "BenchmarkHandle in functions/stream-audit/audit"},
		{"tag cpu", 0.006, "ms of CPU a tag that is read to find a free one", measured, "BenchmarkNewTag in testing/scaling/model"},
		{"gateway", 10, "ms that API Gateway adds", assumed, "no figure is documented"},
		{"sqs", 15, "ms a call of SQS", assumed, sqsLatency},
		{"dynamodb read", 4, "ms a read", assumed, dynamoLatency},
		{"dynamodb write", 6, "ms a write", assumed, dynamoLatency},
		{"dynamodb transaction", 15, "ms a transaction of two items", assumed, "two rounds of writes"},
		{"dynamodb page", 15, "ms a page of 1 MB", assumed, dynamoLatency},
		{"logs", 30, "ms a PutLogEvents", assumed, "no figure is documented"},
		{"twilio", 250, "ms a POST to Twilio, give or take half", assumed, "as docs/cost.md assumes it"},
		{"receipt sent", 1000, "ms from the POST to the receipt that says sent", assumed, "carriers differ"},
		{"receipt delivered", 3000, "ms from the POST to the receipt that says delivered", assumed, "carriers differ"},
		{"core", 1769, "MB of memory that have a whole core", documented, lambdaMemory},
		{"gateway rate", 10_000, "requests a second, account and region; can be raised; 2,500 in some regions", documented, apiGatewayQuotas},
		{"gateway burst", 5_000, "requests at once, account and region", documented, apiGatewayQuotas},
		{"lambda", 1_000, "runs at once, account and region; can be raised", documented, lambdaQuotas},
		{"sqs calls", 70_000, "calls of one kind a second in the largest regions, 2,400 in the smallest; can be raised", documented, sqsQuotas},
		{"partition writes", 1_000, "write units a second for one partition key", documented, dynamoPartitions},
		{"partition reads", 3_000, "read units a second for one partition key", documented, dynamoPartitions},
		{"table writes", 40_000, "write units a second, table with its indexes; can be raised", documented, dynamoQuotas},
		{"new table", 4_000, "write units a second at once in a new table; twice the peak within half an hour", documented, dynamoQuotas},
		{"tag bytes", 110, "bytes a tag in the table", measured, "its names and values, TestATagIsAsLargeAsTheModelSays"},
		{
			"twilio rate", 2_000, "messages a second of an account with its subaccounts, then 63017", documented,
			"https://www.twilio.com/docs/api/errors/63017",
		},
		{
			"twilio at once", 100, "requests at once and account, then 20429; Twilio raises it on request", reported,
			"https://rate-limits.apis.io/rate-limits/twilio/twilio-rate-limits/; Twilio publishes no number",
		},
	}
}

// times are the facts that a run needs all the time. For one host they are measured by the package held.
type times struct {
	gateway, sqs, receive, read, write, transaction, page, logs time.Duration
	twilio, receiptSent, receiptDelivered                       time.Duration
	ingest, call, invocation, text, receipt, entry              time.Duration
	tag                                                         time.Duration
	// core is the memory that has a whole core, tagBytes the size of a tag in its table.
	core, tagBytes float64
}

// share is how long so much work of a whole core takes a function with so much memory.
func (t times) share(work time.Duration, memory float64) time.Duration {
	return time.Duration(float64(work) * max(1, t.core/memory))
}

// of returns a fact by its key.
func of(key string) float64 {
	all := Facts()
	return all[slices.IndexFunc(all, func(f Fact) bool { return f.Key == key })].Value
}

func milliseconds(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }

func timesOnAWS() times {
	ms := func(key string) time.Duration { return milliseconds(of(key)) }
	return times{
		gateway: ms("gateway"), sqs: ms("sqs"), receive: ms("sqs"), read: ms("dynamodb read"), write: ms("dynamodb write"),
		transaction: ms("dynamodb transaction"), page: ms("dynamodb page"), logs: ms("logs"), twilio: ms("twilio"),
		receiptSent: ms("receipt sent"), receiptDelivered: ms("receipt delivered"), ingest: ms("ingest cpu"), call: ms("call cpu"),
		invocation: ms("invocation cpu"), text: ms("text cpu"), receipt: ms("receipt cpu"), entry: ms("entry cpu"), tag: ms("tag cpu"),
		core: of("core"), tagBytes: of("tag bytes"),
	}
}
