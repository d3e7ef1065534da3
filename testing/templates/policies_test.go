package templates

import (
	"maps"
	"slices"
	"strings"
)

func policyChecks() []check {
	return []check{
		{"each function has a role of its own, for Lambda alone", findRoles, []mutation{
			{"SAM's", remove("IngestFunction", "Role")},
			{"that of another function", set("OperatorFunction", "Role", object{"Fn::GetAtt": "IngestRole.Arn"})},
			{"policies of SAM's", set("OperatorFunction", "Policies", []any{"AmazonSQSFullAccess"})},
			{"a managed policy", set("SenderRole", "ManagedPolicyArns", []any{"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"})},
			{"for another service", func(t template) {
				statement := mapping(items(at(t.resource("SenderRole"), "AssumeRolePolicyDocument.Statement"))[0])
				statement["Principal"] = object{"Service": "ec2.amazonaws.com"}
			}},
		}},
		{"no policy says all of anything", findWildcards, []mutation{
			{"all of a service's actions", allow("SenderRole", "dynamodb:*", object{"Fn::GetAtt": "LedgerTable.Arn"})},
			{"all actions of a kind", allow("SenderRole", "dynamodb:Get*", object{"Fn::GetAtt": "LedgerTable.Arn"})},
			{"all resources", allow("SenderRole", "sqs:SendMessage", "*")},
			{"all indexes", allow("OperatorRole", "dynamodb:Query", object{"Fn::Sub": "${LedgerTable.Arn}/index/*"})},
			{"all but something", func(t template) {
				statement := statements(t.resource("SenderRole"))[0]
				statement["NotResource"] = statement["Resource"]
				delete(statement, "Resource")
			}},
			{"a policy beside the roles", add("Policy", "AWS::IAM::Policy", object{})},
		}},
		{"each function may use what it is given, and nothing else", findPrivileges, []mutation{
			{"a table more", allow("IngestRole", "dynamodb:GetItem", object{"Fn::GetAtt": "LedgerTable.Arn"})},
			{"a queue less", forget("IngestRole", "${Queue.Arn}")},
			{"a stream less", forget("StreamAuditRole", "${RoutingTable.StreamArn}")},
			{"a key less", forget("SenderRole", "arn:aws:secretsmanager:us-east-1:000000000000:secret:twilio/key-AbCdEf")},
			{"the failures' queue less", forget("StreamAuditRole", "${AuditFailureQueue.Arn}")},
			{"another function's log", allow("SenderRole", "logs:PutLogEvents", object{"Fn::GetAtt": "IngestLogGroup.Arn"})},
		}},
		{"each function may do what its part is", findActions, []mutation{
			{"delete records", allow("SenderRole", "dynamodb:DeleteItem", object{"Fn::GetAtt": "LedgerTable.Arn"})},
			{"write the ledger as an operator", allow("OperatorRole", "dynamodb:PutItem", object{"Fn::GetAtt": "LedgerTable.Arn"})},
			{"read the queue as ingest", allow("IngestRole", "sqs:ReceiveMessage", object{"Fn::GetAtt": "Queue.Arn"})},
			{"not hold a message back", func(t template) {
				for _, s := range statements(t.resource("SenderRole")) {
					s["Action"] = slices.DeleteFunc(expressions(s["Action"]), func(a string) bool { return a == "sqs:ChangeMessageVisibility" })
				}
			}},
		}},
	}
}

// statements returns the statements of all policies of a role.
func statements(role object) []object {
	var all []object
	for _, policy := range items(role["Policies"]) {
		for _, statement := range items(at(policy, "PolicyDocument.Statement")) {
			all = append(all, mapping(statement))
		}
	}
	return all
}

// allow adds a statement to a role's policy.
func allow(role, action string, resource any) func(template) {
	return func(t template) {
		document := mapping(at(items(t.resource(role)["Policies"])[0], "PolicyDocument"))
		document["Statement"] = append(items(document["Statement"]), object{"Effect": "Allow", "Action": action, "Resource": resource})
	}
}

// forget takes a resource out of a role's policy.
func forget(role, resource string) func(template) {
	return func(t template) {
		for _, s := range statements(t.resource(role)) {
			s["Resource"] = slices.DeleteFunc(items(s["Resource"]), func(r any) bool { return expression(r) == resource })
		}
	}
}

