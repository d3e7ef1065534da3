package templates

import (
	"maps"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/mediabucket"
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
			{"all objects of a part of a bucket that is not the relay's", allow("MediaRole", "s3:GetObject", "arn:aws:s3:::other/media/*")},
			{"all but something", func(t template) {
				statement := statements(t.resource("SenderRole"))[0]
				statement["NotResource"] = statement["Resource"]
				delete(statement, "Resource")
			}},
			{"a policy outside the roles", add("Policy", "AWS::IAM::Policy", object{})},
		}},
		{"each function may use what it is given, and nothing else", findPrivileges, []mutation{
			{"a table more", allow("IngestRole", "dynamodb:GetItem", object{"Fn::GetAtt": "LedgerTable.Arn"})},
			{"a queue less", forget("IngestRole", "${Queue.Arn}")},
			{"a stream less", forget("StreamAuditRole", "${RoutingTable.StreamArn}")},
			{"the timers less", forget("SenderRole", "${TimerQueue.Arn}")},
			{"the pace less", forget("SenderRole", "${PaceTable.Arn}")},
			{"the timers' dead letters more", allow("SenderRole", "sqs:SendMessage", object{"Fn::GetAtt": "TimerDeadLetterQueue.Arn"})},
			{"the routes less, for an operator's dry run", forget("OperatorRole", "${RoutingTable.Arn}")},
			{"the pace as an operator", allow("OperatorRole", "dynamodb:GetItem", object{"Fn::GetAtt": "PaceTable.Arn"})},
			{"the conversations less", forget("OperatorRole", "${ConversationsTable.Arn}")},
			{"a key less", forget("SenderRole", "arn:aws:secretsmanager:us-east-1:000000000000:secret:twilio/key-AbCdEf")},
			{"the failures' bucket less", forgetBucket("StreamAuditRole", "AuditFailureBucket")},
			{"the routes less", forget("SeedRoutesRole", "${RoutingTable.Arn}")},
			{"another function's log", allow("SenderRole", "logs:PutLogEvents", object{"Fn::GetAtt": "IngestLogGroup.Arn"})},
		}},
		{"each function may do what its part is", findActions, actionMutations()},
	}
}

