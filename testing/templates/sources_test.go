package templates

import (
	"slices"
	"strconv"
	"strings"

	"quickdumpnow.com/smsrelay/shared/conversation"
)

// The bounds that the sources of events are held to.
const (
	// visibilityPerTimeout is what Lambda's manual asks for: a batch may be tried again a few times before it shows.
	visibilityPerTimeout = 6
	// senderBatch is how many messages the sender works on side by side, and all that a FIFO queue gives.
	senderBatch = 10
	// fewestRuns is the least MaximumConcurrency that Lambda accepts.
	fewestRuns = 2
	// streamDay is how long a stream keeps its records, in seconds.
	streamDay = 86400
)

func sourceChecks() []check {
	return []check{
		{"each source of events takes partial failures", findPartialFailures, []mutation{
			{"the queue does not", remove("SenderFunction", "Events.Queue.Properties.FunctionResponseTypes")},
			{"the timer queue does not", remove("SenderFunction", "Events.Timers.Properties.FunctionResponseTypes")},
			{"a stream does not", set("StreamAuditFunction", "Events.Routes.Properties.FunctionResponseTypes", []any{})},
		}},
		{"the queues' batches suit the sender", findBatches, []mutation{
			{"a batch over FIFO's limit", set("SenderFunction", "Events.Queue.Properties.BatchSize", 11)},
			{"a window, which FIFO has not", set("SenderFunction", "Events.Queue.Properties.MaximumBatchingWindowInSeconds", 1)},
			{"a batch of timers that would wait in turn", set("SenderFunction", "Events.Timers.Properties.BatchSize", 11)},
			{"a window, which delays timers", set("SenderFunction", "Events.Timers.Properties.MaximumBatchingWindowInSeconds", 1)},
			{"visibility under six timeouts", set("Queue", "VisibilityTimeout", 179)},
			{"timers' visibility under six timeouts", set("TimerQueue", "VisibilityTimeout", 179)},
			{"a longer timeout", set("SenderFunction", "Timeout", 31)},
			{"as many batches as Lambda likes", remove("SenderFunction", "Events.Queue.Properties.ScalingConfig")},
			{"as many batches of timers as Lambda likes", remove("SenderFunction", "Events.Timers.Properties.ScalingConfig")},
			{"no queue at all", remove("SenderFunction", "Events")},
			{"no timers", remove("SenderFunction", "Events.Timers")},
			{"the wrong queue", set("SenderFunction", "Events.Queue.Properties.Queue", object{"Fn::GetAtt": "DeadLetterQueue.Arn"})},
			{"the wrong timers", set("SenderFunction", "Events.Timers.Properties.Queue", object{"Fn::GetAtt": "TimerDeadLetterQueue.Arn"})},
		}},
		{"the sender may run all batches that the queues give it at once", findRuns, []mutation{
			{"more texts", set("SenderFunction", "Events.Queue.Properties.ScalingConfig.MaximumConcurrency", 3)},
			{"more timers", set("SenderFunction", "Events.Timers.Properties.ScalingConfig.MaximumConcurrency", 3)},
			{"fewer runs than batches", set("SenderFunction", "ReservedConcurrentExecutions", 3)},
			{"no bound", remove("SenderFunction", "ReservedConcurrentExecutions")},
			{"a row that adds up to more", func(t template) { mapping(at(t, "Mappings.SenderRuns.50"))["Timers"] = 11 }},
			{"a row that leaves runs over", func(t template) { mapping(at(t, "Mappings.SenderRuns.50"))["Texts"] = 30 }},
			{"a row with fewer timers than Lambda accepts", func(t template) {
				row := mapping(at(t, "Mappings.SenderRuns.4"))
				row["Texts"], row["Timers"] = 3, 1
			}},
			{"a number without a row", func(t template) { delete(mapping(at(t, "Mappings.SenderRuns")), "1000") }},
			{"a row for no number", func(t template) {
				mapping(at(t, "Mappings.SenderRuns"))["12"] = object{"Texts": 10, "Timers": 2}
			}},
		}},
		{"streams are read from their start and never block for ever", findStreams, []mutation{
			{"from now on only", set("StreamAuditFunction", "Events.Ledger.Properties.StartingPosition", "LATEST")},
			{"without bisecting", set("StreamAuditFunction", "Events.Ledger.Properties.BisectBatchOnFunctionError", false)},
			{"for ever", set("StreamAuditFunction", "Events.Ledger.Properties.MaximumRetryAttempts", -1)},
			{"until they expire", set("StreamAuditFunction", "Events.Routes.Properties.MaximumRecordAgeInSeconds", -1)},
			{"too long to read them again", set("StreamAuditFunction", "Events.Routes.Properties.MaximumRecordAgeInSeconds", 86400)},
			{"what fails is lost", remove("StreamAuditFunction", "Events.Routes.Properties.DestinationConfig")},
			{
				"what fails goes nowhere",
				set("StreamAuditFunction", "Events.Routes.Properties.DestinationConfig.OnFailure.Destination", object{"Fn::GetAtt": "NoBucket.Arn"}),
			},
			{"only a pointer is left", func(t template) {
				put(t.resource("StreamAuditFunction"), "Events.Routes.Properties.DestinationConfig.OnFailure",
					object{"Type": "SQS", "Destination": object{"Fn::GetAtt": "TimerDeadLetterQueue.Arn"}})
			}},
			{"a window that may be long", setParameter("AuditBatchWindow", "AllowedValues", []any{1, 60})},
			{"a long window", set("StreamAuditFunction", "Events.Ledger.Properties.MaximumBatchingWindowInSeconds", 60)},
			{"only one of the tables", remove("StreamAuditFunction", "Events.Routes")},
			{"without the conversations", remove("StreamAuditFunction", "Events.Conversations")},
		}},
		{"of the conversations' table, only conversations and actions are audited", findFilters, []mutation{
			{"its phones and tags, too", remove("StreamAuditFunction", "Events.Conversations.Properties.FilterCriteria")},
			{"its phones instead", set("StreamAuditFunction", "Events.Conversations.Properties.FilterCriteria.Filters",
				[]any{object{"Pattern": strings.Replace(conversationFilter, "c#", "p#", 1)}})},
			{"a part of the texts", set("StreamAuditFunction", "Events.Ledger.Properties.FilterCriteria",
				object{"Filters": []any{object{"Pattern": conversationFilter}}})},
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
	if len(sources) != 2 || text(sources["Queue"], "Queue") != "${Queue.Arn}" || text(sources["Timers"], "Queue") != "${TimerQueue.Arn}" {
		report("SenderFunction: should take its messages from Queue and TimerQueue alone")
	}
	for name, source := range sources {
		if size := number(source, "BatchSize"); size < 1 || size > senderBatch || source["MaximumBatchingWindowInSeconds"] != nil {
			report("SenderFunction: source %s has batches of %d; there should be at most %d messages in one, and no window", name, size, senderBatch)
		}
		if most := number(source, "ScalingConfig.MaximumConcurrency"); most < fewestRuns {
			report("SenderFunction: source %s is bounded at %d batches at once, should be at %d or more", name, most, fewestRuns)
		}
		queue := t.resource(referenced(text(source, "Queue")))
		if number(queue, "VisibilityTimeout") < visibilityPerTimeout*number(sender, "Timeout") {
			report("SenderFunction: VisibilityTimeout %d s is under %d times the timeout, %d s", number(queue, "VisibilityTimeout"),
				visibilityPerTimeout, number(sender, "Timeout"))
		}
	}
}

// findRuns adds up what the sender's sources may run at once, for the parameters given and for all others.
func findRuns(t template, _ code, report reporter) {
	sender := t.functions()["SenderFunction"]
	var sum int
	for _, source := range events(sender, "SQS") {
		sum += number(source, "ScalingConfig.MaximumConcurrency")
	}
	if reserved := number(sender, "ReservedConcurrentExecutions"); sum > reserved {
		report("SenderFunction: its sources run %d batches at once, the function %d: what it refuses is a receive spent", sum, reserved)
	}
	rows := mapping(at(t, "Mappings.SenderRuns"))
	allowed := expressions(at(t, "Parameters.SenderConcurrency.AllowedValues"))
	if !sameSet(sorted(rows), allowed) {
		report("SenderRuns: has rows for %q, SenderConcurrency may be %q", sorted(rows), allowed)
	}
	for name, row := range rows {
		texts, timers := number(row, "Texts"), number(row, "Timers")
		if strconv.Itoa(texts+timers) != name || texts < fewestRuns || timers < fewestRuns {
			report("SenderRuns: row %s should be two numbers of at least %d that add up to its name, is %d and %d", name, fewestRuns, texts, timers)
		}
	}
}

func findStreams(t template, _ code, report reporter) {
	for _, window := range expressions(at(t, "Parameters.AuditBatchWindow.AllowedValues")) {
		if seconds, err := strconv.Atoi(window); err != nil || seconds > 5 {
			report("StreamAuditFunction: may wait %s s for a batch: the audit log would lag", window)
		}
	}
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
		destination := text(source, "DestinationConfig.OnFailure.Destination")
		if text(source, "DestinationConfig.OnFailure.Type") != "S3" || t.resources("AWS::S3::Bucket")[referenced(destination)] == nil {
			report("StreamAuditFunction: source %s should leave what it gives up in a bucket: a queue gets no records, only where they were", name)
		}
	}
	slices.Sort(read)
	if !slices.Equal(read, []string{"${ConversationsTable.StreamArn}", "${LedgerTable.StreamArn}", "${RoutingTable.StreamArn}"}) {
		report("StreamAuditFunction: reads %s, should read the ledger, the routes and the conversations", strings.Join(read, ", "))
	}
}

// conversationFilter lets those items of the conversations' table through that are audited.
const conversationFilter = `{"dynamodb":{"Keys":{"Item":{"S":[{"prefix":"` + conversation.PrefixConversation + `"},{"prefix":"` +
	conversation.PrefixAction + `"}]}}}}`

func findFilters(t template, _ code, report reporter) {
	for name, source := range events(t.functions()["StreamAuditFunction"], "DynamoDB") {
		var patterns []string
		for _, filter := range items(at(source, "FilterCriteria.Filters")) {
			patterns = append(patterns, text(filter, "Pattern"))
		}
		var want []string
		if text(source, "Stream") == "${ConversationsTable.StreamArn}" {
			want = []string{conversationFilter}
		}
		if !slices.Equal(patterns, want) {
			report("StreamAuditFunction: source %s lets through %q, should %q", name, patterns, want)
		}
	}
}

// referenced returns the logical id in an expression such as "${Queue.Arn}".
func referenced(expression string) string {
	inner := strings.TrimSuffix(strings.TrimPrefix(expression, "${"), "}")
	id, _, _ := strings.Cut(inner, ".")
	return id
}
