package templates

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// fullCPU is the memory, in MB, from which on a function has a whole CPU.
const fullCPU = 1769

func functionChecks() []check {
	return []check{
		{"each function is built from its folder", findBuilds, []mutation{
			{"another runtime", set("IngestFunction", "Runtime", "provided.al2")},
			{"another processor", set("SenderFunction", "Architectures", []any{"x86_64"})},
			{"another handler", set("SenderFunction", "Handler", "main")},
			{"a folder without the module", set("OperatorFunction", "CodeUri", "functions/operator")},
			{"a function without a build target", func(t template) {
				resources := mapping(t["Resources"])
				resources["OtherFunction"] = resources["IngestFunction"]
			}},
			{"SAM's own build", func(t template) { put(mapping(at(t, "Resources.IngestFunction")), "Metadata.BuildMethod", "go1.x") }},
			{"a folder without a function", removeResource("OperatorFunction")},
			{"a seed that nobody puts", removeResource("SeedRoutesFunction")},
		}},
		{"each function gets the settings that it reads", findSettings, []mutation{
			{"a setting too few", remove("SenderFunction", "Environment.Variables.RELAY_LEDGER_TABLE")},
			{"a setting nobody reads", set("IngestFunction", "Environment.Variables.RELAY_LEDGER_TABLE", "x")},
			{"a slip of the pen", set("StreamAuditFunction", "Environment.Variables.RELAY_AUDIT_LOG_GRUOP", "x")},
			{"no table for the pace", remove("SenderFunction", "Environment.Variables.RELAY_PACE_TABLE")},
		}},
		{"each setting is what its name says", findValues, []mutation{
			{"timers on the queue", set("SenderFunction", "Environment.Variables.RELAY_TIMER_QUEUE_URL", object{"Ref": "Queue"})},
			{
				"timers on the timers' dead letters",
				set("SenderFunction", "Environment.Variables.RELAY_TIMER_QUEUE_URL", object{"Ref": "TimerDeadLetterQueue"}),
			},
			{"texts on the timers", set("OperatorFunction", "Environment.Variables.RELAY_QUEUE_URL", object{"Ref": "TimerQueue"})},
			{"an ARN for a name", set("SenderFunction", "Environment.Variables.RELAY_PACE_TABLE", object{"Fn::GetAtt": "PaceTable.Arn"})},
			{
				"who opted out in the ledger",
				set("OperatorFunction", "Environment.Variables.RELAY_CONVERSATIONS_TABLE", object{"Ref": "LedgerTable"}),
			},
			{
				"attachments among what was set aside",
				set("MediaFunction", "Environment.Variables.RELAY_MEDIA_BUCKET", object{"Ref": "AuditFailureBucket"}),
			},
			{"the pace in the ledger", set("SenderFunction", "Environment.Variables.RELAY_PACE_TABLE", object{"Ref": "LedgerTable"})},
			{"a pair's pace for a number", set("SenderFunction", "Environment.Variables.RELAY_PACE_NUMBER", "10/30s")},
			{"a number's pace for a pair", set("SenderFunction", "Environment.Variables.RELAY_PACE_PAIR", "1/1s")},
			{"as many looks as attempts", set("SenderFunction", "Environment.Variables.RELAY_RECONCILE_LOOKS", 8)},
			{"looks as often as attempts", set("SenderFunction", "Environment.Variables.RELAY_RECONCILE_INTERVAL", "2s")},
		}},
		{"no setting holds a secret", findSecrets, []mutation{
			{"a token", set("IngestFunction", "Environment.Variables.TWILIO_AUTH_TOKEN", "x")},
			{"a secret's value", set("IngestFunction", "Environment.Variables.RELAY_TWILIO_AUTH_TOKEN_SECRET", "{{resolve:secretsmanager:twilio}}")},
		}},
		{"a function that sends to what calls it may do so for as long as it has to", findLoops, []mutation{
			{"until Lambda cuts it", remove("SenderFunction", "RecursiveLoop")},
			{"as Lambda likes", set("SenderFunction", "RecursiveLoop", "Terminate")},
			{"a function that is in no loop", set("IngestFunction", "RecursiveLoop", "Allow")},
		}},
		{"a function with a part of a CPU has one scheduler", findSchedulers, []mutation{
			{"two", set("SenderFunction", "Environment.Variables.GOMAXPROCS", "2")},
			{"as many as the machine has", set("SenderFunction", "Environment.Variables.GOMAXPROCS", nil)},
		}},
		{"a function that collects garbage seldom has a limit for its memory", findMemoryLimits, []mutation{
			{"none", set("SenderFunction", "Environment.Variables.GOMEMLIMIT", nil)},
			{"all of its memory", set("SenderFunction", "Environment.Variables.GOMEMLIMIT", "256MiB")},
			{"in another unit", set("SenderFunction", "Environment.Variables.GOMEMLIMIT", "1GiB")},
			{"a function with less memory", set("IngestFunction", "MemorySize", 128)},
		}},
		{"what is measured beside others has the template's settings", findMeasuredSettings, []mutation{
			{"garbage collected more often", set("IngestFunction", "Environment.Variables.GOGC", "200")},
			{"no trace of the scheduler", set("StreamAuditFunction", "Environment.Variables.GODEBUG", nil)},
		}},
	}
}

