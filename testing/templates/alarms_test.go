package templates

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func alarmChecks() []check {
	return []check{
		{"each alarm tells someone, when it begins and when it ends", findActionsOfAlarms, []mutation{
			{"nobody", remove("HaltedAlarm", "AlarmActions")},
			{"not that it is over", remove("HaltedAlarm", "OKActions")},
			{"another topic", set("DeadLetterAlarm", "AlarmActions", []any{object{"Ref": "OtherTopic"}})},
			{"switched off", set("UncertainAlarm", "ActionsEnabled", false)},
		}},
		{"each alarm says what it means, when it goes off, and what no data is", findAlarms, []mutation{
			{"nothing about missing data", remove("DeadLetterAlarm", "TreatMissingData")},
			{"an alarm without data", set("HaltedAlarm", "TreatMissingData", "breaching")},
			{"no threshold", remove("QueueAgeAlarm", "Threshold")},
			{"the other way round", set("QueueAgeAlarm", "ComparisonOperator", "LessThanThreshold")},
			{"a period that CloudWatch has not", set("QueueAgeAlarm", "Period", 45)},
			{"an average of counts", set("UncertainAlarm", "Statistic", "Average")},
			{"a sum of depths", set("DeadLetterAlarm", "Statistic", "Sum")},
			{"more points than periods", set("AuditFailureAlarm", "DatapointsToAlarm", 4)},
		}},
		{"each alarm has its section in the runbook, and each section its alarm", findRunbook, []mutation{
			{"without an address", set("HaltedAlarm", "AlarmDescription", "Sending is halted.")},
			{"a section that is not there", set("HaltedAlarm", "AlarmDescription", object{"Fn::Sub": "Sending is halted. docs/runbook.md#halt"})},
			{"a page that is not the runbook", set("HaltedAlarm", "AlarmDescription", object{"Fn::Sub": "Sending is halted. docs/other.md#halted"})},
			{
				"two sentences in one section",
				set("HaltedAlarm", "AlarmDescription", object{"Fn::Sub": "Sending is halted. docs/runbook.md#uncertain"}),
			},
			{"no sentence", set("HaltedAlarm", "AlarmDescription", object{"Fn::Sub": "docs/runbook.md#halted"})},
			{"a section for no alarm", removeResource("IngestThrottleAlarm")},
		}},
		{"what has to wake someone has an alarm", findNeeded, []mutation{
			{"dead letters", removeResource("DeadLetterAlarm")},
			{
				"dead letters of another queue",
				set("DeadLetterAlarm", "Dimensions", []any{object{"Name": "QueueName", "Value": object{"Fn::GetAtt": "Queue.QueueName"}}}),
			},
			{"ten dead letters", set("DeadLetterAlarm", "Threshold", 10)},
			{"another state", set("UncertainAlarm", "Dimensions", []any{object{"Name": "State", "Value": "dead"}})},
			{"texts that reached nobody", removeResource("ReachedNobodyAlarm")},
			{"throttles", removeResource("SenderThrottleAlarm")},
			{"changes that a mapping gave up", removeResource("LedgerGivenUpAlarm")},
			{"the stream's age", set("IteratorAgeAlarm", "MetricName", "Duration")},
			{"a refused signature", set("SignatureAlarm", "Threshold", 0)},
		}},
		{"the alarms' topic accepts what CloudWatch says about this account, over TLS", findTopic, []mutation{
			{"no policy", removeResource("AlarmTopicPolicy")},
			{"of another topic", set("AlarmTopicPolicy", "Topics", []any{object{"Ref": "OtherTopic"}})},
			{"from anyone", func(t template) { topicStatement(t, "Allow")["Principal"] = "*" }},
			{"from any account", func(t template) { delete(mapping(topicStatement(t, "Allow")["Condition"]), "StringEquals") }},
			{"without TLS", func(t template) { topicStatement(t, "Deny")["Effect"] = "Allow" }},
			{"with a key that CloudWatch may not use", set("AlarmTopic", "KmsMasterKeyId", "alias/aws/sns")},
			{"an address that is not the parameter's", func(t template) {
				mapping(t["Resources"])["AlarmEmailSubscription"] = object{
					"Type":       "AWS::SNS::Subscription",
					"Properties": object{"Endpoint": "x@example.com"},
				}
			}},
		}},
	}
}

func viewChecks() []check {
	return []check{
		{"the dashboard is the region's own", findDashboard, []mutation{
			{"one for all regions", set("Dashboard", "DashboardName", object{"Ref": "AWS::StackName"})},
		}},
		{"the saved queries are the stack's, over its own logs", findQueries, []mutation{
			{"the same name in each stack", set("TraceQuery", "Name", "Trace one message")},
			{"without a log", set("TraceQuery", "LogGroupNames", []any{})},
			{"another stack's log", set("FailuresByCodeQuery", "LogGroupNames", []any{"/qdn-sms/other"})},
			{"no way to trace", removeResource("TraceQuery")},
			{"a number in full", set("TextsOfANumberQuery", "QueryString", `filter customer = "+18585550100"`)},
		}},
	}
}

