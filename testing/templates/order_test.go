package templates

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cfn "quickdumpnow.com/smsrelay/testing/lambdahost/template"
)

// waitsFor returns, for each resource, all that CloudFormation makes before it: what it refers to, what it depends on, and what those
// wait for. An event source of a function is a resource of its own, which only the function knows here.
func waitsFor(resources object) map[string]map[string]bool {
	direct := map[string][]string{}
	for id, resource := range resources {
		own := object{}
		for key, value := range mapping(mapping(resource)["Properties"]) {
			if key != "Events" {
				own[key] = value
			}
		}
		direct[id] = slices.Concat(references(own), expressions(mapping(resource)["DependsOn"]))
	}
	all := map[string]map[string]bool{}
	for id := range resources {
		seen := map[string]bool{}
		for next := slices.Clone(direct[id]); len(next) > 0; {
			one := next[0]
			next = next[1:]
			if resources[one] != nil && !seen[one] {
				seen[one] = true
				next = append(next, direct[one]...)
			}
		}
		all[id] = seen
	}
	return all
}

// lateProblems says what is wrong with the order in which the template's resources are made.
func lateProblems(t *testing.T, text string, parameters object) []string {
	t.Helper()
	parsed, err := cfn.Parse([]byte(text), parameters)
	if err != nil {
		t.Fatal(err)
	}
	resources := mapping(parsed.Whole["Resources"])
	before := waitsFor(resources)
	var problems []string
	for id, resource := range resources {
		if before[id][id] {
			problems = append(problems, id+" waits for itself")
		}
		policy, _ := mapping(resource)["DeletionPolicy"].(string)
		isRemoved := policy == "RetainExceptOnCreate" && at(resource, "Properties.BucketName") == nil
		if !strings.HasPrefix(policy, "Retain") || isRemoved {
			continue
		}
		for other, refused := range resources {
			// The quota refuses what reserves runs; names that are taken refuse the gateway's.
			kind, _ := mapping(refused)["Type"].(string)
			reserves := at(refused, "Properties.ReservedConcurrentExecutions") != nil
			if (reserves || kind == "AWS::ApiGatewayV2::Stage") && !before[id][other] {
				problems = append(problems, id+" is made before "+other)
			}
		}
	}
	slices.Sort(problems)
	return problems
}

// TestAFirstDeployThatFailsLeavesNothing: what outlives a stack is made after what may be refused, or the next deploy would find its
// name taken. A bucket with a name of CloudFormation's goes with a first deploy that fails. The template is read as it is, with names and
// not resources.
func TestAFirstDeployThatFailsLeavesNothing(t *testing.T) {
	file, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for variant, parameters := range variants() {
		if problems := lateProblems(t, string(file), parameters); len(problems) > 0 {
			t.Errorf("%s: %q", variant, problems)
		}
	}
	for _, mistake := range []struct{ name, correct, wrong, want string }{
		{
			"made at once", "    DependsOn: [ApiStage, IngestFunction, OperatorFunction, SenderFunction]\n    DeletionPolicy", "    DeletionPolicy",
			"LedgerTable is made before IngestFunction",
		},
		{"before the gateway", "[ApiStage, IngestFunction", "[IngestFunction", "AuditLogGroup is made before ApiStage"},
		{"in a circle", "RELAY_LEDGER_TABLE: !Ref LedgerTableName", "RELAY_LEDGER_TABLE: !Ref LedgerTable", "LedgerTable waits for itself"},
	} {
		t.Run("mistake/"+mistake.name, func(t *testing.T) {
			problems := lateProblems(t, strings.ReplaceAll(string(file), mistake.correct, mistake.wrong), variants()["few parameters"])
			if !slices.Contains(problems, mistake.want) {
				t.Errorf("found %q, should find %q", problems, mistake.want)
			}
		})
	}
}
