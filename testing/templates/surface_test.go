package templates

import (
	"strings"
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
				mapping(t["Parameters"])["TwilioAuthToken"] = object{"Type": "String", "AllowedPattern": ".+", "Description": "The token.", "Default": ""}
			}},
		}},
		{"names are the design's", findNames, []mutation{
			{"a table", set("RoutingTable", "TableName", "routes")},
			{"the queue", set("Queue", "QueueName", "sms.fifo")},
		}},
		{"outputs tell Twilio's settings", findOutputs, []mutation{
			{"without the overrides", func(t template) {
				put(mapping(t["Outputs"]), "WebhookUrl.Value", object{"Fn::Sub": []any{"${Base}/sms/inbound", object{}}})
			}},
			{"at another path", func(t template) {
				put(mapping(t["Outputs"]), "StatusCallbackUrl.Value", object{"Fn::Sub": []any{"${Base}/sms/status", object{}}})
			}},
			{"not the table", func(t template) { delete(mapping(t["Outputs"]), "LedgerTable") }},
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
		"RoutingTable.TableName": "qdn-sms-routing",
		"LedgerTable.TableName":  "qdn-sms-audit",
		"Queue.QueueName":        "qdn-sms.fifo",
	} {
		id, property, _ := strings.Cut(resource, ".")
		if name := text(t.resource(id), property); name != want {
			report("%s: is named %s by default, should be %s", id, name, want)
		}
	}
}

func findOutputs(t template, _ code, report reporter) {
	outputs := mapping(t["Outputs"])
	for name, want := range map[string]string{"WebhookUrl": "${Base}/sms/inbound" + overrides, "StatusCallbackUrl": "${Base}/sms/status-callback"} {
		pattern := items(at(outputs[name], "Value.Fn::Sub"))
		if len(pattern) == 0 || expression(pattern[0]) != want {
			report("%s: is %q, should be %q", name, pattern, want)
		}
	}
	for name, id := range map[string]string{
		"QueueUrl": "Queue", "DeadLetterQueueUrl": "DeadLetterQueue", "AuditFailureQueueUrl": "AuditFailureQueue",
		"RoutingTable": "RoutingTable", "LedgerTable": "LedgerTable", "AuditLogGroup": "AuditLogGroup",
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
