package dashboards

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/dashboards/drawing"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var metricsFile = flag.String("metrics", "", "write the run's metrics there, for testing/dashboards/render")

// ran is what a run leaves behind.
type ran struct {
	// emitted are the metrics that the functions printed.
	emitted *drawing.Metrics
	// lines are those of each log group, by its logical id.
	lines map[string][]byte
}

// run plays the run. It fails the test if CloudWatch would not read a line of metrics.
func run(t *testing.T) ran {
	t.Helper()
	s := newStage(t)
	s.aws.reset()
	s.play()
	r := ran{emitted: &drawing.Metrics{}, lines: map[string][]byte{}}
	emitted := bytes.Clone(s.emitted.Bytes())
	s.must(r.emitted.ReadMetrics(&s.emitted))
	if r.emitted.Skipped > 0 {
		t.Errorf("%d lines that the functions emitted are no metrics to CloudWatch", r.emitted.Skipped)
	}
	for group, logged := range s.logs {
		r.lines[group] = logged.Bytes()
	}
	for _, line := range s.auditLog.Lines() {
		r.lines["AuditLogGroup"] = append(append(r.lines["AuditLogGroup"], line.Text...), '\n')
	}
	if *metricsFile != "" {
		s.must(os.WriteFile(*metricsFile, append(emitted, s.aws.lines.Bytes()...), 0o644))
	}
	return r
}

// asked are the metrics that a template asks for, each with where.
type asked map[drawing.Key][]string

// askedOf reads what the dashboard and the alarms of a template ask for.
func askedOf(text []byte) (asked, error) {
	template, err := drawing.ReadTemplate(text, nil)
	if err != nil {
		return nil, err
	}
	d, err := template.Dashboard()
	if err != nil {
		return nil, err
	}
	all := asked{}
	for _, w := range d.Widgets {
		for _, m := range w.Metrics {
			all[m.Key] = append(all[m.Key], "widget "+strconv.Quote(w.Title))
		}
	}
	alarms, err := template.Resources("AWS::CloudWatch::Alarm")
	if err != nil {
		return nil, err
	}
	for id, alarm := range alarms {
		var dimensions []string
		list, _ := alarm["Dimensions"].([]any)
		for _, d := range list {
			if pair, ok := d.(map[string]any); ok {
				dimensions = append(dimensions, fmt.Sprint(pair["Name"])+"="+fmt.Sprint(pair["Value"]))
			}
		}
		key := drawing.KeyOf(fmt.Sprint(alarm["Namespace"]), fmt.Sprint(alarm["MetricName"]), dimensions...)
		all[key] = append(all[key], "alarm "+id)
	}
	return all, nil
}

// unshown are metrics that no widget shows by themselves, each with why.
func unshown() map[string]string {
	return map[string]string{
		"Outcome State=dropped": "the widget of the drops shows each reason",
	}
}

// problems holds what a template asks for against what a run emitted, and the other way round.
func problems(text []byte, emitted *drawing.Metrics) []string {
	wanted, err := askedOf(text)
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	shown, given := map[string]bool{}, map[drawing.Key]bool{}
	for _, key := range emitted.Keys() {
		given[key] = true
	}
	for key, where := range wanted {
		shown[key.Name] = shown[key.Name] || key.Namespace == telemetry.Namespace && strings.HasPrefix(where[0], "widget")
		switch {
		case key.Namespace != telemetry.Namespace:
			found = append(found, undocumented(key, where)...)
		case !given[key]:
			found = append(found, fmt.Sprintf("%s: nothing emits %s", where, key))
		}
	}
	for key := range given {
		// The widgets come before the alarms in the list.
		direct := len(wanted[key]) > 0 && strings.HasPrefix(wanted[key][0], "widget")
		// The total of a metric that is shown by its dimension's values goes without saying.
		total := key.Dimensions == "" && shown[key.Name]
		if !direct && !total && unshown()[strings.TrimPrefix(key.String(), telemetry.Namespace+" ")] == "" {
			found = append(found, fmt.Sprintf("no widget shows %s", key))
		}
	}
	slices.Sort(found)
	return found
}

