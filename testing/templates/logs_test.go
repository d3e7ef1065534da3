package templates

import (
	"encoding/json"
	"strings"
)

func logChecks() []check {
	return []check{
		{"each function has a log group of its own", findLogGroups, []mutation{
			{"Lambda's own, kept for ever", remove("IngestFunction", "LoggingConfig.LogGroup")},
			{"that of another function", set("IngestFunction", "LoggingConfig.LogGroup", object{"Ref": "SenderLogGroup"})},
			{"lines without attributes", set("SenderFunction", "LoggingConfig.LogFormat", "Text")},
			{"one that is not there", removeResource("OperatorLogGroup")},
		}},
		{"each log is kept for a time that someone chose", findRetention, []mutation{
			{"a function's for ever", remove("SenderLogGroup", "RetentionInDays")},
			{"the access log for ever", remove("AccessLogGroup", "RetentionInDays")},
		}},
		{"the audit log outlives the stack, and the other logs", findAuditLog, []mutation{
			{"deleted with it", func(t template) { mapping(at(t, "Resources.AuditLogGroup"))["DeletionPolicy"] = "Delete" }},
			{"deleted by a slip", remove("AuditLogGroup", "DeletionProtectionEnabled")},
			{"kept for a month", set("AuditLogGroup", "RetentionInDays", 30)},
		}},
		{"the access log is JSON without numbers or texts", findAccessLog, []mutation{
			{"none", remove("ApiStage", "AccessLogSettings")},
			{"with the query", set("ApiStage", "AccessLogSettings.Format", `{"query":"$context.queryString"}`)},
			{"with the path", set("ApiStage", "AccessLogSettings.Format", `{"path":"$context.path"}`)},
			{"with words that may hold a quote", set("ApiStage", "AccessLogSettings.Format", `{"error":"$context.error.message"}`)},
			{"as text", set("ApiStage", "AccessLogSettings.Format", "$context.requestId $context.routeKey")},
			{"into a function's log", set("ApiStage", "AccessLogSettings.DestinationArn", object{"Fn::GetAtt": "IngestLogGroup.Arn"})},
		}},
	}
}

func findLogGroups(t template, _ code, report reporter) {
	owners := map[string]string{}
	for _, id := range sorted(t.functions()) {
		f := t.functions()[id]
		group := referenced(text(f, "LoggingConfig.LogGroup"))
		if t.resources("AWS::Logs::LogGroup")[group] == nil {
			report("%s: has no log group of the template's", id)
		}
		if owner := owners[group]; owner != "" {
			report("%s: shares its log group with %s", id, owner)
		}
		owners[group] = id
		if text(f, "LoggingConfig.LogFormat") != "JSON" || text(f, "LoggingConfig.ApplicationLogLevel") == "" {
			report("%s: should log JSON from a level on", id)
		}
	}
}

func findRetention(t template, _ code, report reporter) {
	for id, group := range t.resources("AWS::Logs::LogGroup") {
		if number(group, "Properties.RetentionInDays") < 1 {
			report("%s: keeps its lines for ever", id)
		}
	}
}

func findAuditLog(t template, _ code, report reporter) {
	if t.isExisting("AuditLogGroup") {
		return
	}
	group := mapping(at(t, "Resources.AuditLogGroup"))
	if text(group, "DeletionPolicy") != "Retain" || text(group, "UpdateReplacePolicy") != "Retain" ||
		!isTrue(group, "Properties.DeletionProtectionEnabled") {
		report("AuditLogGroup: should not go with the stack, nor by a slip")
	}
	days := number(group, "Properties.RetentionInDays")
	for id, other := range t.resources("AWS::Logs::LogGroup") {
		if id != "AuditLogGroup" && number(other, "Properties.RetentionInDays") >= days {
			report("AuditLogGroup: is kept for %d days, no longer than %s", days, id)
		}
	}
}

// accessLogVariables are those of API Gateway's variables that tell nothing of a number or a text, and that never hold a quote,
// which would end the JSON's string: words of an error do.
func accessLogVariables() map[string]bool {
	variables := map[string]bool{}
	for _, name := range strings.Fields(`requestTime requestId routeKey status identity.sourceIp identity.userArn
		responseLatency integrationLatency integration.status integration.integrationStatus error.responseType responseLength`) {
		variables["$context."+name] = true
	}
	return variables
}

func findAccessLog(t template, _ code, report reporter) {
	stage := t.resource("ApiStage")
	if text(stage, "AccessLogSettings.DestinationArn") != "${AccessLogGroup.Arn}" {
		report("ApiStage: should log to AccessLogGroup")
	}
	fields := map[string]string{}
	if err := json.Unmarshal([]byte(text(stage, "AccessLogSettings.Format")), &fields); err != nil {
		report("ApiStage: the access log's format is no JSON: %v", err)
	}
	for name, variable := range fields {
		if !accessLogVariables()[variable] {
			report("ApiStage: the access log's %s is %s, which may hold a number, a text or a quote", name, variable)
		}
	}
}