func alarms(t template) map[string]object {
	found := map[string]object{}
	for id, resource := range t.resources("AWS::CloudWatch::Alarm") {
		found[id] = mapping(resource["Properties"])
	}
	return found
}

func findActionsOfAlarms(t template, _ code, report reporter) {
	for id, alarm := range alarms(t) {
		for _, moment := range []string{"AlarmActions", "OKActions"} {
			if told := expressions(alarm[moment]); !slices.Equal(told, []string{"${AlarmTopic}"}) {
				report("%s: %s are %q, should be the topic's", id, moment, told)
			}
		}
		if enabled, ok := alarm["ActionsEnabled"].(bool); ok && !enabled {
			report("%s: is switched off", id)
		}
	}
}

// statistics are how a metric's values may become one: counts add up, of what lasts the worst counts.
func statistics(namespace, metric string) string {
	if namespace == "AWS/SQS" || metric == "IteratorAge" {
		return "Maximum"
	}
	return "Sum"
}

func findAlarms(t template, _ code, report reporter) {
	for id, alarm := range alarms(t) {
		if text(alarm, "TreatMissingData") != "notBreaching" {
			report("%s: nothing to count is no reason for an alarm", id)
		}
		if alarm["Threshold"] == nil || text(alarm, "ComparisonOperator") != "GreaterThanThreshold" {
			report("%s: should go off above a threshold", id)
		}
		if period := number(alarm, "Period"); period < 60 || period%60 != 0 {
			report("%s: a period of %d s is not valid", id, period)
		}
		if want := statistics(text(alarm, "Namespace"), text(alarm, "MetricName")); text(alarm, "Statistic") != want {
			report("%s: its statistic is %s, should be %s", id, text(alarm, "Statistic"), want)
		}
		if points := number(alarm, "DatapointsToAlarm"); points > number(alarm, "EvaluationPeriods") {
			report("%s: would never go off", id)
		}
	}
}

// meaning finds the sentence and the runbook's section in an alarm's text.
var meaning = regexp.MustCompile(`^([A-Z].{15,200}\.) docs/runbook\.md#([a-z0-9-]+)$`)

// heading finds the runbook's sections. Their anchors are their names.
var heading = regexp.MustCompile(`(?m)^## ([a-z0-9-]+)$`)

// partsOfASection are what each section of the runbook has.
func partsOfASection() []string {
	return []string{"**Means.**", "**Look at.**", "**Do.**", "**Do not**"}
}

func findRunbook(t template, _ code, report reporter) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "runbook.md"))
	if err != nil {
		report("%v", err)
		return
	}
	sections := map[string]string{}
	headings := heading.FindAllStringSubmatchIndex(string(page), -1)
	for i, h := range headings {
		end := len(page)
		if i+1 < len(headings) {
			end = headings[i+1][0]
		}
		sections[string(page[h[2]:h[3]])] = string(page[h[1]:end])
	}
	owners := map[string]string{}
	for _, id := range sorted(alarms(t)) {
		found := meaning.FindStringSubmatch(text(alarms(t)[id], "AlarmDescription"))
		switch {
		case found == nil:
			report("%s: should say in a sentence what it means, and end in the runbook's address: %q", id, text(alarms(t)[id], "AlarmDescription"))
			continue
		case sections[found[2]] == "":
			report("%s: the runbook has no section %s", id, found[2])
		case owners[found[2]] != "":
			report("%s: shares its section with %s", id, owners[found[2]])
		}
		owners[found[2]] = id
	}
	rules, err := os.ReadFile(filepath.Join(root, "deploy", "onehost", "prometheus-rules.yaml"))
	if err != nil {
		report("%v", err)
		return
	}
	for name, section := range sections {
		// One host has alerts of its own, of which a test in cmd/relay/serve/onehost wants their sections.
		if owners[name] == "" && !strings.Contains(string(rules), "runbook: docs/runbook.md#"+name+"\n") {
			report("docs/runbook.md: section %s is for no alarm", name)
		}
		for _, part := range partsOfASection() {
			if !strings.Contains(section, part) {
				report("docs/runbook.md: section %s does not say %s", name, part)
			}
		}
	}
}

