package twilio

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Client sends messages and looks them up. It is safe for use by several goroutines.
type Client struct {
	accountSid  string
	credentials CredentialsSource
	base        *url.URL
	timeout     time.Duration
	http        *http.Client
}

// Created is what Twilio says about a message that it has accepted; its Sid is always a message's.
type Created = sms.Created

// Create sends one message by one POST. It repeats the POST once if Twilio has refused the credentials and Config.Source
// has others, and in no other case. Every error has a *fault.Error in its chain: its Kind says whether the message exists
// (Classify), and Unknown that it may. The texts of errors hold no number, no body and no secret.
func (c *Client) Create(ctx context.Context, m sms.Outbound) (Created, error) {
	call := c.newCall(ctx)
	message, err := call.api().CreateMessage(createParams(m))
	if err != nil {
		return Created{}, fmt.Errorf("create message: %w", call.classified(http.MethodPost, err))
	}
	if !isMessageSid(textOf(message.Sid)) {
		return Created{}, fmt.Errorf("create message: %w", Classify(Exchange{Status: call.status, Err: errNoSid}))
	}
	return Created{
		Sid:         textOf(message.Sid),
		Status:      sms.Status(textOf(message.Status)),
		NumSegments: segmentsOf(message),
	}, nil
}

func createParams(m sms.Outbound) *openapi.CreateMessageParams {
	params := &openapi.CreateMessageParams{}
	params.SetFrom(string(m.From)).SetTo(string(m.To)).SetBody(m.Body)
	if len(m.MediaURLs) > 0 {
		params.SetMediaUrl(m.MediaURLs)
	}
	if m.StatusCallback != "" {
		params.SetStatusCallback(m.StatusCallback)
	}
	if m.ValidityPeriod > 0 {
		// A fraction is cut off: a second too short is better than a message that comes too late. Twilio's minimum is one second.
		params.SetValidityPeriod(int(min(max(m.ValidityPeriod, time.Second), sms.MaxValidityPeriod) / time.Second))
	}
	return params
}

// Fetch looks one message up by its MessageSid. Every error has a *fault.Error in its chain; if there is no such message it is
// Permanent with HTTPStatus 404. A read is never Unknown: it can be tried again later.
func (c *Client) Fetch(ctx context.Context, sid string) (Listed, error) {
	if !isMessageSid(sid) {
		return Listed{}, fmt.Errorf("fetch message: %w", &fault.Error{Kind: fault.Permanent, Err: errNoMessageSid})
	}
	call := c.newCall(ctx)
	message, err := call.api().FetchMessage(sid, nil)
	if err != nil {
		return Listed{}, fmt.Errorf("fetch message: %w", call.classified(http.MethodGet, err))
	}
	if textOf(message.Sid) != sid {
		return Listed{}, fmt.Errorf("fetch message: %w", classifyRead(Exchange{Status: call.status, Err: errNoSid}))
	}
	return newListed(message), nil
}

// segmentsOf reads num_segments, which Twilio writes as a string.
func segmentsOf(message *openapi.ApiV2010Message) int {
	segments, err := strconv.Atoi(textOf(message.NumSegments))
	if err != nil {
		return 0
	}
	return segments
}

// isSid reports whether text is the prefix and 32 hexadecimal digits.
func isSid(text, prefix string) bool {
	digits, found := strings.CutPrefix(text, prefix)
	return found && len(digits) == 32 && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}

// isMessageSid reports whether text is the Sid of a message. What an answer has in its place is not kept: it would be looked up,
// compared with receipts and shown.
func isMessageSid(text string) bool { return isSid(text, "SM") || isSid(text, "MM") }

// textOf returns what p points to, "" if it is nil.
func textOf(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
