package costs

import (
	"fmt"
	"slices"
)

// option is what something adds: to a month, and to a million texts.
type option struct {
	what           string
	month, million string
}

func optionTable(s stack, paths []path) string {
	rows := [][]string{{"option", "adds a month", "adds for a million texts"}}
	for _, o := range slices.Concat(pathOptions(s, paths), storageOptions(s, paths[0]), standingOptions(s, paths[0])) {
		rows = append(rows, []string{o.what, o.month, o.million})
	}
	return table(rows...)
}

// pathOptions are what the paths cost more, or less, than a text that is delivered at once.
func pathOptions(s stack, paths []path) []option {
	plain := s.bill(paths[0])
	more := func(what, name string) option {
		at := slices.IndexFunc(paths, func(p path) bool { return p.Name == name })
		if at < 0 {
			panic("the run counted no path " + name)
		}
		bill := s.bill(paths[at])
		text := signed(bill["AWS"] - plain["AWS"])
		if twilio := bill["Twilio"] - plain["Twilio"]; twilio > 1 {
			text += fmt.Sprintf(", and Twilio's %s", dollars(twilio))
		}
		return option{what, "-", text}
	}
	return []option{
		more("`Receipts: off`", "sent, without receipts"),
		more("a `DeliveryTimeout` of up to 15 minutes on the route, with a fallback phone", "delivered, with a delivery timeout"),
		more("`Closed` `hold`: each text that is held until the number opens", "held until the number opened, delivered"),
		more("a cascade: each text that needs the fallback phone", "cascade to the fallback phone"),
		more("a picture: each text with one, without the carriers' fees for pictures", "a picture, delivered"),
		more("a retry: each text that Twilio refuses once", "refused once with 429"),
		more("a lost answer that receipts settle", "answer lost, settled by receipts"),
	}
}

func signed(n float64) string {
	if n < 0 {
		return "-" + dollars(-n)
	}
	return dollars(n)
}

// storageOptions are what is kept, for as long as the template's defaults say.
func storageOptions(s stack, p path) []option {
	ledger := million * ledgerBytes(p) / gigabyte * s.ledgerMonths
	kept := func(bytes, months float64) float64 {
		return million * bytes / gigabyte * assumed("compressed") * months * of("kept")
	}
	months := func(n float64) string {
		if n < 1.5 {
			return "a month"
		}
		return fmt.Sprintf("%.0f months", n)
	}
	return []option{
		{"the ledger's records, kept for " + months(s.ledgerMonths) + " (`LedgerRetention`)", "-", dollars(ledger * of("stored"))},
		{"point-in-time recovery of the ledger, as long", "-", dollars(ledger * of("recovery"))},
		{"the functions' logs, kept for " + months(s.logMonths) + " (`LogRetentionDays`)", "-", dollars(kept(s.logBytes(p), s.logMonths))},
		{"the audit log, kept for " + months(s.auditMonths) + " (`AuditRetentionDays`)", "-", dollars(kept(auditBytes(p), s.auditMonths))},
	}
}

// standingOptions are those that a month costs something for, or nothing.
func standingOptions(s stack, p path) []option {
	replicated := of("write") * sum(p.Each, "write units LedgerTable", "")
	return []option{
		{"reserved concurrency (`ReserveConcurrency`)", "nothing", "nothing"},
		{"encryption at rest with AWS's own keys", "nothing", "KMS calls, which DynamoDB makes every few minutes and not for each text"},
		{"a key of your own instead (not in the template)", dollars(of("key")) + " for each", "as above"},
		{"a domain of your own (`DomainName`)", "nothing; " + dollars(of("zone")) + " for a zone in Route 53", "nothing"},
		{"a second region, ready to take over (`FallbackBaseUrl`)", dollars(standingTotal(s)), "nothing, until it is fallen back on"},
		{
			"global tables under both (not in the template)", "the tables' storage again",
			dollars(replicated) + " for the ledger's replicated writes",
		},
	}
}
