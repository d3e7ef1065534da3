package audit

import (
	"slices"
	"testing"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestExportKeepsSpreadsheetsFromFormulas: who changed a route may have any name.
func TestExportKeepsSpreadsheetsFromFormulas(t *testing.T) {
	row := cells(auditlog.Entry{
		Actor: `=HYPERLINK("https://example.com")`, ReadBy: "@grace", Reason: "refused",
		TwilioNumber: relaytest.TwilioNumber.Mask(),
	})
	if row[18] != `'=HYPERLINK("https://example.com")` || row[8] != "refused" || row[9] != "***0100" || len(row) != len(columnNames()) ||
		row[slices.Index(columnNames(), "read_by")] != "'@grace" {
		t.Errorf("row %q", row)
	}
}

// TestConcerns finds a change of a route by each number in it, before or after.
func TestConcerns(t *testing.T) {
	entry := auditlog.Entry{
		TwilioNumber: "***0100",
		Before:       &auditlog.Route{DestinationCarrier: "***0122", Threads: []string{"***0110", "***0111"}},
		After:        &auditlog.Route{DestinationCarrier: "***0123", FallbackCarriers: []string{"***0124"}},
	}
	for masked, want := range map[string]bool{"***0100": true, "***0122": true, "***0124": true, "***0111": true, "***0199": false} {
		if concerns(entry, masked) != want {
			t.Errorf("%s: %v, want %v", masked, !want, want)
		}
	}
}