func actionMutations() []mutation {
	return []mutation{
		{"secrets without their key", forget("IngestRole", "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000")},
		{
			"a key that is not the secrets'",
			allow("SenderRole", "kms:Decrypt", "arn:aws:kms:us-east-1:000000000000:key/11111111-0000-0000-0000-000000000000"),
		},
		{"delete records", allow("SenderRole", "dynamodb:DeleteItem", object{"Fn::GetAtt": "LedgerTable.Arn"})},
		{"write the audit log as an operator", allow("OperatorRole", "logs:PutLogEvents", object{"Fn::GetAtt": "AuditLogGroup.Arn"})},
		{"not search the audit log as an operator", forbid("OperatorRole", "logs:FilterLogEvents")},
		{"change routes as an operator", allow("OperatorRole", "dynamodb:PutItem", object{"Fn::GetAtt": "RoutingTable.Arn"})},
		{"read all routes as an operator", allow("OperatorRole", "dynamodb:Scan", object{"Fn::GetAtt": "RoutingTable.Arn"})},
		{"not put on record who looked", forbid("OperatorRole", "dynamodb:PutItem")},
		{"delete from the ledger as an operator", allow("OperatorRole", "dynamodb:DeleteItem", object{"Fn::GetAtt": "LedgerTable.Arn"})},
		{"read the queue as ingest", allow("IngestRole", "sqs:ReceiveMessage", object{"Fn::GetAtt": "Queue.Arn"})},
		{"not hold a message back", disallow("sqs:ChangeMessageVisibility", "${Queue.Arn}")},
		{"not hold a timer back", disallow("sqs:ChangeMessageVisibility", "${TimerQueue.Arn}")},
		{"not set a timer", disallow("sqs:SendMessage", "${TimerQueue.Arn}")},
		{"not take an answer to its customer", disallow("sqs:SendMessage", "${Queue.Arn}")},
		{"take dead letters", allow("SenderRole", "sqs:ReceiveMessage", object{"Fn::GetAtt": "DeadLetterQueue.Arn"})},
		{"not book a moment", disallow("dynamodb:PutItem", "${PaceTable.Arn}")},
		{"not see what is booked", disallow("dynamodb:GetItem", "${PaceTable.Arn}")},
		{"forget what is booked", allow("SenderRole", "dynamodb:DeleteItem", object{"Fn::GetAtt": "PaceTable.Arn"})},
		{"not record who opted out", disallow("dynamodb:PutItem", "${ConversationsTable.Arn}")},
		{"not give a name as an operator", forget("OperatorRole", "${ConversationsTable.Arn}")},
		{"take a conversation away as an operator", allow("OperatorRole", "dynamodb:DeleteItem", object{"Fn::GetAtt": "ConversationsTable.Arn"})},
		{"read all conversations as an operator", allow("OperatorRole", "dynamodb:Scan", object{"Fn::GetAtt": "ConversationsTable.Arn"})},
		{"not read what a phone was sent", disallow("dynamodb:BatchGetItem", "${ConversationsTable.Arn}")},
		{"not find a free tag", disallow("dynamodb:Query", "${ConversationsTable.Arn}")},
		{"take a tag away", allow("SenderRole", "dynamodb:DeleteItem", object{"Fn::GetAtt": "ConversationsTable.Arn"})},
		{"read all conversations", allow("SenderRole", "dynamodb:Scan", object{"Fn::GetAtt": "ConversationsTable.Arn"})},
		{"not mark a hop", disallow("dynamodb:PutItem", "${RoutingTable.Arn}")},
		{"not find the route of a thread", disallow("dynamodb:Scan", "${RoutingTable.Arn}")},
		{"remove routes", allow("SenderRole", "dynamodb:DeleteItem", object{"Fn::GetAtt": "RoutingTable.Arn"})},
		{"not read what a list names", disallow("dynamodb:BatchGetItem", "${LedgerTable.Arn}")},
		{"not list a Twilio number's texts", forget("SenderRole", "${LedgerTable.Arn}/index/ByTwilioNumber")},
		{"not list a customer's texts", forget("SenderRole", "${LedgerTable.Arn}/index/ByCustomer")},
		{"list texts by state", allow("SenderRole", "dynamodb:Query", object{"Fn::Sub": "${LedgerTable.Arn}/index/ByStateDay"})},
		{"list who was sent what", allow("MediaRole", "s3:ListBucket", object{"Fn::GetAtt": "MediaBucket.Arn"})},
		{"not give out attachments", forbid("MediaRole", "s3:GetObject")},
		{"change attachments", allow("MediaRole", "s3:PutObject", object{"Fn::Sub": "${MediaBucket.Arn}/media/*"})},
		{"list the whole ledger", allow("SenderRole", "dynamodb:Query", object{"Fn::GetAtt": "LedgerTable.Arn"})},
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

// disallow takes an action with one resource out of the sender's policy.
func disallow(action, resource string) func(template) {
	return func(t template) {
		for _, s := range statements(t.resource("SenderRole")) {
			if slices.Equal(expressions(s["Resource"]), []string{resource}) {
				s["Action"] = slices.DeleteFunc(items(s["Action"]), func(a any) bool { return a == action })
			}
		}
	}
}

// forbid takes an action out of a role's policy.
func forbid(role, action string) func(template) {
	return func(t template) {
		for _, s := range statements(t.resource(role)) {
			s["Action"] = slices.DeleteFunc(items(s["Action"]), func(a any) bool { return a == action })
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
			report("%s: should have a role whose policies are in this template", id)
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

// forgetBucket takes a bucket and its objects out of a role.
func forgetBucket(role, bucket string) func(template) {
	return func(t template) {
		forget(role, "${"+bucket+".Arn}")(t)
		forget(role, "${"+bucket+".Arn}/*")(t)
	}
}

// isAllOfABucket reports whether a resource is all objects of a bucket of the template, or all attachments, which have no other name
// before they are there.
func (t template) isAllOfABucket(resource string) bool {
	bucket, key, found := strings.Cut(resource, ".Arn}/")
	return found && (key == "*" || key == mediabucket.Prefix+"*") && t.resources("AWS::S3::Bucket")[strings.TrimPrefix(bucket, "${")] != nil
}

func findWildcards(t template, _ code, report reporter) {
	for id, role := range t.resources("AWS::IAM::Role") {
		for _, s := range statements(mapping(role["Properties"])) {
			named := slices.Concat(expressions(s["Action"]), slices.DeleteFunc(expressions(s["Resource"]), t.isAllOfABucket))
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
			report("%s: policies should be in their roles", id)
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
		// It is no resource, and is in the ARNs of what does not belong to the stack.
		delete(allowed, "AWS::Partition")
		// The key is named by nothing but the secrets that are under it.
		delete(allowed, text(t, "Values.TwilioSecretsKeyArn"))
		if !maps.Equal(given, allowed) {
			report("%s: is given %q, and its role may use %q", id, sorted(given), sorted(allowed))
		}
	}
}

// note adds the resources and secrets that are anywhere in v.
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

// privileges are the actions that each function's part needs, as the services name them, by the resources that they are
// for. Secrets are one.
func privileges() map[string]map[string]string {
	const (
		logs    = "logs:CreateLogStream logs:PutLogEvents"
		receive = "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes sqs:ChangeMessageVisibility"
		stream  = "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams"
	)
	index := func(name string) string { return "${LedgerTable.Arn}/index/" + name }
	return map[string]map[string]string{
		"IngestFunction": {
			"${IngestLogGroup.Arn}": logs, "${Queue.Arn}": "sqs:SendMessage", "secret": "secretsmanager:GetSecretValue",
		},
		"SenderFunction": {
			"${SenderLogGroup.Arn}":                          logs,
			"${Queue.Arn}":                                   receive + " sqs:SendMessage",
			"${TimerQueue.Arn}":                              receive + " sqs:SendMessage",
			"${DeadLetterQueue.Arn}":                         "sqs:SendMessage",
			"${LedgerTable.Arn}":                             "dynamodb:GetItem dynamodb:PutItem dynamodb:BatchGetItem",
			index(dynamo.IndexByCustomer):                    "dynamodb:Query",
			index(dynamo.IndexByTwilioNumber):                "dynamodb:Query",
			"${RoutingTable.Arn}":                            "dynamodb:BatchGetItem dynamodb:PutItem dynamodb:Scan",
			"${PaceTable.Arn}":                               "dynamodb:GetItem dynamodb:PutItem",
			"${MediaBucket.Arn}/" + mediabucket.Prefix + "*": "s3:PutObject",
			"${ConversationsTable.Arn}":                      "dynamodb:GetItem dynamodb:BatchGetItem dynamodb:PutItem dynamodb:Query",
			"secret":                                         "secretsmanager:GetSecretValue",
		},
		"StreamAuditFunction": {
			"${StreamAuditLogGroup.Arn}": logs, "${AuditLogGroup.Arn}": logs,
			"${LedgerTable.StreamArn}": stream, "${RoutingTable.StreamArn}": stream, "${ConversationsTable.StreamArn}": stream,
			"${AuditFailureBucket.Arn}": "s3:ListBucket", "${AuditFailureBucket.Arn}/*": "s3:PutObject",
		},
		"OperatorFunction": {
			"${OperatorLogGroup.Arn}": logs, "${Queue.Arn}": "sqs:SendMessage",
			"${LedgerTable.Arn}": "dynamodb:GetItem dynamodb:BatchGetItem dynamodb:PutItem", "${RoutingTable.Arn}": "dynamodb:BatchGetItem",
			"${ConversationsTable.Arn}":   "dynamodb:GetItem dynamodb:PutItem dynamodb:Query",
			"${AuditLogGroup.Arn}":        "logs:FilterLogEvents",
			index(dynamo.IndexByCustomer): "dynamodb:Query", index(dynamo.IndexByTwilioNumber): "dynamodb:Query",
			index(dynamo.IndexByStateDay): "dynamodb:Query",
		},
		"MediaFunction": {
			"${MediaLogGroup.Arn}": logs, "${MediaBucket.Arn}/" + mediabucket.Prefix + "*": "s3:GetObject",
		},
		"SeedRoutesFunction": {
			"${SeedRoutesLogGroup.Arn}": logs, "${RoutingTable.Arn}": "dynamodb:Scan dynamodb:PutItem",
		},
	}
}

func findActions(t template, _ code, report reporter) {
	key := text(t, "Values.TwilioSecretsKeyArn")
	for id, f := range t.functions() {
		allowed, needed := allowedActions(roleOf(t, f)), privileges()[id]
		if needed["secret"] != "" && key != "" {
			needed[key] = "kms:Decrypt"
		}
		if id == "SeedRoutesFunction" {
			needed[t.seedFile()] = t.seedAction()
		}
		for _, resource := range sorted(needed) {
			if want := strings.Fields(needed[resource]); !sameSet(allowed[resource], want) {
				report("%s: may %q with %s, needs %q", id, allowed[resource], resource, want)
			}
		}
		for _, resource := range sorted(allowed) {
			if needed[resource] == "" {
				report("%s: may %q with %s, which it does not need", id, allowed[resource], resource)
			}
		}
	}
}

// allowedActions returns what a role may do, by resource.
func allowedActions(role object) map[string][]string {
	allowed := map[string][]string{}
	for _, s := range statements(role) {
		for _, resource := range expressions(s["Resource"]) {
			if strings.Contains(resource, ":secretsmanager:") {
				resource = "secret"
			}
			allowed[resource] = append(allowed[resource], expressions(s["Action"])...)
		}
	}
	return allowed
}
