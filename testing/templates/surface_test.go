package templates

import (
	"regexp"
	"strconv"
	"strings"

	"quickdumpnow.com/smsrelay/shared/pace"
)

// overrides is what makes Twilio come again when the relay is not ready: by default it would not.
const overrides = "#rc=5&rp=5xx,ct,rt&rt=4000&tt=15000"

func surfaceChecks() []check {
	return []check{
		{"each parameter says what it is for, and what it may be", findParameters, []mutation{
			{"not what for", func(t template) { delete(mapping(at(t, "Parameters.LedgerTableName")), "Description") }},
			{"not what it may be", func(t template) { delete(mapping(at(t, "Parameters.TwilioAccountSid")), "AllowedPattern") }},
			{"a number without bounds", func(t template) { delete(mapping(at(t, "Parameters.MaxAttempts")), "MinValue") }},
			{"nothing by itself", func(t template) { delete(mapping(at(t, "Parameters.QueueName")), "Default") }},
			{"a token on the screen", func(t template) {
				mapping(t["Parameters"])["TwilioAuthToken"] = object{
					"Type": "String", "AllowedPattern": ".+",
					"Description": "The token.", "Default": "",
				}
			}},
		}},
		{"names are the design's", findNames, []mutation{
			{"a table", set("RoutingTable", "TableName", "routes")},
			{"the queue", set("Queue", "QueueName", "sms.fifo")},
			{"the timers", set("TimerQueue", "QueueName", "qdn-sms-reminders")},
			{"the timers' dead letters", set("TimerDeadLetterQueue", "QueueName", "qdn-sms-dead-timers")},
			{"the pace", set("PaceTable", "TableName", "pace")},
		}},
		{"each queue's name fits into SQS's bounds, however long QueueName is", findLongNames, []mutation{
			{"a longer QueueName", func(t template) { mapping(at(t, "Parameters.QueueName"))["AllowedPattern"] = "^[A-Za-z0-9_-]{1,69}$" }},
			{"a longer end", set("TimerDeadLetterQueue", "QueueName", "qdn-sms-timers-dead-letters")},
			{"no bound", func(t template) { mapping(at(t, "Parameters.QueueName"))["AllowedPattern"] = "^[A-Za-z0-9_-]+$" }},
		}},
		{"the pace's parameters accept what the code accepts", findPaceParameters, []mutation{
			{"another default", func(t template) { mapping(at(t, "Parameters.PacePair"))["Default"] = "11/30s" }},
			{"the default of the other", func(t template) { mapping(at(t, "Parameters.PaceNumber"))["Default"] = "10/30s" }},
			{"a longer time", func(t template) {
				mapping(at(t, "Parameters.PacePair"))["AllowedPattern"] = `^(off|([1-9][0-9]?|100)/[1-9][0-9]*(ms|s|m|h))$`
			}},
			{"a larger number", func(t template) {
				mapping(at(t, "Parameters.PaceNumber"))["AllowedPattern"] = `^(off|[1-9][0-9]{0,2}/[1-9][0-9]{0,2}s)$`
			}},
			{"nothing in nothing", func(t template) {
				mapping(at(t, "Parameters.PaceNumber"))["AllowedPattern"] = `^(off|[0-9]{1,2}/[0-9]{1,2}s)$`
			}},
			{"never off", func(t template) {
				mapping(at(t, "Parameters.PaceNumber"))["AllowedPattern"] = `^[1-9][0-9]?/[1-9][0-9]?s$`
			}},
		}},
		{"outputs tell Twilio's settings", findOutputs, []mutation{
			{"without the overrides", func(t template) {
				put(mapping(t["Outputs"]), "WebhookUrl.Value", object{"Fn::Sub": []any{"${Base}/sms/inbound", object{}}})
			}},
			{"at another path", func(t template) {
				put(mapping(t["Outputs"]), "StatusCallbackUrl.Value", object{"Fn::Sub": []any{"${Base}/sms/status", object{}}})
			}},
			{"not the table", func(t template) { delete(mapping(t["Outputs"]), "LedgerTable") }},
			{"not the timers", func(t template) { delete(mapping(t["Outputs"]), "TimerQueueUrl") }},
			{"not the timers that were given up", func(t template) {
				mapping(at(t, "Outputs.TimerDeadLetterQueueUrl"))["Value"] = object{"Ref": "TimerQueue"}
			}},
			{"without a word", func(t template) { delete(mapping(at(t, "Outputs.QueueUrl")), "Description") }},
		}},
	}
}

// required are the parameters without a default: nobody but the account's owner knows them.
func required() map[string]bool {
	return map[string]bool{"TwilioAccountSid": true, "TwilioAuthTokenSecretArn": true}
}

func findParameters(t template, _ code, report reporter) {
	for name, p := range mapping(t["Parameters"]) {
		m := mapping(p)
		if !strings.HasSuffix(text(m, "Description"), ".") {
			report("%s: has no description of whole sentences", name)
		}
		if _, ok := m["Default"]; ok == required()[name] {
			report("%s: has a default or should have one", name)
		}
		bounded := m["AllowedPattern"] != nil || m["AllowedValues"] != nil || m["MinValue"] != nil
		if !bounded && text(m, "Type") != "CommaDelimitedList" {
			report("%s: takes anything", name)
		}
		if strings.HasSuffix(name, "Token") || strings.HasSuffix(name, "Secret") {
			report("%s: a secret is named by its ARN", name)
		}
	}
}

