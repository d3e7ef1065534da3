package onehost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// monitoring is the folder of the files for Prometheus and Grafana.
var monitoring = filepath.Join("..", "..", "..", "..", "deploy", "onehost")

// reporter gets one finding.
type reporter func(format string, args ...any)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoring, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// term finds the names in a query: the list of labels of by or without, a range, or a name with what follows.
var term = regexp.MustCompile(`\b(?:by|without)\s*\([^)]*\)|\[[^\]]*\]|([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{[^}]*\}|\()?`)

// sentence is what an alert says.
var sentence = regexp.MustCompile(`^[A-Z].{15,200}\.$`)

// matcher finds the conditions on labels.
var matcher = regexp.MustCompile(`([a-zA-Z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)

// findQuery holds a query against what the relay exposes, and notes the series that it asks for.
func findQuery(query string, e exposed, asked map[string]bool, report reporter) {
	terms := term.FindAllStringSubmatch(query, -1)
	names := 0
	for _, m := range terms {
		name, rest := m[1], m[2]
		if name == "" || rest == "(" || slices.Contains([]string{"or", "and", "sum", "max", "min"}, name) {
			continue
		}
		names++
		// What Prometheus itself says of what it scrapes.
		if name == "up" {
			continue
		}
		if e.labels[name] == nil {
			report("%s: nothing exposes %s", query, name)
			continue
		}
		asked[name] = true
		for _, condition := range matcher.FindAllStringSubmatch(rest, -1) {
			label, values := condition[1], strings.Split(condition[3], "|")
			// Prometheus gives these two to what it scrapes.
			if label == "instance" || label == "job" {
				continue
			}
			for _, value := range values {
				if !slices.Contains(e.labels[name][label], value) {
					report("%s: %s never has %s=%q", query, name, label, value)
				}
			}
		}
	}
	if names == 0 {
		report("%s: asks for nothing", query)
	}
}

// panel is a panel of the dashboard, as far as it is looked at here.
type panel struct {
	Type, Title, Description string
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []struct{ Expr, LegendFormat string }
}

func panelsOf(text string, report reporter) []panel {
	var dashboard struct {
		Title, UID string
		Panels     []panel
	}
	if err := json.Unmarshal([]byte(text), &dashboard); err != nil || dashboard.Title == "" || dashboard.UID == "" {
		report("the dashboard %q, %q cannot be imported: %v", dashboard.Title, dashboard.UID, err)
	}
	return slices.DeleteFunc(dashboard.Panels, func(p panel) bool { return p.Type == "row" })
}

// findDashboard holds the dashboard against what the relay exposes, and the other way round.
func findDashboard(text string, e exposed, report reporter) {
	asked, titles := map[string]bool{}, map[string]bool{}
	panels := panelsOf(text, report)
	for _, p := range panels {
		if p.Title == "" || titles[p.Title] {
			report("a panel %q has no title of its own", p.Title)
		}
		titles[p.Title] = true
		if p.FieldConfig.Defaults.Unit == "" || p.Description == "" || len(p.Targets) == 0 {
			report("%s: has no unit, no description or no query", p.Title)
		}
		for _, target := range p.Targets {
			findQuery(target.Expr, e, asked, report)
		}
	}
	for name := range e.help {
		shown := asked[name] || asked[name+"_bucket"]
		if strings.HasPrefix(name, namespace+"_") && !shown {
			report("no panel shows %s", name)
		}
	}
}

// alert is one rule.
type alert struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alertsOf(text string, report reporter) []alert {
	var file struct {
		Groups []struct {
			Name  string  `yaml:"name"`
			Rules []alert `yaml:"rules"`
		} `yaml:"groups"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil || len(file.Groups) != 1 {
		report("the rules have %d groups, %v", len(file.Groups), err)
		return nil
	}
	return file.Groups[0].Rules
}

// findAlerts holds the rules against what the relay exposes, the runbook and their own tests.
func findAlerts(rules, tests, runbook string, e exposed, report reporter) {
	names := map[string]bool{}
	for _, a := range alertsOf(rules, report) {
		findQuery(a.Expr, e, map[string]bool{}, report)
		if names[a.Alert] || !strings.HasPrefix(a.Alert, "Relay") {
			report("an alert is named %q", a.Alert)
		}
		names[a.Alert] = true
		if severity := a.Labels["severity"]; severity != "page" && severity != "ticket" {
			report("%s: its severity is %q", a.Alert, severity)
		}
		if summary := a.Annotations["summary"]; !sentence.MatchString(summary) {
			report("%s: its summary %q is no sentence", a.Alert, summary)
		}
		section, ok := strings.CutPrefix(a.Annotations["runbook"], "docs/runbook.md#")
		_, rest, found := strings.Cut(runbook, "\n## "+section+"\n")
		here, _, _ := strings.Cut(rest, "\n## ")
		if !ok || !found || !strings.Contains(here, "**Means.**") || !strings.Contains(here, "**Do.**") {
			report("%s: the runbook has no section %q that says what to do", a.Alert, section)
		}
		if !strings.Contains(tests, fmt.Sprintf(`alertname=%q}`, a.Alert)) {
			report("%s: no test has it go off", a.Alert)
		}
	}
	// What has to wake someone.
	for _, needed := range []string{
		"RelayDown", "RelayDeadLetters", "RelayUncertain", "RelayUnanswered", "RelayReachedNobody", "RelayHalted", "RelayQueueAge",
		"RelayCertificate", "RelayDiskFull", "RelayDatabaseDamaged",
	} {
		if !names[needed] {
			report("there is no alert %s", needed)
		}
	}
}

