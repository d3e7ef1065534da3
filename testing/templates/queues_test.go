package templates

import (
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/retry"
	routing "quickdumpnow.com/smsrelay/shared/route"
)

// backstop returns the least maxReceiveCount that no wait reaches: a text waits for trouble to pass until its MaxAge, which is
// MaxMaxAge at most, and is looked at once in five minutes when the first waits are over. Before a pace limit it waits with fewer looks:
// the longest queue that the design speaks of is 1,000 texts, and each looks again once in every 30 s at most.
func backstop() int {
	const firstWaits = 50
	return int(routing.MaxMaxAge.Seconds())/longestLook() + firstWaits
}

// longestLook is how long the sender lets a message wait before it looks at it again, in seconds.
func longestLook() int {
	policy := retry.NewPolicy(time.Second, 1)
	return int(max(policy.Cap, policy.HaltDelay).Seconds())
}

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
		{"timers have a delay of their own each, which no FIFO queue has", findTimers, []mutation{
			{"the queue is FIFO", set("TimerQueue", "FifoQueue", true)},
			{"by its name", set("TimerQueue", "QueueName", "qdn-sms-timers.fifo")},
			{"its dead letters are", set("TimerDeadLetterQueue", "FifoQueue", true)},
			{"a delay for all", set("TimerQueue", "DelaySeconds", 60)},
			{"no queue", removeResource("TimerQueue")},
		}},
		{"what crashes the sender ends with the dead letters, nothing else", findRedrive, []mutation{
			{"nowhere", remove("Queue", "RedrivePolicy")},
			{"in another queue", set("Queue", "RedrivePolicy.deadLetterTargetArn", object{"Fn::GetAtt": "TimerDeadLetterQueue.Arn"})},
			{"what only waits, too", set("Queue", "RedrivePolicy.maxReceiveCount", 5)},
			{"from any queue", set("DeadLetterQueue", "RedriveAllowPolicy.redrivePermission", "allowAll")},
			{"from another queue", set("Queue", "QueueName", "other.fifo")},
			{"for a shorter time", set("DeadLetterQueue", "MessageRetentionPeriod", 86400)},
			{"out of reach", remove("DeadLetterQueue", "RedriveAllowPolicy")},
			{"a timer nowhere", remove("TimerQueue", "RedrivePolicy")},
			{"a timer on the FIFO queue", set("TimerQueue", "RedrivePolicy.deadLetterTargetArn", object{"Fn::GetAtt": "DeadLetterQueue.Arn"})},
			{"a timer that only waits, too", set("TimerQueue", "RedrivePolicy.maxReceiveCount", 5)},
			{"timers of any queue", set("TimerDeadLetterQueue", "RedriveAllowPolicy.redrivePermission", "allowAll")},
			{"timers of another queue", set("TimerQueue", "QueueName", "other")},
			{"a timer as old as it was", set("TimerDeadLetterQueue", "MessageRetentionPeriod", 1036800)},
			{"a timer out of reach", remove("TimerDeadLetterQueue", "RedriveAllowPolicy")},
		}},
		{"nothing is forgotten while it waits", findQueueRetention, []mutation{
			{"a text after a weekend", set("Queue", "MessageRetentionPeriod", 345600)},
			{"a text after SQS's default", remove("Queue", "MessageRetentionPeriod")},
			{"a timer after a weekend", set("TimerQueue", "MessageRetentionPeriod", 345600)},
			{"a timer after SQS's default", remove("TimerQueue", "MessageRetentionPeriod")},
		}},
		{"queues are encrypted, at rest and on the way", findEncryption, []mutation{
			{"not at rest", remove("Queue", "SqsManagedSseEnabled")},
			{"timers not at rest", remove("TimerQueue", "SqsManagedSseEnabled")},
			{"dead timers not at rest", set("TimerDeadLetterQueue", "SqsManagedSseEnabled", false)},
			{"not on the way", removeResource("DeadLetterQueuePolicy")},
			{"timers not on the way", removeResource("TimerQueuePolicy")},
			{"dead timers not on the way", removeResource("TimerDeadLetterQueuePolicy")},
			{"for another queue", set("QueuePolicy", "Queues", []any{object{"Ref": "DeadLetterQueue"}})},
			{"for another queue's ARN", func(t template) {
				firstStatement(t, "TimerDeadLetterQueuePolicy")["Resource"] = object{"Fn::GetAtt": "Queue.Arn"}
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

func findTimers(t template, _ code, report reporter) {
	for _, id := range []string{"TimerQueue", "TimerDeadLetterQueue"} {
		q := t.resource(id)
		if name := text(q, "QueueName"); q["FifoQueue"] != nil || name == "" || strings.HasSuffix(name, ".fifo") {
			report("%s: should be a queue without order, is named %q", id, name)
		}
		if q["DelaySeconds"] != nil {
			report("%s: should show a timer that asks for no delay at once", id)
		}
	}
}

// deadLetters are the sender's queues, each with where its messages end.
func deadLetters() map[string]string {
	return map[string]string{"Queue": "DeadLetterQueue", "TimerQueue": "TimerDeadLetterQueue"}
}

func findRedrive(t template, _ code, report reporter) {
	for id, deadID := range deadLetters() {
		queue, dead := t.resource(id), t.resource(deadID)
		if text(queue, "RedrivePolicy.deadLetterTargetArn") != "${"+deadID+".Arn}" {
			report("%s: a message that crashes the sender should end on %s", id, deadID)
		}
		if count := number(queue, "RedrivePolicy.maxReceiveCount"); count < backstop() {
			report("%s: maxReceiveCount %d would end what only waits", id, count)
		}
		source := "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:" + text(queue, "QueueName")
		allowed := expressions(at(dead, "RedriveAllowPolicy.sourceQueueArns"))
		if text(dead, "RedriveAllowPolicy.redrivePermission") != "byQueue" || !slices.Equal(allowed, []string{source}) {
			report("%s: should accept messages of %s only, accepts %q", deadID, source, allowed)
		}
		if number(dead, "MessageRetentionPeriod") <= number(queue, "MessageRetentionPeriod") {
			report("%s: should keep messages for longer than %s", deadID, id)
		}
	}
}

// findQueueRetention: what is looked at as seldom as can be comes to the dead letters, where someone sees it, long before
// its queue would forget it and what waits behind it.
func findQueueRetention(t template, _ code, report reporter) {
	for id := range deadLetters() {
		q := t.resource(id)
		longest := number(q, "RedrivePolicy.maxReceiveCount") * longestLook()
		if kept := number(q, "MessageRetentionPeriod"); kept < 2*longest {
			report("%s: forgets messages after %d s, which should be well after they come to the dead letters, at %d s", id, kept, longest)
		}
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