func findNames(t template, _ code, report reporter) {
	for resource, want := range map[string]string{
		"RoutingTable.TableName":         "qdn-sms-routing",
		"LedgerTable.TableName":          "qdn-sms-audit",
		"PaceTable.TableName":            "qdn-sms-pace",
		"ConversationsTable.TableName":   "qdn-sms-conversations",
		"Queue.QueueName":                "qdn-sms.fifo",
		"DeadLetterQueue.QueueName":      "qdn-sms-dead.fifo",
		"TimerQueue.QueueName":           "qdn-sms-timers",
		"TimerDeadLetterQueue.QueueName": "qdn-sms-timers-dead",
	} {
		id, property, _ := strings.Cut(resource, ".")
		if t.isExisting(id) {
			continue
		}
		if name := text(t.resource(id), property); name != want {
			report("%s: is named %s by default, should be %s", id, name, want)
		}
	}
}

// longestQueueName is SQS's bound, ".fifo" included.
const longestQueueName = 80

// upTo finds how long QueueName may be.
var upTo = regexp.MustCompile(`\{1,([0-9]+)\}\$$`)

func findLongNames(t template, _ code, report reporter) {
	bound := upTo.FindStringSubmatch(text(t, "Parameters.QueueName.AllowedPattern"))
	if bound == nil {
		report("QueueName: its pattern should say how long it may be")
		return
	}
	longest, _ := strconv.Atoi(bound[1])
	for id, queue := range t.resources("AWS::SQS::Queue") {
		suffix := strings.TrimPrefix(text(queue, "Properties.QueueName"), text(t, "Values.QueueName"))
		if longest+len(suffix) > longestQueueName {
			report("%s: its name may come to %d characters, SQS allows %d", id, longest+len(suffix), longestQueueName)
		}
	}
}

// paces are ways to write a pace at and around the bounds of what the code accepts.
func paces() []string {
	list := []string{"", "off", "on", "OFF", "10", "/30s", "10/", "10/30", "10/1m30s", " 1/1s", "1.5/1s", "-1/1s", "+1/1s"}
	for _, n := range []string{"0", "1", "01", "9", "10", "99", "100", "101", "999"} {
		for _, per := range []string{
			"0s", "1ns", "1us", "1ms", "999ms", "1s", "01s", "999s", "1m", "59m", "60m", "61m",
			"99m", "1h", "2h", "1.5s",
		} {
			list = append(list, n+"/"+per)
		}
	}
	return list
}

// findPaceParameters: what the template lets through, the sender has to start with.
func findPaceParameters(t template, _ code, report reporter) {
	for name, want := range map[string]string{"PacePair": pace.DefaultPair, "PaceNumber": pace.DefaultNumber} {
		if fallback := text(t, "Parameters."+name+".Default"); fallback != want {
			report("%s: is %q by default, should be %q", name, fallback, want)
		}
		pattern, err := regexp.Compile(text(t, "Parameters."+name+".AllowedPattern"))
		if err != nil || !pattern.MatchString(want) || !pattern.MatchString("off") {
			report("%s: should take its default and off, %v", name, err)
			continue
		}
		for _, value := range paces() {
			if _, err := pace.Parse(value); err != nil && pattern.MatchString(value) {
				report("%s: accepts %q, and the sender would not start: %v", name, value, err)
			}
		}
	}
}

func findOutputs(t template, _ code, report reporter) {
	outputs := mapping(t["Outputs"])
	for name, want := range map[string]string{
		"WebhookUrl": "${Base}/sms/inbound" + overrides, "FallbackUrl": "${Base}/sms/inbound" + overrides,
		"StatusCallbackUrl": "${Base}/sms/status-callback",
	} {
		pattern := items(at(outputs[name], "Value.Fn::Sub"))
		if len(pattern) == 0 || expression(pattern[0]) != want {
			report("%s: is %q, should be %q", name, pattern, want)
		}
	}
	for name, id := range map[string]string{
		"QueueUrl": "Queue", "DeadLetterQueueUrl": "DeadLetterQueue", "AuditFailureBucket": "AuditFailureBucket", "MediaBucket": "MediaBucket",
		"TimerQueueUrl": "TimerQueue", "TimerDeadLetterQueueUrl": "TimerDeadLetterQueue",
		"RoutingTable": "RoutingTable", "LedgerTable": "LedgerTable", "ConversationsTable": "ConversationsTable",
		"AuditLogGroup": "AuditLogGroup",
	} {
		if value := text(outputs[name], "Value"); value != "${"+id+"}" {
			report("%s: is %q, should name %s", name, value, id)
		}
	}
	for name, output := range outputs {
		if text(output, "Description") == "" {
			report("%s: does not say what it is", name)
		}
	}
}