// mutate reports a mutation that changes nothing, or that find does not find.
func mutate(t *testing.T, text string, mutations map[string][2]string, find func(text string, report reporter)) {
	t.Helper()
	for name, m := range mutations {
		mutated := strings.Replace(text, m[0], m[1], 1)
		findings := 0
		find(mutated, func(string, ...any) { findings++ })
		if mutated == text || findings == 0 {
			t.Errorf("%s: the mistake was not made, or not found", name)
		}
	}
}

// TestGrafanaDashboard shows what the relay exposes, all of it.
func TestGrafanaDashboard(t *testing.T) {
	e, text := scrape(t, watchedRelay(t).metrics), read(t, "grafana-dashboard.json")
	findDashboard(text, e, t.Errorf)
	mutate(t, text, map[string][2]string{
		"a misspelt metric":     {"smsrelay_accepted_total", "smsrelay_acepted_total"},
		"a misspelt value":      {`state=\"uncertain\"`, `state=\"unsure\"`},
		"a label it has not":    {`state!~\"uncertain`, `status!~\"uncertain`},
		"no title":              {`"title": "Uncertain"`, `"title": ""`},
		"no unit":               {`"unit": "s"`, `"unit": ""`},
		"a metric not shown":    {"smsrelay_paced_total", "smsrelay_quota_total"},
		"not JSON":              {`"panels"`, `panels`},
		"a query without names": {"sum(smsrelay_uncertain_texts{instance=~\\\"$instance\\\"})", "sum(1)"},
	}, func(text string, report reporter) { findDashboard(text, e, report) })
}

// TestPrometheusRules ask for what the relay exposes, and lead to the runbook.
func TestPrometheusRules(t *testing.T) {
	e, rules, tests := scrape(t, watchedRelay(t).metrics), read(t, "prometheus-rules.yaml"), read(t, "prometheus-rules-test.yaml")
	runbook := read(t, filepath.Join("..", "..", "docs", "runbook.md"))
	findAlerts(rules, tests, runbook, e, t.Errorf)
	mutate(t, rules, map[string][2]string{
		"a misspelt metric":    {"smsrelay_halted_total", "smsrelay_halt_total"},
		"a misspelt value":     {`queue="dead_letters"`, `queue="dead"`},
		"a section not there":  {"docs/runbook.md#halted", "docs/runbook.md#halt"},
		"no summary":           {"summary: Sending is halted,", "summary: halted,"},
		"another severity":     {"{severity: page}", "{severity: loud}"},
		"an alert not there":   {"alert: RelayUncertain", "alert: RelayUnsure"},
		"an alert not tested":  {"alert: RelayQuota", "alert: RelayQuotas"},
		"a field it has not":   {"for: 2m", "during: 2m"},
		"two alerts of a name": {"alert: RelayDiskLow", "alert: RelayDiskFull"},
	}, func(text string, report reporter) { findAlerts(text, tests, runbook, e, report) })
}

// TestPromtool has Prometheus' own tool check the metrics, the rules, their tests and the dashboard's queries.
func TestPromtool(t *testing.T) {
	program := relaytest.Promtool(t)
	folder := t.TempDir()
	run := func(stdin []byte, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Stdin = folder, bytes.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rules := read(t, "prometheus-rules.yaml")
	write("prometheus-rules.yaml", rules)
	write("prometheus-rules-test.yaml", read(t, "prometheus-rules-test.yaml"))
	queries := "groups:\n  - name: dashboard\n    rules:\n"
	for _, p := range panelsOf(read(t, "grafana-dashboard.json"), t.Errorf) {
		for i, target := range p.Targets {
			expr := strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")
			queries += fmt.Sprintf("      - {record: 'dashboard:query', labels: {panel: %q, query: '%d'}, expr: %q}\n", p.Title, i, expr)
		}
	}
	write("dashboard.yaml", queries)
	for _, args := range [][]string{
		{"check", "rules", "--lint=all", "--lint-fatal", "prometheus-rules.yaml", "dashboard.yaml"},
		{"test", "rules", "prometheus-rules-test.yaml"},
	} {
		if out, err := run(nil, args...); err != nil {
			t.Errorf("promtool %q: %v\n%s", args, err, out)
		}
	}
	body := scrape(t, watchedRelay(t).metrics).body
	if out, err := run(body, "check", "metrics"); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
	if out, err := run(bytes.ReplaceAll(body, []byte("smsrelay_relayed_total"), []byte("smsrelayRelayed")), "check", "metrics"); err == nil {
		t.Errorf("promtool check metrics accepts a bad name: %s", out)
	}
	write("prometheus-rules.yaml", strings.Replace(rules, "[10m]) > 0", "[10m]) > 5", 1))
	if out, err := run(nil, "test", "rules", "prometheus-rules-test.yaml"); err == nil {
		t.Errorf("with another threshold the rules' tests pass: %s", out)
	}
}
