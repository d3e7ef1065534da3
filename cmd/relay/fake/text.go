package fake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// textFlags are the flags of fake-twilio text.
type textFlags struct {
	at     string
	media  []string
	asJSON bool
}

// textCommand returns `relay fake-twilio text`.
func (p program) textCommand() *cobra.Command {
	var f textFlags
	cmd := &cobra.Command{
		Use:   "text FROM TO BODY",
		Short: "Text a number as a phone would, on a running fake Twilio",
		Long: `text makes a running relay fake-twilio send its webhook as if the phone FROM had texted the number TO: a customer's text, or the
answer of a phone on duty. It prints what the webhook answered. With --media the text has a picture or another file.`,
		Example: `  relay fake-twilio text +13125550147 +18585550100 "Is the sofa gone?"
  relay fake-twilio text +13125550147 +18585550100 "This one" --media sofa.jpg`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 3 {
				return cli.Usage(errors.New("say who texts, which number, and what: FROM TO BODY"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.text(cmd.Context(), sms.Typed(args[0]), sms.Typed(args[1]), args[2], f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.at, "at", "http://127.0.0.1:8090", "where the fake Twilio is")
	cli.AddJSON(flags, &f.asJSON, "the fake Twilio's answer: what the webhook said, and the text's SID")
	flags.StringArrayVar(&f.media, "media", nil, "a file that the text has; may be repeated")
	return cmd
}

func (p program) text(ctx context.Context, from, to sms.PhoneNumber, body string, f textFlags) error {
	form, contentType, err := formOf(from, to, body, f.media)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(f.at, "/")+"/fake/inbound", form)
	if err != nil {
		return cli.Usage(fmt.Errorf("--at %s is not a URL such as http://127.0.0.1:8090", f.at))
	}
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return cli.Hinted(fmt.Errorf("no fake Twilio answers at %s", f.at), "start one with relay fake-twilio, or say with --at where it is")
	}
	defer response.Body.Close() //nolint:errcheck // it was only read.
	return p.tellText(response, f.asJSON)
}

// inboundAnswer is the part of the fake's answer that a person reads.
type inboundAnswer struct {
	Message    string `json:"message"`
	MessageSid string `json:"message_sid"`
	Taken      bool   `json:"taken"`
	URL        string `json:"url"`
	StatusCode int    `json:"status_code"`
	Errors     []struct {
		Code   int    `json:"code"`
		Reason string `json:"reason"`
	} `json:"errors"`
}

// tellText says what became of the text.
func (p program) tellText(response *http.Response, asJSON bool) error {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read the fake Twilio's answer: %w", err)
	}
	var answer inboundAnswer
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("the answer is not a fake Twilio's: status %d", response.StatusCode)
	}
	if asJSON && response.StatusCode == http.StatusOK {
		fmt.Fprintf(p.Stdout, "%s\n", bytes.TrimSpace(body))
	}
	switch {
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("the fake Twilio refuses the text: %s", answer.Message)
	case !answer.Taken && len(answer.Errors) > 0:
		first := answer.Errors[0]
		return fmt.Errorf("%s was not accepted by %s: %s (error %d)", answer.MessageSid, answer.URL, first.Reason, first.Code)
	case !answer.Taken:
		return fmt.Errorf("%s was not accepted by %s", answer.MessageSid, answer.URL)
	case asJSON:
		return nil
	}
	fmt.Fprintf(p.Stdout, "%s accepted by %s (%d)\n", answer.MessageSid, answer.URL, answer.StatusCode)
	return nil
}

// formOf makes the form of a text with its files.
func formOf(from, to sms.PhoneNumber, body string, files []string) (form io.Reader, contentType string, err error) {
	var text bytes.Buffer
	writer := multipart.NewWriter(&text)
	for _, field := range [][2]string{{"From", string(from)}, {"To", string(to)}, {"Body", body}} {
		if err := writer.WriteField(field[0], field[1]); err != nil {
			return nil, "", err
		}
	}
	for _, path := range files {
		if err := addFile(writer, path); err != nil {
			return nil, "", err
		}
	}
	return &text, writer.FormDataContentType(), writer.Close()
}

// addFile adds a file with the content type that a phone would give it.
func addFile(writer *multipart.Writer, path string) error {
	content, err := os.ReadFile(path) //nolint:gosec // the person names the file.
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	contentType := mime.TypeByExtension(filepath.Ext(path))
	if contentType == "" {
		contentType = http.DetectContentType(content)
	}
	part, err := writer.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {mime.FormatMediaType("form-data", map[string]string{"name": "Media", "filename": filepath.Base(path)})},
		"Content-Type":        {contentType},
	})
	if err == nil {
		_, err = part.Write(content)
	}
	return err
}