func roleOf(t template, f object) object { return t.resource(referenced(text(f, "Role"))) }

func findRoles(t template, _ code, report reporter) {
	owners := map[string]string{}
	for _, id := range sorted(t.functions()) {
		f := t.functions()[id]
		role := roleOf(t, f)
		if role == nil || f["Policies"] != nil || role["ManagedPolicyArns"] != nil {
			report("%s: should have a role whose policies stand in this template", id)
		}
		if owner := owners[text(f, "Role")]; owner != "" {
			report("%s: shares its role with %s", id, owner)
		}
		owners[text(f, "Role")] = id
		for _, statement := range items(at(role, "AssumeRolePolicyDocument.Statement")) {
			if text(statement, "Principal.Service") != "lambda.amazonaws.com" {
				report("%s: its role is not for Lambda alone", id)
			}
		}
	}
}

func findWildcards(t template, _ code, report reporter) {
	for id, role := range t.resources("AWS::IAM::Role") {
		for _, s := range statements(mapping(role["Properties"])) {
			named := slices.Concat(expressions(s["Action"]), expressions(s["Resource"]))
			if text(s, "Effect") == "Allow" && strings.Contains(strings.Join(named, " "), "*") {
				report("%s: allows all of something: %q", id, named)
			}
			if s["NotAction"] != nil || s["NotResource"] != nil || s["Resource"] == nil || s["Action"] == nil {
				report("%s: a statement does not name its actions and resources", id)
			}
		}
	}
	for _, kind := range []string{"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"} {
		for id := range t.resources(kind) {
			report("%s: policies stand in their roles", id)
		}
	}
}

// findPrivileges compares what a function's role may use with what its configuration names.
func findPrivileges(t template, _ code, report reporter) {
	for id, f := range t.functions() {
		given, allowed := map[string]bool{}, map[string]bool{}
		note(given, f["Environment"])
		note(given, f["Events"])
		note(given, f["LoggingConfig"])
		// The API is named by its address, and calls nobody.
		delete(given, "Api")
		for _, s := range statements(roleOf(t, f)) {
			note(allowed, s["Resource"])
		}
		if !maps.Equal(given, allowed) {
			report("%s: is given %q, and its role may use %q", id, sorted(given), sorted(allowed))
		}
	}
}

// note adds the resources and secrets that stand anywhere in v.
func note(names map[string]bool, v any) {
	switch v := v.(type) {
	case string:
		if strings.HasPrefix(v, "arn:") {
			names[v] = true
		}
	case []any:
		for _, item := range v {
			note(names, item)
		}
	case object:
		noteObject(names, v)
	}
}

func noteObject(names map[string]bool, m object) {
	for key, item := range m {
		switch key {
		case "Ref", "Fn::GetAtt":
			names[referenced(expression(m))] = true
		case "Fn::Sub":
			for _, part := range strings.Split(expression(item), "${")[1:] {
				name, _, _ := strings.Cut(part, "}")
				names[referenced(name)] = true
			}
		default:
			note(names, item)
		}
	}
}

// privileges are the actions that each function's part needs, as the services name them.
func privileges() map[string]string {
	const logs = " logs:CreateLogStream logs:PutLogEvents"
	return map[string]string{
		"IngestFunction": "sqs:SendMessage secretsmanager:GetSecretValue" + logs,
		"SenderFunction": "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes sqs:ChangeMessageVisibility sqs:SendMessage" +
			" dynamodb:GetItem dynamodb:PutItem dynamodb:BatchGetItem secretsmanager:GetSecretValue" + logs,
		"StreamAuditFunction": "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams sqs:SendMessage" + logs,
		"OperatorFunction":    "sqs:SendMessage dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query" + logs,
	}
}

func findActions(t template, _ code, report reporter) {
	for id, f := range t.functions() {
		var allowed []string
		for _, s := range statements(roleOf(t, f)) {
			allowed = append(allowed, expressions(s["Action"])...)
		}
		if needed := strings.Fields(privileges()[id]); !sameSet(allowed, needed) {
			report("%s: may %q, needs %q", id, allowed, needed)
		}
	}
}
