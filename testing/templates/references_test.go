package templates

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	cfn "quickdumpnow.com/smsrelay/testing/lambdahost/template"
)

// references are the logical ids and pseudo parameters that v refers to, but for what a pattern brings along itself.
func references(v any) []string {
	found := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case object:
			own := object{}
			if parts := items(v["Fn::Sub"]); len(parts) == 2 {
				own = mapping(parts[1])
			}
			for _, name := range referencesHere(v) {
				if _, ok := own[name]; !ok {
					found[name] = true
				}
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(v)
	return sorted(found)
}

// placeholder finds what a pattern of Fn::Sub refers to. "${!" is text.
var placeholder = regexp.MustCompile(`\$\{([A-Za-z0-9:]+)(\.[A-Za-z0-9.]+)?\}`)

func referencesHere(m object) []string {
	var names []string
	if m["Ref"] != nil && len(m) == 1 {
		names = append(names, expression(m["Ref"]))
	}
	if m["Fn::GetAtt"] != nil {
		id, _, _ := strings.Cut(strings.Join(expressions(m["Fn::GetAtt"]), "."), ".")
		names = append(names, id)
	}
	if pattern := items(m["Fn::Sub"]); len(pattern) > 0 {
		for _, match := range placeholder.FindAllStringSubmatch(expression(pattern[0]), -1) {
			names = append(names, match[1])
		}
	}
	return names
}

// dangling are the references of a template that lead nowhere.
func dangling(t *testing.T, text string, parameters object) []string {
	t.Helper()
	parsed, err := cfn.Parse([]byte(text), parameters)
	if err != nil {
		t.Fatal(err)
	}
	there := slices.Collect(maps.Keys(mapping(parsed.Whole["Resources"])))
	for id, f := range mapping(parsed.Whole["Resources"]) {
		// SAM makes a resource of each event source.
		for event := range mapping(at(f, "Properties.Events")) {
			there = append(there, id+event)
		}
	}
	var lost []string
	for _, section := range []string{"Resources", "Outputs", "Globals"} {
		for _, name := range references(parsed.Whole[section]) {
			if !slices.Contains(there, name) && !strings.HasPrefix(name, "AWS::") {
				lost = append(lost, name)
			}
		}
	}
	return lost
}

// TestNothingRefersToWhatIsLeftOut reads the template as it is, where TestTemplateAgreesWithTheCode takes a table's name for
// the table.
func TestNothingRefersToWhatIsLeftOut(t *testing.T) {
	file, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for variant, parameters := range variants() {
		t.Run(variant, func(t *testing.T) {
			if lost := dangling(t, string(file), parameters); len(lost) > 0 {
				t.Errorf("the template refers to %q, which are not there", lost)
			}
		})
	}
	for _, mistake := range []struct{ name, variant, correct, wrong, lost string }{
		{
			"a table's own name", "existing tables", "RELAY_LEDGER_TABLE: !Ref LedgerTableName",
			"RELAY_LEDGER_TABLE: !Ref LedgerTable", "LedgerTable",
		},
		{
			"a table's own stream", "existing tables", "Stream: !If [MakesRoutingTable, !GetAtt RoutingTable.StreamArn, !Ref RoutingTableStreamArn]",
			"Stream: !GetAtt RoutingTable.StreamArn", "RoutingTable",
		},
		{
			"a table's own index", "existing tables", "table/${LedgerTableName}/index/ByStateDay",
			"table/${LedgerTable}/index/ByStateDay", "LedgerTable",
		},
		{
			"the audit log's own name", "existing tables", "RELAY_AUDIT_LOG_GROUP: !Ref AuditLogGroupName",
			"RELAY_AUDIT_LOG_GROUP: !Ref AuditLogGroup", "AuditLogGroup",
		},
		{"an output of what is not made", "few parameters", "  DomainTarget:\n    Condition: HasDomain\n", "  DomainTarget:\n", "Domain"},
		{"a record of what is not made", "few parameters", "    Condition: HasDomainRecord\n", "", "Domain"},
	} {
		t.Run("mistake/"+mistake.name, func(t *testing.T) {
			mutated := strings.ReplaceAll(string(file), mistake.correct, mistake.wrong)
			if mutated == string(file) {
				t.Fatal("the mutation changed nothing")
			}
			if lost := dangling(t, mutated, variants()[mistake.variant]); !slices.Equal(lost, []string{mistake.lost}) {
				t.Errorf("found %q, should find %s", lost, mistake.lost)
			}
		})
	}
}
