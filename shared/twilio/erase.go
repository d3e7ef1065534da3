package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// CodeNotFinished is Twilio's code of a message that is still under way, whose words and attachments cannot be erased yet.
const CodeNotFinished = 20009

// errNotRedacted means that Twilio took the order, and the message still has words.
var errNotRedacted = errors.New("message still has its words")

// Redact takes the words out of a message at Twilio, for good; the rest of the message stays on Twilio's list. It may be repeated. Every
// error has a *fault.Error in its chain: HTTPStatus is 404 if there is no such message, Code is CodeNotFinished if it is still under way.
func (c *Client) Redact(ctx context.Context, messageSid string) error {
	if !isMessageSid(messageSid) {
		return fmt.Errorf("redact message: %w", &fault.Error{Kind: fault.Permanent, Err: errNoMessageSid})
	}
	call := c.newCall(ctx)
	message, err := call.api().UpdateMessage(messageSid, (&openapi.UpdateMessageParams{}).SetBody(""))
	if err != nil {
		return fmt.Errorf("redact message: %w", call.classified(http.MethodPost, err))
	}
	if textOf(message.Sid) != messageSid || textOf(message.Body) != "" {
		return fmt.Errorf("redact message: %w", &fault.Error{Kind: fault.Transient, HTTPStatus: call.status, Err: errNotRedacted})
	}
	return nil
}

// DeleteMedia deletes the attachments of a message at Twilio, and returns how many it deleted. It may be repeated. The errors are as those
// of Redact.
func (c *Client) DeleteMedia(ctx context.Context, messageSid string) (deleted int, err error) {
	found, err := c.ListMedia(ctx, messageSid)
	if err != nil {
		return 0, err
	}
	for _, one := range found {
		mediaSid := one.URL[len(one.URL)-len("ME")-32:]
		call := c.newCall(ctx)
		err := call.api().DeleteMedia(messageSid, mediaSid, nil)
		if err != nil {
			if err = call.classified(http.MethodDelete, err); fault.Of(err).HTTPStatus == http.StatusNotFound {
				continue
			}
			return deleted, fmt.Errorf("delete media: %w", err)
		}
		deleted++
	}
	return deleted, nil
}
