package templates

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// parameterChecks are about how the parameters are shown and explained.
func parameterChecks() []check {
	return []check{
		{"each parameter is in one group of the console's form", findGroups, []mutation{
			{"in none", addParameter("NewParameter")},
			{"in two", func(t template) {
				first := mapping(groups(t)[0])
				first["Parameters"] = append(items(first["Parameters"]), "QueueName")
			}},
			{"one that is gone", func(t template) { delete(mapping(t["Parameters"]), "QueueName") }},
			{"a group without a name", func(t template) { delete(mapping(groups(t)[0]), "Label") }},
		}},
		{"docs/deploy.md explains each parameter, with its default", findExplained, []mutation{
			{"one that it does not know", addParameter("NewParameter")},
			{"one that is gone", func(t template) { delete(mapping(t["Parameters"]), "QueueName") }},
			{"another default", func(t template) { mapping(at(t, "Parameters.MaxAttempts"))["Default"] = 9 }},
			{"a default where there is none", func(t template) { mapping(at(t, "Parameters.TwilioAccountSid"))["Default"] = "AC0" }},
		}},
		{"the docs name parameters, outputs and resources that there are", findNamed, []mutation{
			{"a parameter that is gone", func(t template) { delete(mapping(t["Parameters"]), "ReserveConcurrency") }},
			{"an output that is gone", func(t template) { delete(mapping(t["Outputs"]), "FallbackUrl") }},
		}},
	}
}

func addParameter(name string) func(template) {
	return func(t template) {
		mapping(t["Parameters"])[name] = object{"Type": "String", "Default": "", "Description": "New.", "AllowedPattern": ".*"}
	}
}

func groups(t template) []any {
	return items(at(mapping(at(t, "Metadata"))["AWS::CloudFormation::Interface"], "ParameterGroups"))
}

func findGroups(t template, _ code, report reporter) {
	var shown []string
	for _, group := range groups(t) {
		if text(group, "Label.default") == "" {
			report("a group of parameters has no label: %q", expressions(at(group, "Parameters")))
		}
		shown = append(shown, expressions(at(group, "Parameters"))...)
	}
	slices.Sort(shown)
	if parameters := sorted(mapping(t["Parameters"])); !slices.Equal(shown, parameters) {
		report("Metadata: groups %q, the parameters are %q", shown, parameters)
	}
}

func readDoc(report reporter, path ...string) string {
	page, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		report("%v", err)
	}
	return string(page)
}

// row finds a row of the table of parameters: its name, its default and what is said of it.
var row = regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\| (.*?) \\| (.+) \\|$")

func findExplained(t template, _ code, report reporter) {
	explained := map[string]bool{}
	for _, match := range row.FindAllStringSubmatch(readDoc(report, "docs", "deploy.md"), -1) {
		name, fallback := match[1], strings.Trim(match[2], "`")
		p := mapping(at(t, "Parameters."+name))
		if explained[name] = true; p == nil {
			report("docs/deploy.md explains %s, which is no parameter", name)
			continue
		}
		want := text(p, "Default")
		switch {
		case required()[name] && p["Default"] == nil:
			want = "must be given"
		case want == "":
			want = "empty"
		}
		if fallback != want {
			report("docs/deploy.md says of %s that it is %q by default, it is %q", name, fallback, want)
		}
	}
	for name := range mapping(t["Parameters"]) {
		if !explained[name] {
			report("docs/deploy.md does not explain %s", name)
		}
	}
}

// word finds what looks like a name of the template's: several words in one, each with a capital.
var word = regexp.MustCompile("`((?:[A-Z][a-z0-9]+){2,})`|\\b((?:[A-Z][a-z0-9]+){2,})=")

// theirs are words of that form that are Twilio's, AWS's or a route's.
func theirs() []string {
	return []string{
		"StatusCallback", "SmsUrl", "SmsMethod", "SmsFallbackUrl", "SmsFallbackMethod", "PhoneNumber", "MessageSid",
		"DeliveryTimeout", "OnUncertain", "MaxAge", "TwilioNumber", "DestinationCarrier", "FallbackCarriers", "LastUpdated", "UpdatedBy",
		"AttributeName", "KeyType", "AttributeType", "StreamEnabled", "StreamViewType", "RegionName", "WitnessRegionName",
		"ExpiresAt", "IndexName",
		"ByCustomer", "ByTwilioNumber", "ByStateDay", "PointInTimeRecoveryEnabled", "StateDay", "ReceivedKey", "ErrorCode", "ErrorUrl",
		"OutputKey", "ResourceStatus",
	}
}

func findNamed(t template, _ code, report reporter) {
	_, section, found := strings.Cut(readDoc(report, "README.md"), "\n## On AWS\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if !found || section == "" {
		report("README.md: has no section On AWS")
	}
	for page, text := range map[string]string{"README.md": section, "docs/deploy.md": readDoc(report, "docs", "deploy.md")} {
		for _, match := range word.FindAllStringSubmatch(text, -1) {
			name := match[1] + match[2]
			known := slices.Contains(theirs(), name)
			for _, part := range []string{"Parameters", "Outputs", "Resources"} {
				known = known || mapping(t[part])[name] != nil
			}
			if !known && !conditional()[name] {
				report("%s: names %s, which is neither a parameter nor an output nor a resource", page, name)
			}
		}
	}
}

// conditional are resources and outputs that are not there in every variant.
func conditional() map[string]bool {
	return map[string]bool{
		"RoutingTable": true, "LedgerTable": true, "ConversationsTable": true, "AuditLogGroup": true,
		"SeedRoutes": true, "DomainTarget": true,
	}
}