func templateText(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestDashboardAsksForWhatIsEmitted, and for all of it.
func TestDashboardAsksForWhatIsEmitted(t *testing.T) {
	r, text := run(t), templateText(t)
	for _, problem := range problems(text, r.emitted) {
		t.Error(problem)
	}
	names := map[string]bool{}
	for _, key := range r.emitted.Keys() {
		names[key.Name] = true
	}
	for constant, name := range relaytest.MetricNames(t, filepath.Join("..", "..")) {
		if !names[name] {
			t.Errorf("telemetry.%s: nothing in the run emits it", constant)
		}
	}
	for _, m := range mutations() {
		t.Run(m.name, func(t *testing.T) {
			mutated := bytes.ReplaceAll(text, []byte(m.old), []byte(m.replacement))
			if bytes.Equal(mutated, text) {
				t.Fatal("the mutation changed nothing")
			}
			if len(problems(mutated, r.emitted)) == 0 {
				t.Error("the mistake was not found")
			}
		})
	}
	t.Run("queries", func(t *testing.T) { checkQueries(t, text, r) })
	t.Run("one host", func(t *testing.T) { checkOneHost(t, r.emitted) })
}

// mutation is a mistake in the template.
type mutation struct{ name, old, replacement string }

func mutations() []mutation {
	return []mutation{
		{"a misspelt metric", `["SMSRelay", "Relayed"`, `["SMSRelay", "Relaid"`},
		{"another namespace", `["SMSRelay", "Relayed"`, `["SmsRelay", "Relayed"`},
		{"a misspelt dimension", `"Outcome", "State", "delivered"`, `"Outcome", "Status", "delivered"`},
		{"a misspelt value", `"Outcome", "State", "delivered"`, `"Outcome", "State", "arrived"`},
		{"a dimension that it has not", `["SMSRelay", "Halted",`, `["SMSRelay", "Halted", "Kind", "fatal",`},
		{"no dimension's value", `"Looked", "Verdict", "ambiguous"`, `"Looked", "Verdict", "unclear"`},
		{"a metric that is not shown", `["SMSRelay", "Halted",`, `["SMSRelay", "Relayed",`},
		{"a value that is not shown", `"TwilioFault", "Kind", "fatal"`, `"TwilioFault", "Kind", "unknown"`},
		{"a function that has another name", `"ColdStart", "Function", "stream-audit"`, `"ColdStart", "Function", "audit"`},
		{"an alarm on a misspelt metric", "MetricName: Halted", "MetricName: Halt"},
		{"an alarm on a state that does not exist", "{Name: State, Value: uncertain}", "{Name: State, Value: unsure}"},
		{
			"an alarm in another namespace", "Namespace: SMSRelay\n      MetricName: Unavailable",
			"Namespace: AWS/Relay\n      MetricName: Unavailable",
		},
		{"a metric that SQS has not", "ApproximateAgeOfOldestMessage", "AgeOfOldestMessage"},
		{"a metric of the REST API", `"AWS/ApiGateway", "5xx"`, `"AWS/ApiGateway", "5XXError"`},
		{"a dimension of the REST API", `"ApiId", "${Api}"`, `"ApiName", "${Api}"`},
		{"a queue by its address", `"${DeadLetterQueue.QueueName}"`, `"${DeadLetterQueue}"`},
		{"a queue that is not there", "!GetAtt DeadLetterQueue.QueueName", "!GetAtt DeadQueue.QueueName"},
		{"a function that is not there", `"${SenderFunction}"`, `"${SendFunction}"`},
		{"a table by another name", `"${LedgerTableName}"`, `"${Ledger}"`},
	}
}
