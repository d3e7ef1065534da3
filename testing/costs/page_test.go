package costs

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/cost.md")

// section finds one table of the page: what is between its marks.
var section = regexp.MustCompile(`(?s)<!-- table: ([a-z ]+) -->\n.*?<!-- end -->`)

// TestPage wants the tables of docs/cost.md to be what the counts, the prices and the template make.
func TestPage(t *testing.T) {
	name := filepath.Join("..", "..", "docs", "cost.md")
	old, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	module := filepath.Join("..", "..")
	s, err := readStack(module)
	if err != nil {
		t.Fatal(err)
	}
	paths, err := readPaths(module)
	if err != nil {
		t.Fatal(err)
	}
	tables := tablesOf(s, paths)
	shown := map[string]bool{}
	page := section.ReplaceAllFunc(old, func(found []byte) []byte {
		title := string(section.FindSubmatch(found)[1])
		shown[title] = true
		return fmt.Appendf(nil, "<!-- table: %s -->\n%s<!-- end -->", title, tables[title])
	})
	for title := range tables {
		if !shown[title] {
			t.Errorf("the page has no table %q", title)
		}
	}
	if *update {
		if err := os.WriteFile(name, page, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(old), string(page)); diff != "" {
		t.Errorf("docs/cost.md is not what was counted (-page +counted; go test ./testing/costs -update rewrites it):\n%s", diff)
	}
}

func tablesOf(s stack, paths []path) map[string]string {
	return map[string]string{
		"prices": priceTable(), "assumptions": assumptionTable(s), "calls": callTable(s, paths), "one text": detailTable(paths[0]),
		"bills": billTable(s, paths), "being there": standingTable(s), "options": optionTable(s, paths), "months": monthTable(s, paths[0]),
	}
}

// table writes rows. The first is the head.
func table(rows ...[]string) string {
	var text bytes.Buffer
	for i, row := range rows {
		fmt.Fprintf(&text, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(&text, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
	return text.String()
}

func priceTable() string {
	rows := [][]string{{"what", "price", "for one", "where it is listed"}}
	for _, p := range prices() {
		rows = append(rows, []string{p.service, "$" + plain(p.dollars), p.unit, p.page})
	}
	return table(rows...)
}

func assumptionTable(s stack) string {
	rows := [][]string{{"taken to be", "of what", "why"}}
	for _, a := range assumptions() {
		rows = append(rows, []string{plain(a.value), a.unit, a.reason})
	}
	return table(append(rows,
		[]string{plain(s.accessLog), "bytes a request", "a line of the access log, its values as long as their names in the template"})...)
}

// callTable counts the calls of each path.
func callTable(s stack, paths []path) string {
	rows := [][]string{{
		"one text", "requests", "invocations", "SQS calls", "DynamoDB reads / units", "writes / units", "audit entries",
		"log, kB", "calls of Twilio", "segments or pictures sent",
	}}
	for _, p := range paths {
		writes := sum(p.Each, "dynamodb:PutItem", "") + sum(p.Each, "dynamodb:TransactWriteItems", "")
		rows = append(rows, []string{
			p.Name, plain(p.Each["apigateway:Request"]), plain(sum(p.Each, "invocations ", "")), plain(sum(p.Each, "sqs:", "")),
			plain(sum(p.Each, "dynamodb:", "")-writes) + " / " + plain(sum(p.Each, "read units ", "")),
			plain(writes) + " / " + plain(sum(p.Each, "write units ", "")),
			plain(auditEntries(p)), strconv.FormatFloat((s.logBytes(p)+auditBytes(p))/1000, 'f', 1, 64),
			plain(sum(p.Each, "twilio:", "")), plain(p.Each["twilio segments outbound-api"] + p.Each["twilio pictures outbound-api"]),
		})
	}
	return table(rows...)
}

// detailTable is everything that one path costs.
func detailTable(p path) string {
	rows := [][]string{{"what", "for one text"}}
	var names []string
	for what := range p.Each {
		names = append(names, what)
	}
	slices.Sort(names)
	for _, what := range names {
		rows = append(rows, []string{"`" + what + "`", plain(p.Each[what])})
	}
	return table(rows...)
}

// billTable prices a million texts on each path.
func billTable(s stack, paths []path) string {
	rows := [][]string{append([]string{"a million times"}, services()...)}
	for _, p := range paths {
		row, bill := []string{p.Name}, s.bill(p)
		for _, service := range services() {
			row = append(row, dollars(bill[service]))
		}
		rows = append(rows, row)
	}
	return table(rows...)
}

func standingTable(s stack) string {
	rows := [][]string{{"what", "how much", "a month"}}
	for _, one := range standings(s) {
		rows = append(rows, []string{one.what, one.reckon, dollars(one.dollars)})
	}
	return table(append(rows, []string{"**together**", "", "**" + dollars(standingTotal(s)) + "**"})...)
}

// monthTable is a whole month of delivered texts, for several numbers of them.
func monthTable(s stack, p path) string {
	rows := [][]string{{"texts a month", "AWS, for being there", "AWS, for the texts", "Twilio, one number", "Twilio's share"}}
	bill := s.bill(p)
	for _, texts := range []float64{1_000, 10_000, 100_000, million} {
		aws, twilio := bill["AWS"]*texts/million, bill["Twilio"]*texts/million+of("number")
		share := twilio / (twilio + aws + standingTotal(s))
		rows = append(rows, []string{
			plain(texts), dollars(standingTotal(s)), dollars(aws), dollars(twilio),
			strconv.FormatFloat(100*share, 'f', 1, 64) + " %",
		})
	}
	return table(rows...)
}

// TestBill reckons a bill by hand.
func TestBill(t *testing.T) {
	s := stack{memory: map[string]float64{"IngestFunction": 0.5, "SenderFunction": 0.25}, accessLog: 500}
	got := s.bill(path{
		Each: map[string]float64{
			"apigateway:Request": 2, "invocations IngestFunction": 2, "invocations SenderFunction": 4, "sqs:SendMessage Queue": 3,
			"sqs:SendMessage TimerQueue": 1,
			"write units LedgerTable":    2, "write units LedgerTable.ByCustomer": 1, "read units LedgerTable": 0.5,
			"dynamodb:PutItem LedgerTable": 2,
			"log events SenderFunction":    1, "secretsmanager:GetSecretValue": 1, "twilio:POST": 2, "twilio segments outbound-api": 1,
			"twilio segments inbound": 2,
		},
		Bytes: map[string]float64{"log bytes SenderFunction": 100, "audit bytes": 200, "record bytes": 7},
	})
	want := map[string]float64{
		"API Gateway": 2,
		"Lambda":      6*0.20 + 13.3334*(0.5*2*0.025+0.25*(4*0.025+2*0.25)),
		"SQS":         3*0.50 + 0.40,
		"DynamoDB":    3*0.625 + 0.5*0.125,
		"Logs":        0.0005 * (100 + 6*600 + 2*500 + 26*(1+2*6+2) + 200 + 2*26),
		"other":       5 + 0.00009*3000*4,
		"Twilio":      1e6 * (0.0083 + 0.0045 + 2*(0.0083+0.0025)),
	}
	aws := 0.0
	for service, dollars := range want {
		if math.Abs(got[service]-dollars) > 1e-6 {
			t.Errorf("%s: %v, want %v", service, got[service], dollars)
		}
		if service != "Twilio" {
			aws += dollars
		}
	}
	if math.Abs(got["AWS"]-aws) > 1e-6 || len(got) != len(services()) {
		t.Errorf("together %v, want %v; %v", got["AWS"], aws, got)
	}
}

func TestDollars(t *testing.T) {
	for n, want := range map[float64]string{
		0: "$0.00", 0.004: "under $0.01", 0.005: "$0.01", 999.999: "$1,000.00",
		1234567.5: "$1,234,567.50", 12: "$12.00",
	} {
		if got := dollars(n); got != want {
			t.Errorf("%v dollars are %s, want %s", n, got, want)
		}
	}
}
