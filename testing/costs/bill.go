package costs

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/dashboards/drawing"
	"quickdumpnow.com/smsrelay/testing/lambdahost/template"
)

// path is what one text costs on one path, as testing/e2e counted it.
type path struct {
	Name  string             `json:"name"`
	Each  map[string]float64 `json:"each"`
	Bytes map[string]float64 `json:"bytes"`
}

// sum adds up what begins with a prefix and ends with a suffix.
func sum(counts map[string]float64, prefix, suffix string) float64 {
	total := 0.0
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		if strings.HasPrefix(what, prefix) && strings.HasSuffix(what, suffix) {
			total += counts[what]
		}
	}
	return total
}

// stack is what the template says that costs money.
type stack struct {
	// memory is that of each function, in GB.
	memory map[string]float64
	// accessLog is the length of a line of the access log.
	accessLog float64
	alarms    float64
	metrics   float64
	// ledgerMonths, logMonths and auditMonths are how long things are kept.
	ledgerMonths, logMonths, auditMonths float64
}

const days = 365.0 / 12

// readStack reads the template in the module's folder.
func readStack(root string) (stack, error) {
	text, err := os.ReadFile(filepath.Join(root, "template.yaml")) //nolint:gosec // the caller's own folder.
	if err != nil {
		return stack{}, err
	}
	parsed, err := template.Parse(text, map[string]any{ //nolint:gosec // no credentials: names that a stack needs.
		"TwilioAccountSid":         "AC00000000000000000000000000000000",
		"TwilioAuthTokenSecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:twilio/token-AbCdEf",
	})
	if err != nil {
		return stack{}, err
	}
	s := stack{memory: map[string]float64{}, alarms: float64(len(parsed.Resources("AWS::CloudWatch::Alarm")))}
	if s.metrics, err = metrics(text); err != nil {
		return stack{}, err
	}
	for id, function := range parsed.Functions() {
		megabytes, err := number(function["MemorySize"])
		if err != nil {
			return stack{}, err
		}
		s.memory[id] = megabytes / 1024
	}
	for _, stage := range parsed.Resources("AWS::ApiGatewayV2::Stage") {
		settings, _ := stage.Properties["AccessLogSettings"].(template.Object)
		s.accessLog = float64(len(template.Expression(settings["Format"])))
	}
	values, _ := parsed.Whole["Values"].(template.Object)
	retention := func(id string) any {
		group, _ := parsed.Resource(id)
		return group.Properties["RetentionInDays"]
	}
	for of, kept := range map[*float64]any{
		&s.logMonths: retention("SenderLogGroup"), &s.auditMonths: retention("AuditLogGroup"),
		&s.ledgerMonths: strings.TrimSuffix(template.Expression(values["LedgerRetention"]), "d"),
	} {
		inDays, err := number(kept)
		if err != nil {
			return stack{}, err
		}
		*of = inDays / days
	}
	return s, nil
}

// metrics counts those that the dashboard and the alarms ask for, with a total for each that has a dimension: testing/dashboards
// sees to it that there are no others.
func metrics(text []byte) (float64, error) {
	parsed, err := drawing.ReadTemplate(text, nil)
	if err != nil {
		return 0, err
	}
	d, err := parsed.Dashboard()
	if err != nil {
		return 0, err
	}
	billed := map[string]bool{}
	for _, w := range d.Widgets {
		for _, m := range w.Metrics {
			if m.Namespace == telemetry.Namespace {
				billed[m.Name], billed[m.Name+" "+m.Dimensions] = true, true
			}
		}
	}
	delete(billed, "")
	n := 0
	for name := range billed {
		if !strings.HasSuffix(name, " ") { // A metric without a dimension is its own total.
			n++
		}
	}
	return float64(n), nil
}

func number(v any) (n float64, err error) {
	if err := json.Unmarshal([]byte(template.Expression(v)), &n); err != nil {
		return 0, fmt.Errorf("%v is no number: %w", v, err)
	}
	return n, nil
}

