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
