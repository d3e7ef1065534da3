package onehost

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/reconcile"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// namespace begins the name of each series of the relay's own.
const namespace = "smsrelay"

// counter is a metric that is counted.
type counter struct {
	// name is one of telemetry's.
	name string
	// dimension divides it, values are all its values; both are empty if nothing does.
	dimension string
	values    []string
	// help says what is counted, and when somebody should care.
	help string
}

func (c counter) labels() []string {
	if c.dimension == "" {
		return nil
	}
	return []string{snake(c.dimension)}
}

// words writes the values of one of the relay's lists of names.
func words[T ~string](all ...T) []string {
	list := make([]string, len(all))
	for i, one := range all {
		list[i] = string(one)
	}
	return list
}

// metricNotifications counts notices on one host, where the relay itself sends them, by what became of them.
const (
	metricNotifications = "Notifications"
	noticeTaken         = "taken"
	noticeFailed        = "failed"
)

// unreadableList is a look's verdict if Twilio's list could not be read.
const unreadableList = "unreadable"

// counted are the metrics that are counted.
func counted() []counter {
	return append(countedTexts(), []counter{
		{
			telemetry.MetricAnswers, "Verdict", append(words(ledger.AnswerSent, ledger.AnswerHeld, ledger.AnswerJoined, ledger.AnswerTold,
				ledger.AnswerReleased, ledger.AnswerCommand, ledger.AnswerDropped), "automatic"),
			"Texts of phones on duty by what became of them. held means that the phone was asked which customer it meant; " +
				"automatic are the relay's own answers to customers.",
		},
		{
			telemetry.MetricEscalated, "Stage", words(conversation.StageNext, conversation.StageAll, conversation.StageOwner),
			"Customers' texts that went out again because nobody had answered, by whom they went to. Many mean that those on duty do not answer.",
		},
		{
			telemetry.MetricUnanswered, "", nil,
			"Customers who wait for an answer after every phone of the route has had its time. Each needs a person: relay conversation ls --open.",
		},
		{
			telemetry.MetricNoticesLeftOut, "", nil,
			"Notices that phones on duty did not get because they had so many. A few are harmless.",
		},
		{
			telemetry.MetricPingPong, "", nil,
			"Texts that wait because too many went back and forth between a customer and a phone: most likely two machines answer each other.",
		},
		{
			metricNotifications, "Result",
			[]string{noticeTaken, noticeFailed},
			"Tries to tell people something at the targets of RELAY_NOTIFY. failed ones are tried again; while they fail, nobody is told.",
		},
		{telemetry.MetricAuditEntries, "", nil, "Entries written to the audit log."},
		{telemetry.MetricRouteChanges, "", nil, "Entries about changes of routes among those written to the audit log."},
		{
			telemetry.MetricAuditSetAside, "", nil,
			"Changes of which no entry of the audit log could be made. They are in the folder audit-failures, and relay audit verify finds a gap.",
		},
		{
			telemetry.MetricAuditFailures, "", nil,
			"Batches that could not be written to the audit log completely. They are tried again; if it grows, the disk is full or failing.",
		},
	}...)
}

// countedTexts are those of customers' texts on their way.
func countedTexts() []counter {
	return append(countedSending(), []counter{
		{
			telemetry.MetricAccepted, "Kind", words(queue.KindInbound, queue.KindReceipt, queue.KindManual),
			"Texts, receipts and operators' texts that the relay has taken and holds on disk. If texts stop, customers' texts go elsewhere.",
		},
		{
			telemetry.MetricRejected, "Reason",
			[]string{"signature", "too_large", "content_type", "malformed", "method", "path"},
			"Requests that the front door refused. Many with reason signature mean an attack, or that the relay has a wrong URL or Auth Token.",
		},
		{
			telemetry.MetricUnavailable, "", nil,
			"Requests answered with 503 because the database did not take them. Twilio sends a text again for some minutes; then it is lost.",
		},
		{
			telemetry.MetricOutcome, "State", words(ledger.States()...),
			"Texts by the state that they moved to. relay explain state says what each means; dead and uncertain need a person.",
		},
		{
			telemetry.MetricReachedNobody, "", nil,
			"Texts that ended and reached no phone though they were meant for one. A customer wrote and nobody knows: relay resend.",
		},
		{
			telemetry.MetricDropped, "Reason", words(ledger.ReasonNoRoute, ledger.ReasonInactive, ledger.ReasonLoop, ledger.ReasonOptOut,
				ledger.ReasonExpired, ledger.ReasonKeyword, ledger.ReasonUnaddressed, ledger.ReasonAutoReply, ledger.ReasonNotStaff,
				ledger.ReasonInstruction, ledger.ReasonReaction, ledger.ReasonNoFirstPart, ledger.ReasonBlocked, ledger.ReasonAnswered),
			"Texts that nobody gets, by why. Those with no_route came for a number that has no route.",
		},
	}...)
}

