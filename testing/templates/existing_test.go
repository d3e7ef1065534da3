package templates

import (
	"strings"
)

// tableARN is how the template names a table by its name, to which it belongs whether the stack makes it or not.
const tableARN = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/"

// logGroupARN is how it names a log group: as the Arn of one that it makes, with all its streams.
const logGroupARN = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"

// choosable are the tables and the log group that may be there already, by their logical ids.
func choosable() []string {
	return []string{"RoutingTable", "LedgerTable", "ConversationsTable", "AuditLogGroup"}
}

// isExisting reports whether a table was there before the stack, which knows it by its stream, or a log group.
func (t template) isExisting(id string) bool {
	return text(t, "Values."+id+"StreamArn") != "" || text(t, "Values."+id+"Exists") == "true"
}

// asResources writes names, ARNs and stream ARNs of the tables in choosable as references to them, so that a check reads
// the same of a table that is made and of one that is there already.
func (t template) asResources() {
	for _, section := range []string{"Resources", "Outputs"} {
		t[section] = t.referring(t[section])
	}
}

func (t template) referring(v any) any {
	switch v := v.(type) {
	case string:
		return t.referringName(v)
	case []any:
		for i, item := range v {
			v[i] = t.referring(item)
		}
	case object:
		if pattern, ok := v["Fn::Sub"].(string); ok {
			return t.referringARN(v, pattern)
		}
		for key, item := range v {
			if key != "TableName" && key != "LogGroupName" {
				v[key] = t.referring(item)
			}
		}
	}
	return v
}

func (t template) referringName(name string) any {
	for _, id := range choosable() {
		switch name {
		case text(t, "Values."+id+"Name"):
			return object{"Ref": id}
		case text(t, "Values."+id+"StreamArn"):
			if t.isExisting(id) {
				return object{"Fn::GetAtt": id + ".StreamArn"}
			}
		}
	}
	return name
}

func (t template) referringARN(sub object, pattern string) any {
	if pattern == logGroupARN+text(t, "Values.AuditLogGroupName")+":*" {
		return object{"Fn::GetAtt": "AuditLogGroup.Arn"}
	}
	for _, id := range choosable() {
		rest, found := strings.CutPrefix(pattern, tableARN+text(t, "Values."+id+"Name"))
		switch {
		case found && rest == "":
			return object{"Fn::GetAtt": id + ".Arn"}
		case found && strings.HasPrefix(rest, "/"):
			return object{"Fn::Sub": "${" + id + ".Arn}" + rest}
		}
	}
	return sub
}

// existingTables is the variant in which both tables and the audit log are there already.
func existingTables() object {
	const account = "arn:aws:dynamodb:us-east-1:000000000000:table/"
	return object{
		"RoutingTableStreamArn":       account + "qdn-sms-routing/stream/2026-11-20T08:00:00.000",
		"LedgerTableStreamArn":        account + "qdn-sms-audit/stream/2026-11-20T08:00:00.001",
		"ConversationsTableStreamArn": account + "qdn-sms-conversations/stream/2026-11-20T08:00:00.002",
		"AuditLogGroupExists":         "true",
	}
}

// existingChecks are about tables that are there already.
func existingChecks() []check {
	return []check{
		{"a table that is there is not made, and one that is not is", findExisting, []mutation{
			{"routes made again", add("RoutingTable", "AWS::DynamoDB::Table", object{})},
			{"a ledger made again", add("LedgerTable", "AWS::DynamoDB::Table", object{})},
			{"an audit log made again", add("AuditLogGroup", "AWS::Logs::LogGroup", object{})},
			{"no routes at all", func(t template) { mapping(t["Values"])["RoutingTableStreamArn"] = "" }},
		}},
		{"the streams of tables that are there are read", findStreams, []mutation{
			{"of another table", set("StreamAuditFunction", "Events.Ledger.Properties.Stream",
				"arn:aws:dynamodb:us-east-1:000000000000:table/other/stream/2026")},
			{"of one table alone", remove("StreamAuditFunction", "Events.Routes")},
		}},
		{"the functions find tables that are there", findValues, []mutation{
			{"routes in the ledger", set("SenderFunction", "Environment.Variables.RELAY_ROUTING_TABLE", object{"Ref": "LedgerTable"})},
			{"a table of that very name alone", set("OperatorFunction", "Environment.Variables.RELAY_LEDGER_TABLE", "qdn-sms-ledger")},
		}},
		{"the functions may use tables that are there", findActions, []mutation{
			{"not the ledger", forget("OperatorRole", "${LedgerTable.Arn}")},
			{"not its list by state", forget("OperatorRole", "${LedgerTable.Arn}/index/ByStateDay")},
			{"not the audit log", forget("OperatorRole", "${AuditLogGroup.Arn}")},
			{"not the routes' stream", forget("StreamAuditRole", "${RoutingTable.StreamArn}")},
			{"not the conversations' stream", forget("StreamAuditRole", "${ConversationsTable.StreamArn}")},
			{"a table of another name", allow("SenderRole", "dynamodb:PutItem", object{"Fn::Sub": tableARN + "qdn-sms"})},
		}},
	}
}

func findExisting(t template, _ code, report reporter) {
	for _, id := range choosable() {
		if made := t.resource(id) != nil; made == t.isExisting(id) {
			report("%s: is made: %v; was there before: %v", id, made, t.isExisting(id))
		}
	}
}
