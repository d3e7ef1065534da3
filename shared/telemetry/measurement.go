// Package telemetry has what the relay measures, and the build's version. It is not tied to a monitoring product:
// measurements become CloudWatch EMF lines on AWS (this package), and Prometheus series on one host (cmd/relay).
package telemetry

// Unit is a measurement's unit, in CloudWatch's words.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
	Seconds      Unit = "Seconds"
)

// Measurement is one number worth watching.
type Measurement struct {
	// Name is one of the Metric constants.
	Name string
	// Unit says what Value counts: with Count, values add up; the others are distributions.
	Unit  Unit
	Value float64
	// Dimension narrows the metric down, for example by reason. Both fields are empty for none. Values come from
	// small closed sets, never from numbers or texts.
	Dimension Dimension
}

// Dimension is a metric's dimension: a name and one of its values.
type Dimension struct{ Name, Value string }

// Emit takes the measurements of one unit of work. It does not block for long and never fails.
type Emit func(measurements ...Measurement)

// Discard is an Emit that drops everything.
func Discard(...Measurement) {}

// The metrics. Each name is emitted by one package, under the dimension named here.
const (
	// MetricAccepted counts webhooks whose envelope the queue holds, by Kind (inbound, receipt, manual).
	MetricAccepted = "Accepted"
	// MetricRejected counts requests refused, by Reason (signature, too_large, content_type, malformed, method, path).
	MetricRejected = "Rejected"
	// MetricUnavailable counts requests answered 503 because the queue did not take the envelope.
	MetricUnavailable = "Unavailable"
	// MetricRelayed counts messages that Twilio took, each once: when its answer, a look or a receipt says so, whichever is first.
	MetricRelayed = "Relayed"
	// MetricOutcome counts texts by the State they moved to.
	MetricOutcome = "Outcome"
	// MetricReachedNobody counts texts that ended on no phone, though they were meant for one.
	MetricReachedNobody = "ReachedNobody"
	// MetricDropped counts texts dropped, by Reason.
	MetricDropped = "Dropped"
	// MetricTwilioFault counts failed calls to Twilio, by Kind of fault.
	MetricTwilioFault = "TwilioFault"
	// MetricHalted counts texts held back because the account is unusable.
	MetricHalted = "Halted"
	// MetricQuota counts how often a text was put off because an allowance of Twilio's or a carrier's is used up, as an answer to its
	// POST or in a receipt.
	MetricQuota = "Quota"
	// MetricPaced counts texts put off by the pace limits, MetricPaceWait is for how long.
	MetricPaced    = "Paced"
	MetricPaceWait = "PaceWait"
	// MetricLooked counts looks at Twilio's list for a message whose POST was not answered, by Verdict (present, absent,
	// ambiguous; unreadable if the list could not be read).
	MetricLooked = "Looked"
	// MetricCascaded counts texts that went on to the next hop, by Reason (refused, undelivered, delivery_timeout).
	MetricCascaded = "Cascaded"
	// MetricOptedOut counts hops found to have opted out.
	MetricOptedOut = "OptedOut"
	// MetricDeadLetters counts messages the sender put on the dead-letter queue, by Reason.
	MetricDeadLetters = "DeadLetters"
	// MetricRedriven counts dead texts that went on because an operator moved their dead letter back to the queue, and uncertain
	// ones that an operator had sent again.
	MetricRedriven = "Redriven"
	// MetricRelayLatency is from the front door's receipt of a text to Twilio's acceptance of the relayed one, or to the look that
	// found it. Of one that only a receipt tells of, nobody knows.
	MetricRelayLatency = "RelayLatency"
	// MetricDeliveryLatency is from the front door's receipt of a text to the receipt that says delivered.
	MetricDeliveryLatency = "DeliveryLatency"
	// MetricDuplicates counts deliveries of texts that needed nothing any more.
	MetricDuplicates = "Duplicates"
	// MetricAuditEntries counts entries written to the audit log.
	MetricAuditEntries = "AuditEntries"
	// MetricRouteChanges counts those of them that tell of routes.
	MetricRouteChanges = "RouteChanges"
	// MetricAuditLag is the age of the oldest change of a batch when it was written to the audit log.
	MetricAuditLag = "AuditLag"
	// MetricAuditSetAside counts changes that were set aside because no entry of them can be made or kept.
	MetricAuditSetAside = "AuditSetAside"
	// MetricAuditFailures counts batches that could not be written whole.
	MetricAuditFailures = "AuditFailures"
	// MetricSegments counts the segments of the messages that Twilio took: as Twilio counts them, or by the same rules
	// where its answer does not say. They are what a message costs.
	MetricSegments = "Segments"
	// MetricColdStart counts the first calls of processes, by Function (ingest, sender, stream-audit, operator).
	MetricColdStart = "ColdStart"
)