func findBuilds(t template, c code, report reporter) {
	var built []string
	for id, f := range t.functions() {
		built = append(built, c.folders[id])
		if !slices.Contains(c.mains, c.folders[id]) {
			report("%s: the Makefile's target build-%s should compile a folder under functions/ that starts a Lambda handler; it compiles %q",
				id, id, c.folders[id])
		}
		if method := text(t, "Resources."+id+".Metadata.BuildMethod"); method != "makefile" || text(f, "CodeUri") != "." {
			report("%s: BuildMethod %q and CodeUri %q should be makefile and the module's root", id, method, text(f, "CodeUri"))
		}
		if text(f, "Runtime") != "provided.al2023" || text(f, "Handler") != "bootstrap" ||
			!slices.Equal(expressions(f["Architectures"]), []string{"arm64"}) {
			report("%s: the Makefile makes a bootstrap for provided.al2023 on arm64", id)
		}
	}
	for _, folder := range c.mains {
		if !slices.Contains(built, folder) && (folder != "seed-routes" || t.isSeeded()) {
			report("functions/%s starts a Lambda handler, and no function of the template is built from it", folder)
		}
	}
}

// runtimeSettings are read by Go's runtime rather than by a config.go.
func runtimeSettings() []string { return []string{"GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT"} }

func findSettings(t template, c code, report reporter) {
	for id, f := range t.functions() {
		read := c.settings[c.folders[id]]
		given := sorted(mapping(at(f, "Environment.Variables")))
		for _, name := range given {
			if !slices.Contains(read, name) && !slices.Contains(runtimeSettings(), name) {
				report("%s: sets %s, which functions/%s/config.go does not read", id, name, c.folders[id])
			}
		}
		for _, name := range read {
			if !slices.Contains(given, name) && !isOptional(t, id, name) {
				report("%s: functions/%s/config.go reads %s, which is not set", id, c.folders[id], name)
			}
		}
	}
}

// namedResources are the resources behind the settings that name one.
func namedResources() map[string]string {
	return map[string]string{
		"RELAY_QUEUE_URL":             "Queue",
		"RELAY_DEAD_LETTER_QUEUE_URL": "DeadLetterQueue",
		"RELAY_TIMER_QUEUE_URL":       "TimerQueue",
		"RELAY_LEDGER_TABLE":          "LedgerTable",
		"RELAY_ROUTING_TABLE":         "RoutingTable",
		"RELAY_CONVERSATIONS_TABLE":   "ConversationsTable",
		"RELAY_PACE_TABLE":            "PaceTable",
		"RELAY_AUDIT_LOG_GROUP":       "AuditLogGroup",
		"RELAY_AUDIT_FAILURE_BUCKET":  "AuditFailureBucket",
		"RELAY_MEDIA_BUCKET":          "MediaBucket",
	}
}

// namedParameters are the parameters behind the settings that are one as it is.
func namedParameters() map[string]string {
	return map[string]string{
		"RELAY_RETRY_BASE":         "RetryBase",
		"RELAY_MAX_ATTEMPTS":       "MaxAttempts",
		"RELAY_SEND_TIMEOUT":       "SendTimeout",
		"RELAY_RETENTION":          "LedgerRetention",
		"RELAY_PACE_PAIR":          "PacePair",
		"RELAY_PACE_NUMBER":        "PaceNumber",
		"RELAY_RECONCILE_LOOKS":    "ReconcileLooks",
		"RELAY_RECONCILE_INTERVAL": "ReconcileInterval",
		"TWILIO_ACCOUNT_SID":       "TwilioAccountSid",
	}
}

