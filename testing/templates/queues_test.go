package templates

import (
	"slices"
	"strings"
)

// backstop is the least maxReceiveCount that no wait reaches: the longest queue before a pace limit of 10 texts in 30 s
// that the design speaks of is 1,000 texts, and each looks again once in every 30 s at most.
const backstop = 500

func queueChecks() []check {
	return []check{
		{"queue and dead letters are FIFO, by conversation", findFifo, []mutation{
			{"the queue is not", remove("Queue", "FifoQueue")},
			{"the dead letters are not", set("DeadLetterQueue", "FifoQueue", false)},
			{"a name without .fifo", set("Queue", "QueueName", "qdn-sms")},
			{"texts of the same words are one", set("Queue", "ContentBasedDeduplication", true)},
			{"one limit for all conversations", set("Queue", "FifoThroughputLimit", "perQueue")},
			{"one deduplication for all", set("DeadLetterQueue", "DeduplicationScope", "queue")},
		}},
		{"what crashes the sender ends with the dead letters, nothing else", findRedrive, []mutation{
			{"nowhere", remove("Queue", "RedrivePolicy")},
			{"in another queue", set("Queue", "RedrivePolicy.deadLetterTargetArn", object{"Fn::GetAtt": "AuditFailureQueue.Arn"})},
			{"what only waits, too", set("Queue", "RedrivePolicy.maxReceiveCount", 5)},
			{"from any queue", set("DeadLetterQueue", "RedriveAllowPolicy.redrivePermission", "allowAll")},
			{"from another queue", set("Queue", "QueueName", "other.fifo")},
			{"for a shorter time", set("DeadLetterQueue", "MessageRetentionPeriod", 86400)},
			{"out of reach", remove("DeadLetterQueue", "RedriveAllowPolicy")},
		}},
		{"queues are encrypted, at rest and on the way", findEncryption, []mutation{
			{"not at rest", remove("Queue", "SqsManagedSseEnabled")},
			{"not on the way", removeResource("DeadLetterQueuePolicy")},
			{"for another queue", set("QueuePolicy", "Queues", []any{object{"Ref": "DeadLetterQueue"}})},
			{"for another queue's ARN", func(t template) {
				firstStatement(t, "AuditFailureQueuePolicy")["Resource"] = object{"Fn::GetAtt": "Queue.Arn"}
			}},
			{"allowed instead", func(t template) { firstStatement(t, "QueuePolicy")["Effect"] = "Allow" }},
			{"some actions", func(t template) { firstStatement(t, "QueuePolicy")["Action"] = "sqs:SendMessage" }},
			{"the other way round", func(t template) {
				put(firstStatement(t, "QueuePolicy"), "Condition.Bool", object{"aws:SecureTransport": "true"})
			}},
		}},
	}
}

func findFifo(t template, _ code, report reporter) {
	for _, id := range []string{"Queue", "DeadLetterQueue"} {
		q := t.resource(id)
		if !isTrue(q, "FifoQueue") || !strings.HasSuffix(text(q, "QueueName"), ".fifo") {
			report("%s: should be a FIFO queue, its name with .fifo at the end", id)
		}
		if isTrue(q, "ContentBasedDeduplication") {
			report("%s: two texts of the same words are two texts", id)
		}
		if text(q, "DeduplicationScope") != "messageGroup" || text(q, "FifoThroughputLimit") != "perMessageGroupId" {
			report("%s: limits should count per conversation", id)
		}
	}
}

func findRedrive(t template, _ code, report reporter) {
	queue, dead := t.resource("Queue"), t.resource("DeadLetterQueue")
	if text(queue, "RedrivePolicy.deadLetterTargetArn") != "${DeadLetterQueue.Arn}" {
		report("Queue: a message that crashes the sender should end on DeadLetterQueue")
	}
	if count := number(queue, "RedrivePolicy.maxReceiveCount"); count < backstop {
		report("Queue: maxReceiveCount %d would end texts that only wait", count)
	}
	source := "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:" + text(queue, "QueueName")
	allowed := expressions(at(dead, "RedriveAllowPolicy.sourceQueueArns"))
	if text(dead, "RedriveAllowPolicy.redrivePermission") != "byQueue" || !slices.Equal(allowed, []string{source}) {
		report("DeadLetterQueue: should take messages of %s only, takes %q", source, allowed)
	}
	if number(dead, "MessageRetentionPeriod") <= number(queue, "MessageRetentionPeriod") {
		report("DeadLetterQueue: should keep messages for longer than Queue")
	}
}

func findEncryption(t template, _ code, report reporter) {
	protected := map[string]bool{}
	for _, policy := range t.resources("AWS::SQS::QueuePolicy") {
		for _, statement := range items(at(policy, "Properties.PolicyDocument.Statement")) {
			for _, queue := range expressions(at(policy, "Properties.Queues")) {
				id := referenced(queue)
				protected[id] = protected[id] || denies(mapping(statement), id)
			}
		}
	}
	for id, queue := range t.resources("AWS::SQS::Queue") {
		if !isTrue(queue, "Properties.SqsManagedSseEnabled") {
			report("%s: is not encrypted at rest", id)
		}
		if !protected[id] {
			report("%s: has no policy that denies requests without TLS", id)
		}
	}
}

// denies reports whether the statement keeps everyone from using the queue without TLS.
func denies(statement object, queue string) bool {
	return text(statement, "Effect") == "Deny" && text(statement, "Principal") == "*" &&
		text(statement, "Action") == "sqs:*" && text(statement, "Resource") == "${"+queue+".Arn}" &&
		mapping(at(statement, "Condition.Bool"))["aws:SecureTransport"] == "false"
}

// firstStatement returns the first statement of a queue's policy.
func firstStatement(t template, policy string) object {
	return mapping(items(at(t.resource(policy), "PolicyDocument.Statement"))[0])
}
