package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/testing/dashboards/drawing"
)

// What is in a query besides field names. (The language is CloudWatch Logs Insights'.)
var (
	quoted   = regexp.MustCompile(`"[^"]*"`)
	aliased  = regexp.MustCompile(`\bas ([a-z_]+)`)
	word     = regexp.MustCompile("`?@?[a-zA-Z_][a-zA-Z0-9_.]*`?")
	compared = regexp.MustCompile("`?([a-z_.]+)`? (?:=|in) (\"[^\"]*\"|\\[[^\\]]*\\])")
	language = strings.Fields("fields filter stats sort limit by as asc desc and or in not like ispresent count count_distinct @timestamp " +
		"@message @log")
)

// checkQueries holds the saved queries against what the functions logged and the audit log has.
func checkQueries(t *testing.T, text []byte, r ran) {
	t.Helper()
	for _, problem := range queryProblems(text, r) {
		t.Error(problem)
	}
	for _, m := range []mutation{
		{"a misspelt field", "by reason, path, source_ip", "by reason, path, source_address"},
		{"the name of slog, not Lambda's", `filter message = "webhook refused"`, `filter msg = "webhook refused"`},
		{"a line that is not logged", `"webhook refused"`, `"webhook rejected"`},
		{"a state that does not exist", `"uncertain", "dropped"`, `"unsure", "dropped"`},
		{"a field of another log", "[!Ref IngestLogGroup]", "[!Ref OperatorLogGroup]"},
		{"the attempt's field without the attempt", "by attempt.error_code", "by error_code"},
	} {
		t.Run(m.name, func(t *testing.T) {
			mutated := bytes.ReplaceAll(text, []byte(m.old), []byte(m.replacement))
			if bytes.Equal(mutated, text) {
				t.Fatal("the mutation changed nothing")
			}
			if len(queryProblems(mutated, r)) == 0 {
				t.Error("the mistake was not found")
			}
		})
	}
}

func queryProblems(text []byte, r ran) []string {
	template, err := drawing.ReadTemplate(text, nil)
	if err != nil {
		return []string{err.Error()}
	}
	logGroups, err := template.Resources("AWS::Logs::LogGroup")
	if err != nil {
		return []string{err.Error()}
	}
	queries, err := template.Resources("AWS::Logs::QueryDefinition")
	if err != nil {
		return []string{err.Error()}
	}
	groups := map[string]string{}
	for id, group := range logGroups {
		groups[fmt.Sprint(group["LogGroupName"])] = id
	}
	var problems []string
	for id, q := range queries {
		there := map[string]map[string]bool{}
		names, _ := q["LogGroupNames"].([]any)
		for _, name := range names {
			collect(r.lines[groups[fmt.Sprint(name)]], there)
		}
		for _, problem := range unknownIn(fmt.Sprint(q["QueryString"]), there) {
			problems = append(problems, id+": "+problem)
		}
	}
	slices.Sort(problems)
	return problems
}

// collect adds the fields of JSON lines, as Logs Insights discovers them, each with its values.
func collect(lines []byte, there map[string]map[string]bool) {
	for line := range bytes.Lines(lines) {
		var members map[string]any
		if json.Unmarshal(line, &members) == nil {
			flatten("", members, there)
		}
	}
}

func flatten(prefix string, members map[string]any, there map[string]map[string]bool) {
	for name, value := range members {
		if inner, ok := value.(map[string]any); ok {
			flatten(prefix+name+".", inner, there)
			continue
		}
		if there[prefix+name] == nil {
			there[prefix+name] = map[string]bool{}
		}
		there[prefix+name][fmt.Sprint(value)] = true
	}
}

// unknownIn returns the fields of a query that no line has, and the words that its fields are compared with and never have.
// Ids and masked numbers are in a query to be replaced.
func unknownIn(query string, there map[string]map[string]bool) []string {
	var problems []string
	own := language
	for _, alias := range aliased.FindAllStringSubmatch(query, -1) {
		own = append(slices.Clip(own), alias[1])
	}
	for _, name := range word.FindAllString(quoted.ReplaceAllString(query, ""), -1) {
		name = strings.Trim(name, "`")
		if !slices.Contains(own, name) && there[name] == nil {
			problems = append(problems, fmt.Sprintf("no line of its logs has the field %s", name))
		}
	}
	for _, found := range compared.FindAllStringSubmatch(query, -1) {
		for _, value := range quoted.FindAllString(found[2], -1) {
			value = strings.Trim(value, `"`)
			if strings.HasPrefix(value, "SM") || strings.HasPrefix(value, "***") {
				continue
			}
			if !there[found[1]][value] {
				problems = append(problems, fmt.Sprintf("%s is never %q", found[1], value))
			}
		}
	}
	return problems
}
