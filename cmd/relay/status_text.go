package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/desk"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// shownText is one text with what it says, as JSON.
type shownText struct {
	operations.Message

	Text  string       `json:"text"`
	Media []shownMedia `json:"media,omitempty"`
}

// shownMedia is an attachment: where Twilio keeps it.
type shownMedia struct {
	URL         string `json:"url"`
	ContentType string `json:"content_type"`
}

// showText shows one text with what the customer wrote. Who asks is written into the record first, and so comes into the audit log:
// nothing is shown that is not on record.
func (p program) showText(ctx context.Context, d *desk.Desk, c counter, query url.Values, asJSON bool) error {
	var shown shownText
	if err := c.status(ctx, query, &shown.Message); err != nil {
		return hintedUnlessUsage(err, "relay status lists the newest texts; relay dlq show SID finds one that is on the dead-letter queue only")
	}
	r, err := d.Ledger.Get(ctx, shown.MessageSid)
	if err == nil {
		r, err = ledger.Change(ctx, d.Ledger, r, auditlog.Sealing(func(r ledger.Record) (ledger.Record, bool, error) {
			return r.Read(p.operator(""), time.Now()), true, nil
		}))
	}
	if err != nil {
		return fmt.Errorf("put on record who reads %s: %w", shown.MessageSid, err)
	}
	shown.Text = r.Body
	for _, m := range r.Media {
		shown.Media = append(shown.Media, shownMedia{URL: m.URL, ContentType: m.ContentType})
	}
	if asJSON {
		return json.NewEncoder(p.stdout).Encode(shown)
	}
	if err := writeMessage(p.stdout, shown.Message); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, "\nThe customer wrote:")
	for line := range strings.SplitSeq(shown.Text, "\n") {
		// Each line is indented, so that no text makes up lines of the program's own.
		printf(p.stdout, "  %s\n", line)
	}
	for _, m := range shown.Media {
		printf(p.stdout, "  attachment: %s, %s\n", m.ContentType, m.URL)
	}
	return nil
}