// needed are the alarms that there have to be: the metric with its dimension, and the threshold.
func needed() map[string]string {
	const (
		waiting = "AWS/SQS ApproximateNumberOfMessagesVisible "
		gaveUp  = "AWS/Lambda OnFailureDestinationDeliveredEventCount "
	)
	return map[string]string{
		waiting + "${DeadLetterQueue.QueueName}":                   "0",
		waiting + "${TimerDeadLetterQueue.QueueName}":              "0",
		"AWS/SQS ApproximateAgeOfOldestMessage ${Queue.QueueName}": "900",
		"SMSRelay Outcome uncertain":                               "0",
		"SMSRelay ReachedNobody":                                   "0",
		"SMSRelay Unavailable":                                     "0",
		"SMSRelay Halted":                                          "0",
		"SMSRelay AuditSetAside":                                   "0",
		"SMSRelay AuditFailures":                                   "0",
		"SMSRelay Rejected signature":                              "20",
		"AWS/ApiGateway 5xx ${Api}":                                "0",
		"AWS/Lambda Errors ${IngestFunction}":                      "0",
		"AWS/Lambda Errors ${MediaFunction}":                       "0",
		"AWS/Lambda IteratorAge ${StreamAuditFunction}":            "300000",
		gaveUp + "${StreamAuditFunctionLedger}":                    "0",
		gaveUp + "${StreamAuditFunctionRoutes}":                    "0",
		gaveUp + "${StreamAuditFunctionConversations}":             "0",
		"AWS/Lambda Throttles ${IngestFunction}":                   "0",
		"AWS/Lambda Throttles ${SenderFunction}":                   "0",
	}
}

func findNeeded(t template, _ code, report reporter) {
	thresholds := map[string]string{}
	for _, alarm := range alarms(t) {
		key := text(alarm, "Namespace") + " " + text(alarm, "MetricName")
		for _, dimension := range items(alarm["Dimensions"]) {
			key += " " + text(dimension, "Value")
		}
		thresholds[key] = text(alarm, "Threshold")
	}
	for key, threshold := range needed() {
		if thresholds[key] != threshold {
			report("%s: should have an alarm above %s, has %q", key, threshold, thresholds[key])
		}
	}
}

// topicStatement returns the statement of the topic's policy with that effect.
func topicStatement(t template, effect string) object {
	for _, statement := range items(at(t.resource("AlarmTopicPolicy"), "PolicyDocument.Statement")) {
		if text(statement, "Effect") == effect {
			return mapping(statement)
		}
	}
	return nil
}

func findTopic(t template, _ code, report reporter) {
	if key := text(t.resource("AlarmTopic"), "KmsMasterKeyId"); key != "" {
		report("AlarmTopic: CloudWatch may not use the key %s", key)
	}
	if topics := expressions(t.resource("AlarmTopicPolicy")["Topics"]); !slices.Equal(topics, []string{"${AlarmTopic}"}) {
		report("AlarmTopicPolicy: is of %q", topics)
	}
	allow, deny := topicStatement(t, "Allow"), topicStatement(t, "Deny")
	source := "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"
	if text(allow, "Principal.Service") != "cloudwatch.amazonaws.com" || text(allow, "Resource") != "${AlarmTopic}" ||
		text(allow, "Action") != "sns:Publish" {
		report("AlarmTopicPolicy: should let CloudWatch publish, and nobody else")
	}
	condition := mapping(allow["Condition"])
	if expression(mapping(condition["StringEquals"])["aws:SourceAccount"]) != "${AWS::AccountId}" ||
		expression(mapping(condition["ArnLike"])["aws:SourceArn"]) != source {
		report("AlarmTopicPolicy: should take the alarms of this account alone")
	}
	if text(deny, "Principal") != "*" || text(deny, "Action") != "sns:Publish" || text(deny, "Condition.Bool.aws:SecureTransport") != "false" {
		report("AlarmTopicPolicy: should refuse what does not come over TLS")
	}
	for id, subscription := range t.resources("AWS::SNS::Subscription") {
		if address := text(subscription, "Properties.Endpoint"); address != text(t, "Values.AlarmEmail") ||
			text(subscription, "Condition") != "HasAlarmEmail" {
			report("%s: is for %q, and should be for the parameter's address, if there is one", id, address)
		}
	}
}

func findQueries(t template, _ code, report reporter) {
	queries := t.resources("AWS::Logs::QueryDefinition")
	for _, id := range []string{"TraceQuery", "FailuresByCodeQuery", "FailuresByNumberQuery", "TextsOfANumberQuery", "RefusedWebhooksQuery"} {
		if queries[id] == nil {
			report("%s: there is no such query", id)
		}
	}
	for id, resource := range queries {
		q := mapping(resource["Properties"])
		if !strings.HasPrefix(text(q, "Name"), "${AWS::StackName}/") {
			report("%s: is named %s, and should be in a folder of the stack", id, text(q, "Name"))
		}
		groups := expressions(q["LogGroupNames"])
		for _, group := range groups {
			if id := referenced(group); t.resources("AWS::Logs::LogGroup")[id] == nil && !t.isExisting(id) {
				report("%s: asks %s, which is no log group of the template's", id, group)
			}
		}
		if len(groups) == 0 || strings.Contains(text(q, "QueryString"), "+1") {
			report("%s: should ask some log, by masked numbers", id)
		}
	}
}

// findDashboard holds the dashboard's name, which belongs to the account: of two regions' stacks, one would overwrite the other's.
func findDashboard(t template, _ code, report reporter) {
	if name := text(t.resource("Dashboard"), "DashboardName"); !strings.Contains(name, "${AWS::StackName}") ||
		!strings.Contains(name, "${AWS::Region}") {
		report("Dashboard: is named %s, and needs the stack's name and the region's", name)
	}
}
