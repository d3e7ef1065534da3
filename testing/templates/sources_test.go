package templates

import (
	"slices"
	"strings"
)

// The bounds that the sources of events are held to.
const (
	// visibilityPerTimeout is what Lambda's manual asks for: a batch may be tried again a few times before it shows.
	visibilityPerTimeout = 6
	fifoBatch            = 10
	// streamDay is how long a stream keeps its records, in seconds.
	streamDay = 86400
)

func sourceChecks() []check {
	return []check{
		{"each source of events takes partial failures", findPartialFailures, []mutation{
			{"the queue does not", remove("SenderFunction", "Events.Queue.Properties.FunctionResponseTypes")},
			{"a stream does not", set("StreamAuditFunction", "Events.Routes.Properties.FunctionResponseTypes", []any{})},
		}},
		{"the queue's batches suit the sender", findBatches, []mutation{
			{"a batch over FIFO's limit", set("SenderFunction", "Events.Queue.Properties.BatchSize", 11)},
			{"a window, which FIFO has not", set("SenderFunction", "Events.Queue.Properties.MaximumBatchingWindowInSeconds", 1)},
			{"visibility under six timeouts", set("Queue", "VisibilityTimeout", 179)},
			{"a longer timeout", set("SenderFunction", "Timeout", 31)},
			{"more batches than the function may run", set("SenderFunction", "Events.Queue.Properties.ScalingConfig.MaximumConcurrency", 11)},
			{"as many batches as Lambda likes", remove("SenderFunction", "Events.Queue.Properties.ScalingConfig")},
			{"fewer runs than batches", set("SenderFunction", "ReservedConcurrentExecutions", 9)},
			{"no queue at all", remove("SenderFunction", "Events")},
			{"the wrong queue", set("SenderFunction", "Events.Queue.Properties.Queue", object{"Fn::GetAtt": "DeadLetterQueue.Arn"})},
		}},
		{"streams are read from their start and never block for ever", findStreams, []mutation{
			{"from now on only", set("StreamAuditFunction", "Events.Ledger.Properties.StartingPosition", "LATEST")},
			{"without bisecting", set("StreamAuditFunction", "Events.Ledger.Properties.BisectBatchOnFunctionError", false)},
			{"for ever", set("StreamAuditFunction", "Events.Ledger.Properties.MaximumRetryAttempts", -1)},
			{"until they expire", set("StreamAuditFunction", "Events.Routes.Properties.MaximumRecordAgeInSeconds", -1)},
			{"too long to read them again", set("StreamAuditFunction", "Events.Routes.Properties.MaximumRecordAgeInSeconds", 86400)},
			{"what fails is lost", remove("StreamAuditFunction", "Events.Routes.Properties.DestinationConfig")},
			{"what fails goes nowhere", set("StreamAuditFunction", "Events.Routes.Properties.DestinationConfig.OnFailure.Destination", object{"Fn::GetAtt": "NoQueue.Arn"})},
			{"a long window", set("StreamAuditFunction", "Events.Ledger.Properties.MaximumBatchingWindowInSeconds", 60)},
			{"only one of the tables", remove("StreamAuditFunction", "Events.Routes")},
		}},
	}
}

func findPartialFailures(t template, _ code, report reporter) {
	for id, f := range t.functions() {
		for name, event := range mapping(f["Events"]) {
			if !slices.Equal(expressions(at(event, "Properties.FunctionResponseTypes")), []string{"ReportBatchItemFailures"}) {
				report("%s: source %s lacks ReportBatchItemFailures: one failure would repeat a whole batch", id, name)
			}
		}
	}
}

func findBatches(t template, _ code, report reporter) {
	sender := t.functions()["SenderFunction"]
	sources := events(sender, "SQS")
	if len(sources) != 1 || text(sources["Queue"], "Queue") != "${Queue.Arn}" {
		report("SenderFunction: should take its messages from Queue alone")
	}
	for name, source := range sources {
		if size := number(source, "BatchSize"); size < 1 || size > fifoBatch || source["MaximumBatchingWindowInSeconds"] != nil {
			report("SenderFunction: source %s has batches of %d; a FIFO queue gives at most %d, and has no window", name, size, fifoBatch)
		}
		most, reserved := number(source, "ScalingConfig.MaximumConcurrency"), number(sender, "ReservedConcurrentExecutions")
		if most < 2 || most > reserved {
			report("SenderFunction: source %s runs %d batches at once, the function %d: what it refuses is a receive spent", name, most, reserved)
		}
		queue := t.resource(referenced(text(source, "Queue")))
		if number(queue, "VisibilityTimeout") < visibilityPerTimeout*number(sender, "Timeout") {
			report("SenderFunction: VisibilityTimeout %d s is under %d times the timeout, %d s", number(queue, "VisibilityTimeout"), visibilityPerTimeout, number(sender, "Timeout"))
		}
	}
}

func findStreams(t template, _ code, report reporter) {
	sources := events(t.functions()["StreamAuditFunction"], "DynamoDB")
	var read []string
	for name, source := range sources {
		read = append(read, text(source, "Stream"))
		if text(source, "StartingPosition") != "TRIM_HORIZON" || !isTrue(source, "BisectBatchOnFunctionError") {
			report("StreamAuditFunction: source %s should begin at TRIM_HORIZON and bisect failed batches", name)
		}
		if tries := number(source, "MaximumRetryAttempts"); tries < 1 || tries > 10000 {
			report("StreamAuditFunction: source %s repeats a failed batch %d times: it should be bounded", name, tries)
		}
		if age := number(source, "MaximumRecordAgeInSeconds"); age < 60 || age > streamDay/2 {
			report("StreamAuditFunction: source %s gives records up at %d s: at half a day they can still be read again", name, age)
		}
		if window := number(source, "MaximumBatchingWindowInSeconds"); window > 5 {
			report("StreamAuditFunction: source %s waits %d s for a batch: the audit log would lag", name, window)
		}
		if destination := text(source, "DestinationConfig.OnFailure.Destination"); t.resource(referenced(destination)) == nil {
			report("StreamAuditFunction: source %s leaves no trace of what it gives up", name)
		}
	}
	slices.Sort(read)
	if !slices.Equal(read, []string{"${LedgerTable.StreamArn}", "${RoutingTable.StreamArn}"}) {
		report("StreamAuditFunction: reads %s, should read the ledger and the routes", strings.Join(read, ", "))
	}
}

// referenced returns the logical id in an expression such as "${Queue.Arn}".
func referenced(expression string) string {
	inner := strings.TrimSuffix(strings.TrimPrefix(expression, "${"), "}")
	id, _, _ := strings.Cut(inner, ".")
	return id
}
