package templates

import (
	"slices"
	"strings"
)

// longestService is the most seconds that CloudFormation waits for a custom resource.
const longestService = 3600

func seedingChecks() []check {
	return []check{
		{"routes are seeded if there is a seed, and again when it changes", findSeed, []mutation{
			{"never", removeResource("SeedRoutes")},
			{"by another function", set("SeedRoutes", "ServiceToken", object{"Fn::GetAtt": "OperatorFunction.Arn"})},
			{"from another bucket", set("SeedRoutes", "Bucket", "other")},
			{"from another file", set("SeedRoutes", "Key", "other.json")},
			{"once and never again", remove("SeedRoutes", "Version")},
			{"not into a new table", remove("SeedRoutes", "Table")},
			{"by the id of a version that is not valid", set("SeedRoutes", "VersionId", "2026-11-26")},
			{"whether there is a seed or not", removeCondition("SeedRoutes")},
			{"by a function that is there without a seed", removeCondition("SeedRoutesFunction")},
			{"with a log that is there without a seed", removeCondition("SeedRoutesLogGroup")},
			{"with a role that is there without a seed", removeCondition("SeedRoutesRole")},
		}},
		{"a seed is read and put, and no more is done", findActions, []mutation{
			{"seed without a look", forbid("SeedRoutesRole", "dynamodb:Scan")},
			{"delete routes", allow("SeedRoutesRole", "dynamodb:DeleteItem", object{"Fn::GetAtt": "RoutingTable.Arn"})},
			{"read another file", allow("SeedRoutesRole", "s3:GetObject", object{"Fn::Sub": "arn:${AWS::Partition}:s3:::seed-bucket/other.json"})},
			{
				"read versions of the file",
				allow("SeedRoutesRole", "s3:GetObjectVersion", object{"Fn::Sub": "arn:${AWS::Partition}:s3:::seed-bucket/maintenance.json"}),
			},
			{"not read the file", forbid("SeedRoutesRole", "s3:GetObject")},
		}},
		{"nobody waits for a seed for ever, nor gives up before the function", findSeedTime, []mutation{
			{"an hour, for nothing", remove("SeedRoutes", "ServiceTimeout")},
			{"shorter than the function", set("SeedRoutes", "ServiceTimeout", 60)},
			{"longer than CloudFormation allows", set("SeedRoutes", "ServiceTimeout", 7200)},
			{"a function that has no time to answer", set("SeedRoutesFunction", "Timeout", 15)},
		}},
	}
}

// removeCondition lets a resource be there always.
func removeCondition(id string) func(template) {
	return func(t template) { delete(mapping(at(t, "Resources."+id)), "Condition") }
}

// isSeeded reports whether the parameters name a seed.
func (t template) isSeeded() bool { return text(t, "Values.SeedBucket") != "" }

// seedVersionID is the id of the version to read, or empty.
func (t template) seedVersionID() string {
	if text(t, "Values.SeedByVersionId") != "true" {
		return ""
	}
	return text(t, "Values.SeedVersion")
}

// seedFile is the ARN of the seed, and seedAction what reads it.
func (t template) seedFile() string {
	return "arn:${AWS::Partition}:s3:::" + text(t, "Values.SeedBucket") + "/" + text(t, "Values.SeedKey")
}

func (t template) seedAction() string {
	if t.seedVersionID() != "" {
		return "s3:GetObjectVersion"
	}
	return "s3:GetObject"
}

// seedResources are there for the seed alone.
func seedResources() []string {
	return []string{"SeedRoutes", "SeedRoutesFunction", "SeedRoutesLogGroup", "SeedRoutesRole"}
}

func findSeed(t template, _ code, report reporter) {
	for _, id := range seedResources() {
		resource := mapping(at(t, "Resources."+id))
		if (resource != nil) != t.isSeeded() {
			report("%s: is there: %v, there is a seed: %v", id, resource != nil, t.isSeeded())
		} else if resource != nil && text(resource, "Condition") != "HasSeed" {
			report("%s: is there without a seed, too", id)
		}
	}
	if !t.isSeeded() {
		return
	}
	for property, want := range map[string]string{
		"ServiceToken": "${SeedRoutesFunction.Arn}", "Table": "${RoutingTable}",
		"Bucket": text(t, "Values.SeedBucket"), "Key": text(t, "Values.SeedKey"),
		"Version": text(t, "Values.SeedVersion"), "VersionId": t.seedVersionID(),
	} {
		if got := text(t.resource("SeedRoutes"), property); got != want {
			report("SeedRoutes: %s is %q, should be %q", property, got, want)
		}
	}
	for id := range mapping(t["Resources"]) {
		kind := text(t, "Resources."+id+".Type")
		if strings.HasPrefix(kind, "Custom::") && !slices.Contains(seedResources(), id) {
			report("%s: nothing is known of custom resources of type %s", id, kind)
		}
	}
}

// findSeedTime: Lambda calls a function that died twice more, after one and two minutes.
func findSeedTime(t template, _ code, report reporter) {
	if !t.isSeeded() {
		return
	}
	timeout, service := number(t.functions()["SeedRoutesFunction"], "Timeout"), number(t.resource("SeedRoutes"), "ServiceTimeout")
	if timeout < 60 {
		report("SeedRoutesFunction: %d s are too few to wait for a policy to be in force, put the routes and answer", timeout)
	}
	if service < 3*timeout+60+120 || service > longestService {
		report("SeedRoutes: ServiceTimeout %d s should outlast three calls of %d s and the pauses between them, and be at most %d s", service,
			timeout, longestService)
	}
}