func findValues(t template, _ code, report reporter) {
	for id, f := range t.functions() {
		for name, value := range mapping(at(f, "Environment.Variables")) {
			want := ""
			if resource, ok := namedResources()[name]; ok {
				want = "${" + resource + "}"
			} else if parameter, ok := namedParameters()[name]; ok {
				want = text(t, "Values."+parameter)
			}
			if want != "" && expression(value) != want {
				report("%s: %s is %s, should be %s", id, name, expression(value), want)
			}
		}
	}
}

// isOptional reports whether the setting is left out because its parameter is empty, because the sender has an API key and
// does not need the Auth Token, or because it asks for no receipts.
func isOptional(t template, id, name string) bool {
	if id == "SenderFunction" && name == "RELAY_TWILIO_AUTH_TOKEN_SECRET" {
		return text(t, "Values.TwilioApiKeySecretArn") != ""
	}
	if id == "SenderFunction" && name == "PUBLIC_BASE_URL" {
		return text(t, "Values.Receipts") == "off"
	}
	parameter, ok := map[string]string{
		"RELAY_TWILIO_API_KEY_SECRET": "TwilioApiKeySecretArn",
		"TWILIO_API_BASE_URL":         "TwilioApiBaseUrl",
	}[name]
	return ok && text(t, "Values."+parameter) == ""
}

func findSecrets(t template, _ code, report reporter) {
	for id, f := range t.functions() {
		for name, value := range mapping(at(f, "Environment.Variables")) {
			plain := expression(value)
			if strings.HasSuffix(name, "_TOKEN") || name == "TWILIO_API_KEY_SECRET" || strings.Contains(plain, "{{resolve:") {
				report("%s: %s puts a secret into the function's configuration; name the secret's ARN", id, name)
			}
		}
	}
}

// findLoops holds each function against its own queues: one that it reads and sends to is a loop, which Lambda cuts after about 16
// rounds unless it is told.
func findLoops(t template, _ code, report reporter) {
	for id, f := range t.functions() {
		loops := false
		for _, event := range events(f, "SQS") {
			queue := text(event, "Queue")
			loops = loops || slices.Contains(allowedActions(roleOf(t, f))[queue], "sqs:SendMessage")
		}
		want := ""
		if loops {
			want = "Allow"
		}
		if got := text(f, "RecursiveLoop"); got != want {
			report("%s: RecursiveLoop is %q, should be %q", id, got, want)
		}
	}
}

// findMemoryLimits wants a quarter of a function's memory left for what Go does not count.
func findMemoryLimits(t template, _ code, report reporter) {
	for id, f := range t.functions() {
		if text(f, "Environment.Variables.GOGC") == "" {
			continue
		}
		limit, isMiB := strings.CutSuffix(text(f, "Environment.Variables.GOMEMLIMIT"), "MiB")
		if n, err := strconv.Atoi(limit); !isMiB || err != nil || n > number(f, "MemorySize")*3/4 {
			report("%s: GOMEMLIMIT is %q: with GOGC it should be given in MiB, three quarters of MemorySize at most", id, limit)
		}
	}
}

// findMeasuredSettings wants the functions that `make bench-peers` measures to be started as the template has it.
func findMeasuredSettings(t template, _ code, report reporter) {
	source, err := os.ReadFile(filepath.Join(root, "testing", "peers", "contestant", "contestant.go"))
	if err != nil {
		report("%v", err)
		return
	}
	functions := t.functions()
	for _, id := range []string{"IngestFunction", "SenderFunction", "StreamAuditFunction"} {
		for _, name := range runtimeSettings() {
			setting := name + "=" + text(functions[id], "Environment.Variables."+name)
			if !strings.Contains(string(source), strconv.Quote(setting)) {
				report("%s: testing/peers/contestant does not start it with %s", id, setting)
			}
		}
	}
}

func findSchedulers(t template, _ code, report reporter) {
	for id, f := range t.functions() {
		if number(f, "MemorySize") < fullCPU && text(f, "Environment.Variables.GOMAXPROCS") != "1" {
			report("%s: has a part of one CPU and GOMAXPROCS is not 1", id)
		}
	}
}
