package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"quickdumpnow.com/smsrelay/testing/costs"
	"quickdumpnow.com/smsrelay/testing/scaling/held"
	"quickdumpnow.com/smsrelay/testing/scaling/model"
)

// titles are the tables that need no machine, in the page's order.
func titles() []string { return []string{"sizes", "settings", "limits", "uses", "facts"} }

func tables(results []model.Result, rates costs.Rates) map[string]string {
	return map[string]string{
		"sizes": sizeTable(results), "settings": settingsTable(results, rates), "limits": limitTable(results), "uses": useTable(results),
		"facts": factTable(),
	}
}

// table writes rows. The first is the head.
func table(rows ...[]string) string {
	var text strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&text, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(&text, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
	return text.String()
}

// short writes a number with two digits that count: what a simulation of this kind is good for.
func short(n float64) string {
	if n == 0 || math.Abs(n) < 0.005 {
		return "0"
	}
	digits := 1 - int(math.Floor(math.Log10(math.Abs(n))))
	scale := math.Pow10(digits)
	text := strconv.FormatFloat(math.Round(n*scale)/scale, 'f', max(0, digits), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	for at := len(text) - 3; at > 0 && !strings.Contains(text, "."); at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

func percent(share float64) string { return short(100*share) + " %" }

// span writes milliseconds.
func span(ms float64) string {
	switch {
	case ms < 1000:
		return short(ms) + " ms"
	case ms < 120_000:
		return short(ms/1000) + " s"
	}
	return short(ms/60_000) + " min"
}

// use names a resource with its share.
func use(u model.Use) string { return u.Name + ": " + percent(u.Share) }

func sizeTable(results []model.Result) string {
	rows := [][]string{{
		"texts and numbers", "first limit", "the next one", "sent, texts a second", "webhook to POST, p50", "p99", "queue grows, a second",
		"change to audit entry, p99",
	}}
	for _, r := range results {
		rows = append(rows, []string{
			r.Name, use(r.Uses[0]), use(r.Uses[1]), short(r.Posted), span(r.P50), span(r.P99), short(max(0, steady(r))), span(r.AuditP99),
		})
	}
	return table(rows...)
}

// steady is how fast the queue grows, 0 if that is no more than chance.
func steady(r model.Result) float64 {
	if r.Growth < r.Offered/50 {
		return 0
	}
	return r.Growth
}

// month is the seconds of one.
const month = 730 * 3600

func settingsTable(results []model.Result, rates costs.Rates) string {
	rows := [][]string{{
		"texts and numbers", "`SenderConcurrency`", "`IngestConcurrency`", "`PublicRequestsPerSecond`", "`PublicBurst`", "stacks",
		"accounts or regions", "accounts at Twilio", "AWS a month, if it goes on all the time", "Twilio a month, with its numbers",
	}}
	for _, r := range results {
		s, alike := r.Size.Settings, float64(r.Size.Alike)
		texts, numbers, stacks := r.Size.TextsPerSecond*alike*month, alike*float64(r.Size.Numbers), alike*float64(r.Size.Stacks)
		rows = append(rows, []string{
			r.Name, strconv.Itoa(s.SenderConcurrency), strconv.Itoa(s.IngestConcurrency), short(s.PublicRequestsPerSecond), short(s.PublicBurst),
			short(stacks), strconv.Itoa(r.Size.Alike), strconv.Itoa(r.Size.Alike),
			whole(texts*rates.AWS + rates.Stack*stacks), whole(texts*rates.Twilio + rates.Number*numbers),
		})
	}
	return table(rows...)
}

// whole writes an amount without cents.
func whole(dollars float64) string {
	text, _, _ := strings.Cut(costs.Dollars(math.Round(dollars)), ".")
	return text
}

// limit says of a resource whose it is and what is done when it is full.
type limit struct{ name, whose, then string }

// The scopes of limits.
const (
	ofNumber  = "a Twilio number"
	ofStack   = "a stack"
	ofAccount = "an account of AWS in one region"
	ofTwilio  = "an account of Twilio's"
)

func limits() []limit {
	return []limit{
		{"PacePair, one phone", ofNumber, "more phones, or more numbers: Twilio's loop guard (14107) allows no more from a number to a phone"},
		{"PaceNumber", ofNumber, "`Pace` of the route, if the number may send more (toll-free 3 a second, short codes 100); else more numbers"},
		{"PublicRequestsPerSecond, receipts", ofStack, "`PublicRequestsPerSecond`: two receipts for each text, and room for bursts"},
		{"PublicRequestsPerSecond, texts", ofStack, "the same"},
		{"IngestConcurrency", ofStack, "`IngestConcurrency`"},
		{senders, ofStack, "`SenderConcurrency`, up to 1000"},
		{"tags' partition, reads", ofStack, "another stack, with its own customers. New customers have no tag then, only their number"},
		{"ByStateDay, one key", ofStack, "another stack: all records that change to one state on one day are one key of the index"},
		{"ledger's quota", ofStack, "ask AWS for more"},
		{"Lambda's runs at once (account)", ofAccount, "ask AWS for more, or another account or region"},
		{"API Gateway's requests (account)", ofAccount, "ask AWS for more, or another account or region"},
		{"SQS calls (account)", ofAccount, "another region: the smallest have a thirtieth"},
		{"Twilio's requests at once (account)", ofTwilio, "ask Twilio, or another account of Twilio's, which is another stack"},
		{"Twilio's messages (account)", ofTwilio, "ask Twilio, or another account of Twilio's; its subaccounts count together"},
	}
}

// limitTable says at how many texts a second each limit is full, by the last size, in which none is.
func limitTable(results []model.Result) string {
	rows := [][]string{{"limit", "of", "full at, texts a second", "what then"}}
	last := results[len(results)-1]
	loads := map[string]float64{
		ofNumber: last.Size.TextsPerSecond / float64(last.Size.Numbers), ofStack: last.Size.TextsPerSecond / float64(last.Size.Stacks),
		ofAccount: last.Size.TextsPerSecond, ofTwilio: last.Size.TextsPerSecond,
	}
	for _, l := range limits() {
		at := loads[l.whose] / shareOf(last, l.name)
		if l.name == senders {
			at = eachRun(results)
		}
		rows = append(rows, []string{l.name, l.whose, short(at) + beside(l.name, last.Size), l.then})
	}
	return table(rows...)
}

// senders is the one resource whose use does not grow with the load: while there are free runs, each text gets one of its own, and only
// when there are none do texts come in batches.
const senders = "SenderConcurrency"

// eachRun is how many texts a second each run of the sender does when all are busy.
func eachRun(results []model.Result) float64 {
	i := slices.IndexFunc(results, func(r model.Result) bool { return r.First().Name == senders && steady(r) > 0 })
	busy := results[i]
	return busy.Delivered / float64(busy.Size.Settings.Texts())
}

// beside says with which setting a limit is full there.
func beside(name string, s model.Size) string {
	with := func(format string, of any) string { return fmt.Sprintf(" (with "+format+")", of) }
	switch name {
	case "IngestConcurrency":
		return with("%d", s.Settings.IngestConcurrency)
	case senders:
		return " for each run that is for texts: four fifths of them"
	case "PublicRequestsPerSecond, receipts", "PublicRequestsPerSecond, texts":
		return with("%s", short(s.Settings.PublicRequestsPerSecond))
	case "tags' partition, reads":
		tags := short(float64(s.Numbers * s.CustomersPerNumber / s.Stacks))
		return fmt.Sprintf(" (with %s tags in use, and %s of texts from new customers)", tags, percent(s.NewShare))
	case "Twilio's requests at once (account)":
		return with("%d", s.TwilioAtOnce)
	}
	return ""
}

func shareOf(r model.Result, name string) float64 {
	i := slices.IndexFunc(r.Uses, func(u model.Use) bool { return u.Name == name })
	return r.Uses[i].Share
}

// useTable has what share of each resource each size asks for.
func useTable(results []model.Result) string {
	head := []string{"resource"}
	for _, r := range results {
		head = append(head, r.Name)
	}
	rows := [][]string{head}
	var names []string
	for _, u := range results[0].Uses {
		names = append(names, u.Name)
	}
	slices.Sort(names)
	for _, name := range names {
		row := []string{name}
		for _, r := range results {
			row = append(row, percent(shareOf(r, name)))
		}
		rows = append(rows, row)
	}
	return table(rows...)
}

func factTable() string {
	rows := [][]string{{"value", "of what", "how sure", "from"}}
	for _, f := range model.Facts() {
		rows = append(rows, []string{strconv.FormatFloat(f.Value, 'f', -1, 64), f.Unit, f.How, f.Source})
	}
	return table(rows...)
}

// heldTable compares the real relay with the model.
func heldTable(all []held.Compared) string {
	rows := [][]string{{"what", "", "texts a second", "webhook to POST, p50", "p99"}}
	for _, c := range all {
		ratio := c.Ratios()
		percents := func(n float64) string { return fmt.Sprintf("%.2f", n) }
		for _, row := range []struct {
			who string
			held.Outcome
		}{{"the relay", c.Real}, {"the model", c.Model}} {
			rows = append(rows, []string{c.Name, row.who, short(row.PerSecond), span(row.P50), span(row.P99)})
		}
		rows = append(rows, []string{c.Name, "model / relay", percents(ratio.PerSecond), percents(ratio.P50), percents(ratio.P99)})
	}
	return table(rows...)
}
