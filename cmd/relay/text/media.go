package text

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/operatorapi"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// MediaCommand returns `relay media`.
func MediaCommand(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "media",
		Short: "Get the pictures and other attachments of texts",
		Long: `media gets what customers and phones send with their texts. It needs the Twilio account's credentials: Twilio keeps each
attachment until somebody deletes it there.`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.mediaGetCommand())
	return cmd
}

// mediaFlags are the flags of media get.
type mediaFlags struct {
	output string
	asJSON bool
}

func (p program) mediaGetCommand() *cobra.Command {
	var f mediaFlags
	cmd := &cobra.Command{
		Use:   "get SID [N]",
		Short: "Save an attachment of a text in a file",
		Long: `get saves the N-th attachment of a text, or the first: also one that was too large to pass on, or of a type that is not passed on.
The ledger and the audit log first record who looked, as for relay status --show-text.

Nothing checks what is in the file. It comes from whoever texted: do not open a page or a program that you do not expect.`,
		Example: `  relay media get MM0123456789abcdef0123456789abcdef -o sofa.jpg
  relay media get MM0123456789abcdef0123456789abcdef 2 -o invoice.pdf`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 2 {
				return cli.Usage(errors.New("say which attachment of which text: SID, and N if it is not the first"))
			}
			return nil
		},
		ValidArgsFunction: p.CompleteSIDs(),
		RunE:              func(cmd *cobra.Command, args []string) error { return p.mediaGet(cmd, args, f) },
	}
	flags := cmd.Flags()
	cli.AddOutput(flags, &f.output)
	cli.AddJSON(flags, &f.asJSON, "an object with content_type, size in bytes, and output")
	cli.AddTarget(flags)
	cli.AddTwilio(flags)
	return cmd
}

func (p program) mediaGet(cmd *cobra.Command, args []string, f mediaFlags) (err error) {
	number := 1
	if len(args) == 2 {
		if number, err = strconv.Atoi(args[1]); err != nil || number < 1 {
			return cli.Usage(fmt.Errorf("%q is not the number of an attachment: they count from 1", args[1]))
		}
	}
	if f.asJSON && (f.output == "" || f.output == "-") {
		return cli.Usage(errors.New("--json needs --output: the attachment would be in the middle of the JSON"))
	}
	client, err := p.OpenTwilio(cmd.Flags())
	if err != nil {
		return err
	}
	d, err := p.OpenTarget(cmd.Context(), cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	var text operations.Text
	if err := operatorapi.Open(p.Program, d).Text(cmd.Context(), args[0], &text); err != nil {
		return err
	}
	got, err := p.saveAttachment(cmd.Context(), client, text, number, f.output)
	if err != nil {
		if unreachable := p.Unreachable(cmd.Flags(), err); unreachable != nil {
			return unreachable
		}
		return explainedMedia(err)
	}
	switch {
	case f.asJSON:
		return json.NewEncoder(p.Stdout).Encode(got)
	case got.Output != "":
		fmt.Fprintf(p.Stdout, "%s: %s, %d bytes\n", got.Output, got.ContentType, got.Size)
	}
	return nil
}

// attachments reads attachments at Twilio.
type attachments interface {
	media.Source
	ListMedia(ctx context.Context, messageSid string) ([]sms.Media, error)
}

// savedMedia is what was saved, as JSON.
type savedMedia struct {
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"`
	Output      string `json:"output,omitempty"`
}

// maxSaved bounds an attachment that a person saves. Twilio takes up to 16 MB in on some channels.
const maxSaved = 64 << 20

func (p program) saveAttachment(ctx context.Context, from attachments, text operations.Text, number int, output string) (
	saved savedMedia, err error,
) {
	url, err := urlOf(ctx, from, text, number)
	if err != nil {
		return saved, err
	}
	content, err := from.FetchMedia(ctx, url, maxSaved)
	if err != nil {
		return saved, err
	}
	defer content.Close() //nolint:errcheck // it was only read.
	out, closeOut, err := p.Output(output)
	if err != nil {
		return saved, err
	}
	size, err := io.Copy(out, content)
	saved = savedMedia{ContentType: content.ContentType, Size: size}
	if output != "" && output != "-" {
		saved.Output = output
	}
	return saved, errors.Join(err, closeOut())
}

// urlOf returns where an attachment is. A text that relay sweep found may have only the address where Twilio lists them.
func urlOf(ctx context.Context, from attachments, text operations.Text, number int) (string, error) {
	if number > len(text.Media) {
		return "", cli.Usage(fmt.Errorf("the text has %d attachments", len(text.Media)))
	}
	url := text.Media[number-1].URL
	if !strings.HasSuffix(url, "/Media") {
		return url, nil
	}
	listed, err := from.ListMedia(ctx, text.MessageSid)
	if err != nil {
		return "", err
	}
	if number > len(listed) {
		return "", fmt.Errorf("of the text's attachments Twilio has only %d", len(listed))
	}
	return listed[number-1].URL, nil
}

// explainedMedia says what a failed fetch means to a person.
func explainedMedia(err error) error {
	if fault.Of(err).HTTPStatus == http.StatusNotFound {
		return errors.New("Twilio does not have the attachment: it was deleted there") //nolint:staticcheck // it begins with a name.
	}
	return err
}
