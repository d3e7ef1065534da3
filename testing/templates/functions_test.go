package templates

import (
	"slices"
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
		}},
		{"each function gets the settings that it reads", findSettings, []mutation{
			{"a setting too few", remove("SenderFunction", "Environment.Variables.RELAY_LEDGER_TABLE")},
			{"a setting nobody reads", set("IngestFunction", "Environment.Variables.RELAY_LEDGER_TABLE", "x")},
			{"a slip of the pen", set("StreamAuditFunction", "Environment.Variables.RELAY_AUDIT_LOG_GRUOP", "x")},
		}},
		{"no setting holds a secret", findSecrets, []mutation{
			{"a token", set("IngestFunction", "Environment.Variables.TWILIO_AUTH_TOKEN", "x")},
			{"a secret's value", set("IngestFunction", "Environment.Variables.RELAY_TWILIO_AUTH_TOKEN_SECRET", "{{resolve:secretsmanager:twilio}}")},
		}},
		{"a function with a part of a CPU has one scheduler", findSchedulers, []mutation{
			{"two", set("SenderFunction", "Environment.Variables.GOMAXPROCS", "2")},
			{"as many as the machine has", set("SenderFunction", "Environment.Variables.GOMAXPROCS", nil)},
		}},
	}
}

func findBuilds(t template, c code, report reporter) {
	var built []string
	for id, f := range t.functions() {
		built = append(built, c.folders[id])
		if !slices.Contains(c.mains, c.folders[id]) {
			report("%s: the Makefile's target build-%s should compile a folder under functions/ that starts a Lambda handler; it compiles %q", id, id, c.folders[id])
		}
		if method := text(t, "Resources."+id+".Metadata.BuildMethod"); method != "makefile" || text(f, "CodeUri") != "." {
			report("%s: BuildMethod %q and CodeUri %q should be makefile and the module's root", id, method, text(f, "CodeUri"))
		}
		if text(f, "Runtime") != "provided.al2023" || text(f, "Handler") != "bootstrap" || !slices.Equal(expressions(f["Architectures"]), []string{"arm64"}) {
			report("%s: the Makefile makes a bootstrap for provided.al2023 on arm64", id)
		}
	}
	for _, folder := range c.mains {
		if !slices.Contains(built, folder) {
			report("functions/%s starts a Lambda handler, and no function of the template is built from it", folder)
		}
	}
}

// runtimeSettings are read by Go's runtime rather than by a config.go.
func runtimeSettings() []string { return []string{"GOMAXPROCS"} }

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

// isOptional reports whether the setting is left out because its parameter is empty, or because the sender has an API key
// and does not need the Auth Token.
func isOptional(t template, id, name string) bool {
	if id == "SenderFunction" && name == "RELAY_TWILIO_AUTH_TOKEN_SECRET" {
		return text(t, "Values.TwilioApiKeySecretArn") != ""
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

func findSchedulers(t template, _ code, report reporter) {
	for id, f := range t.functions() {
		if number(f, "MemorySize") < fullCPU && text(f, "Environment.Variables.GOMAXPROCS") != "1" {
			report("%s: has a part of one CPU and GOMAXPROCS is not 1", id)
		}
	}
}