// readPaths reads what the end-to-end run counted.
func readPaths(root string) ([]path, error) {
	text, err := os.ReadFile(filepath.Join(root, "testing", "e2e", "testdata", "costs.json")) //nolint:gosec // the caller's own folder.
	if err != nil {
		return nil, err
	}
	var counted struct{ Paths []path }
	err = json.Unmarshal(text, &counted)
	return counted.Paths, err
}

// services are the columns of a bill.
func services() []string {
	return []string{"API Gateway", "Lambda", "SQS", "DynamoDB", "Logs", "other", "AWS", "Twilio"}
}

// bill is what a million texts cost, by service.
func (s stack) bill(p path) map[string]float64 {
	calls := p.Each["apigateway:Request"]
	twilio := sum(p.Each, "twilio:", "")
	bill := map[string]float64{
		"API Gateway": of("request") * calls,
		"Lambda":      of("invocation")*sum(p.Each, "invocations ", "") + million*of("gigabyte second")*s.gigabyteSeconds(p),
		"SQS": of("standard")*sum(p.Each, "sqs:", " TimerQueue") +
			of("fifo")*(sum(p.Each, "sqs:", "")-sum(p.Each, "sqs:", " TimerQueue")),
		"DynamoDB": of("write")*sum(p.Each, "write units ", "") + of("read")*sum(p.Each, "read units ", ""),
		"Logs":     million / gigabyte * of("logged") * (s.logBytes(p) + auditBytes(p)),
		"other": of("secret read")*sum(p.Each, "secretsmanager:", "") + million/gigabyte*of("out")*assumed("answer")*(calls+twilio) +
			pictureBill(p),
	}
	for _, dollars := range maps.Clone(bill) {
		bill["AWS"] += dollars
	}
	bill["Twilio"] = million * (p.Each["twilio segments outbound-api"]*(of("segment out")+of("carrier out")) +
		p.Each["twilio segments inbound"]*(of("segment in")+of("carrier in")) +
		p.Each["twilio pictures outbound-api"]*of("picture out") + p.Each["twilio pictures inbound"]*of("picture in"))
	return bill
}

// pictureBill is what the bucket costs, and what goes out from it to Twilio.
func pictureBill(p path) float64 {
	kept := media.KeptFor.Hours() / 24 / days
	bytes := assumed("picture") * (of("out")*sum(p.Each, "s3:GetObject", "") + of("object stored")*kept*sum(p.Each, "s3:PutObject", ""))
	return of("object put")*sum(p.Each, "s3:PutObject", "") +
		of("object read")*(sum(p.Each, "s3:GetObject", "")+sum(p.Each, "s3:HeadObject", "")) + million/gigabyte*bytes
}

// gigabyteSeconds is how long the functions run for a text, by their memory.
func (s stack) gigabyteSeconds(p path) float64 {
	total := s.memory["SenderFunction"] * sum(p.Each, "twilio:", "") * assumed("twilio") / 1000
	for id, memory := range s.memory {
		total += memory * p.Each["invocations "+id] * assumed("invocation") / 1000
	}
	return total
}

// logBytes is what the functions, Lambda and the gateway log of a text.
func (s stack) logBytes(p path) float64 {
	invocations := sum(p.Each, "invocations ", "")
	events := sum(p.Each, "log events ", "") + 2*invocations + p.Each["apigateway:Request"]
	return sum(p.Bytes, "log bytes ", "") + assumed("platform")*invocations +
		s.accessLog*p.Each["apigateway:Request"] + assumed("event")*events
}

// auditBytes is what the audit log keeps of a text. Each version of its record has an entry.
func auditBytes(p path) float64 {
	return p.Bytes["audit bytes"] + assumed("event")*auditEntries(p)
}

// auditEntries counts them: each change of a text is one, and of a customer, who is written with a tag.
func auditEntries(p path) float64 {
	return sum(p.Each, "dynamodb:PutItem LedgerTable", "") + sum(p.Each, "dynamodb:TransactWriteItems ConversationsTable", "")
}

// ledgerBytes is what the ledger keeps of a text, with its indexes.
func ledgerBytes(p path) float64 {
	const overhead = 100
	return p.Bytes["record bytes"] + overhead + 3*assumed("index")
}