// countedSending are those of sending.
func countedSending() []counter {
	var kinds []string
	for kind := fault.Unknown; kind <= fault.Quota; kind++ {
		kinds = append(kinds, kind.String())
	}
	return []counter{
		{telemetry.MetricRelayed, "", nil, "Messages that Twilio accepted, each once."},
		{telemetry.MetricSegments, "", nil, "Segments of the messages that Twilio accepted. Twilio bills segments."},
		{
			telemetry.MetricTwilioFault, "Kind", kinds,
			"Failed calls to Twilio, by what the relay does about them. fatal and quota hold texts back; not_sent means no connection.",
		},
		{
			telemetry.MetricHalted, "", nil,
			"How often a text was held back because Twilio refuses the account. While it grows, no text goes out.",
		},
		{
			telemetry.MetricQuota, "", nil,
			"How often a text had to wait because an allowance of Twilio or a carrier is used up. Texts older than MaxAge become dead letters.",
		},
		{telemetry.MetricPaced, "", nil, "Texts that were put off by the pace limits. All is well while they go out in time."},
		{
			telemetry.MetricLooked, "Verdict", append(words(reconcile.Present.String(), reconcile.Absent.String(), reconcile.Ambiguous.String()),
				unreadableList),
			"Looks at Twilio's list for a message whose POST was not answered, by what they found. ambiguous and unreadable make uncertain texts.",
		},
		{
			telemetry.MetricCascaded, "Reason", words(ledger.ReasonRefused, "undelivered", ledger.ReasonDeliveryTimeout),
			"Texts that went on to the route's next phone, by why. Many mean that the first phone cannot be reached.",
		},
		{telemetry.MetricOptedOut, "", nil, "Phones that were found to have opted out: they get no text until their owner texts START."},
		{
			telemetry.MetricDeadLetters, "Reason", words(ledger.ReasonAttemptsExhausted, ledger.ReasonExpired, ledger.ReasonUndecodable),
			"Messages that were given up and put on the queue of dead letters, by why. Customers wrote, and nobody got it: relay dlq ls.",
		},
		{telemetry.MetricRedriven, "", nil, "Dead and uncertain texts that an operator had tried again."},
		{telemetry.MetricDuplicates, "", nil, "Messages on the queue for texts that needed nothing more. That is normal: nothing is sent twice."},
	}
}

// timer is a metric that is a time.
type timer struct {
	// name is one of telemetry's.
	name string
	// buckets are the bounds of its histogram, in seconds.
	buckets []float64
	help    string
}

// timed are the metrics that are times.
func timed() []timer {
	// A person answers within minutes or hours.
	var answering []float64
	for _, bound := range []time.Duration{
		30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
		15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 24 * time.Hour,
	} {
		answering = append(answering, bound.Seconds())
	}
	return []timer{
		{
			telemetry.MetricRelayLatency, prometheus.ExponentialBuckets(0.02, 3, 12),
			"How long texts took from when the relay got them until Twilio accepted the relayed message.",
		},
		{
			telemetry.MetricDeliveryLatency, prometheus.ExponentialBuckets(0.1, 3, 12),
			"How long texts took from when the relay got them until the receipt that says delivered.",
		},
		{
			telemetry.MetricPaceWait, prometheus.ExponentialBuckets(0.1, 3, 10),
			"How long texts have to wait because of the pace limits. If it grows, more texts come than the limits let through.",
		},
		{
			telemetry.MetricTimeToClaim, answering,
			"How long customers waited until a phone had their conversation.",
		},
		{
			telemetry.MetricTimeToAnswer, answering,
			"How long customers waited until a phone answered them.",
		},
		{
			telemetry.MetricAuditLag, prometheus.ExponentialBuckets(0.005, 4, 10),
			"How old changes were when they were written to the audit log.",
		},
	}
}
