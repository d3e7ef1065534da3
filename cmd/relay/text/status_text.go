package text

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/operatorapi"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
)

// shownText is one text with what it says, as JSON.
type shownText struct {
	operations.Message

	Text  string             `json:"text"`
	Media []operations.Media `json:"media,omitempty"`
}

// showText shows one text with what the customer wrote. The text's record, and so the audit log, first gets the name of who asks:
// nothing is shown without a record of it.
func (p program) showText(ctx context.Context, c operatorapi.API, query url.Values, asJSON bool) error {
	var shown shownText
	if err := c.Status(ctx, query, &shown.Message); err != nil {
		return hintedUnlessUsage(err, "relay status lists the newest texts; if the text is only on the dead-letter queue, relay dlq show SID "+
			"finds it")
	}
	var text operations.Text
	if err := c.Text(ctx, shown.MessageSid, &text); err != nil {
		return err
	}
	shown.Text, shown.Media = text.Text, text.Media
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(shown)
	}
	if err := writeMessage(p.Stdout, shown.Message); err != nil {
		return err
	}
	fmt.Fprintln(p.Stdout, "\nThe customer wrote:")
	for line := range strings.SplitSeq(shown.Text, "\n") {
		// Each line is indented, so that no text can look like a line of the program.
		cli.Printf(p.Stdout, "  %s\n", line)
	}
	for _, m := range shown.Media {
		cli.Printf(p.Stdout, "  attachment: %s, %s\n", m.ContentType, m.URL)
	}
	return nil
}
