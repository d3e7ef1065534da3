// Package telemetry has the relay's metrics and the build's version. It is not tied to a monitoring product: measurements
// become CloudWatch EMF lines on AWS (this package), and Prometheus series on one host (cmd/relay).
package telemetry

// Unit is a measurement's unit, in CloudWatch's words.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
	Seconds      Unit = "Seconds"
)

// Measurement is one value of a metric.
type Measurement struct {
	// Name is one of the Metric constants.
	Name string
	// Unit is the unit of Value. Values of Count are added up; the others are distributions.
	Unit  Unit
	Value float64
	// Dimension divides the metric, for example by reason. Both fields are empty if there is none. Values come from small fixed
	// sets, never from numbers or texts.
	Dimension Dimension
}

// Dimension is a metric's dimension: a name and one of its values.
type Dimension struct{ Name, Value string }

// Emit publishes the measurements of one unit of work. It does not block for long and never fails.
type Emit func(measurements ...Measurement)

// Discard is an Emit that drops everything.
func Discard(...Measurement) {}

// The metrics. Each name is emitted by one package, under the dimension named here.
const (
	// MetricAccepted counts webhooks whose envelope the queue holds, by Kind (inbound, receipt, manual).
	MetricAccepted = "Accepted"
	// MetricRejected counts requests refused, by Reason (signature, too_large, content_type, malformed, method, path).
	MetricRejected = "Rejected"
	// MetricUnavailable counts requests answered with 503 because the queue did not accept the envelope.
	MetricUnavailable = "Unavailable"
	// MetricRelayed counts messages that Twilio accepted, each once: when its answer, a look or a receipt says so, whichever is
	// first.
	MetricRelayed = "Relayed"
	// MetricOutcome counts texts by the State they moved to.
	MetricOutcome = "Outcome"
	// MetricReachedNobody counts texts that ended without reaching a phone, though they were meant for one.
	MetricReachedNobody = "ReachedNobody"
	// MetricDropped counts texts dropped, by Reason.
	MetricDropped = "Dropped"
	// MetricTwilioFault counts failed calls to Twilio, by Kind of fault.
	MetricTwilioFault = "TwilioFault"
	// MetricHalted counts texts that wait because the account is unusable.
	MetricHalted = "Halted"
	// MetricQuota counts how often a text had to wait because a limit of Twilio or a carrier is used up, as the answer to its
	// POST or a receipt says.
	MetricQuota = "Quota"
	// MetricPaced counts texts that wait because of the pace limits, MetricPaceWait is for how long.
	MetricPaced    = "Paced"
	MetricPaceWait = "PaceWait"
	// MetricPingPong counts how often a text had to wait because too many went back and forth between a customer and a phone.
	MetricPingPong = "PingPong"
	// MetricAnswers counts texts of phones on duty, by Verdict (sent, held, joined, told, released, dropped), and what the relay itself
	// answered customers (automatic).
	MetricAnswers = "Answers"
	// MetricEscalated counts stages of unanswered texts, by Stage (next, all, owner), MetricUnanswered customers whom no phone of the
	// route has answered in its time.
	MetricEscalated  = "Escalated"
	MetricUnanswered = "Unanswered"
	// MetricTimeToClaim and MetricTimeToAnswer are the times from when Twilio took the first text of a customer who waits until a phone
	// had the conversation, and until a phone answered.
	MetricTimeToClaim  = "TimeToClaim"
	MetricTimeToAnswer = "TimeToAnswer"
	// MetricNoticesLeftOut counts what phones on duty were not told, because they were told so much.
	MetricNoticesLeftOut = "NoticesLeftOut"
	// MetricLooked counts looks at Twilio's list for a message whose POST was not answered, by Verdict (present, absent,
	// ambiguous; unreadable if the list could not be read).
	MetricLooked = "Looked"
	// MetricCascaded counts texts that went on to the next hop, by Reason (refused, undelivered, delivery_timeout).
	MetricCascaded = "Cascaded"
	// MetricOptedOut counts hops found to have opted out.
	MetricOptedOut = "OptedOut"
	// MetricDeadLetters counts messages the sender put on the dead-letter queue, by Reason.
	MetricDeadLetters = "DeadLetters"
	// MetricRedriven counts dead texts that were tried again because an operator moved their dead letter back to the queue, and
	// uncertain texts that an operator had sent again.
	MetricRedriven = "Redriven"
	// MetricRelayLatency is the time from when the front door got a text until Twilio accepted the relayed message, or until a
	// look found it. It is not known if only a receipt shows that Twilio accepted it.
	MetricRelayLatency = "RelayLatency"
	// MetricDeliveryLatency is the time from when the front door got a text until the receipt that says delivered.
	MetricDeliveryLatency = "DeliveryLatency"
	// MetricDuplicates counts queue messages for texts that needed nothing more.
	MetricDuplicates = "Duplicates"
	// MetricAuditEntries counts entries written to the audit log.
	MetricAuditEntries = "AuditEntries"
	// MetricRouteChanges counts the entries about routes among them.
	MetricRouteChanges = "RouteChanges"
	// MetricAuditLag is the age of the oldest change of a batch when it was written to the audit log.
	MetricAuditLag = "AuditLag"
	// MetricAuditSetAside counts changes that were set aside because no entry can be made from them or kept.
	MetricAuditSetAside = "AuditSetAside"
	// MetricAuditFailures counts batches that could not be written completely.
	MetricAuditFailures = "AuditFailures"
	// MetricSegments counts the segments of the messages that Twilio accepted: as Twilio counts them, or by the same rules if
	// its answer does not say. Twilio bills segments.
	MetricSegments = "Segments"
	// MetricColdStart counts the first calls of processes, by Function (ingest, sender, stream-audit, operator).
	MetricColdStart = "ColdStart"
)
