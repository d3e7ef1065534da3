package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Listed is a message as Twilio's Messages resource has it.
type Listed = sms.Listed

// ListFilter narrows a List.
type ListFilter = sms.ListFilter

const (
	defaultLimit = 1000
	// maxPageSize keeps a page of the longest messages, every character escaped, below maxAnswer.
	maxPageSize = 250
)

// List returns the messages that the filter lets through, in Twilio's order, the newest first. It asks for as many
// pages as Limit and CreatedAfter need, each within Config.Timeout and always under Config.BaseURL. Every error has a
// *fault.Error in its chain and is never Unknown; there is no part of a list.
func (c *Client) List(ctx context.Context, filter ListFilter) ([]Listed, error) {
	limit := limitOf(filter)
	params := paramsOf(filter, min(limit, maxPageSize))
	since := filter.CreatedAfter.Truncate(time.Second) // as exact as Twilio's dates
	var found []Listed
	for next := (page{}); ; {
		call := c.newCall(ctx)
		answer, err := call.api().PageMessage(params, next.token, next.number)
		if err != nil {
			return nil, fmt.Errorf("list messages: %w", call.classified(http.MethodGet, err))
		}
		before := len(found)
		for i := range answer.Messages {
			if !isMessageSid(textOf(answer.Messages[i].Sid)) {
				// A list that is not as expected is not used in part.
				return nil, fmt.Errorf("list messages: %w", classifyRead(Exchange{Status: call.status, Err: errNoSid}))
			}
			found = append(found, newListed(&answer.Messages[i]))
		}
		next, err = pageAfter(answer)
		if err != nil {
			return nil, fmt.Errorf("list messages: %w", classifyRead(Exchange{Status: call.status, Err: err}))
		}
		if next == (page{}) || len(found) >= limit || allBefore(found[before:], since) {
			return found[:min(limit, len(found))], nil
		}
	}
}

// allBefore reports whether each of the messages was created before since. A message without a date may not have been.
func allBefore(messages []Listed, since time.Time) bool {
	return !slices.ContainsFunc(messages, func(m Listed) bool { return m.DateCreated.IsZero() || !m.DateCreated.Before(since) })
}

func limitOf(f ListFilter) int {
	if f.Limit <= 0 {
		return defaultLimit
	}
	return f.Limit
}

func paramsOf(f ListFilter, pageSize int) *openapi.ListMessageParams {
	params := &openapi.ListMessageParams{}
	params.SetPageSize(pageSize)
	if f.To != "" {
		params.SetTo(string(f.To))
	}
	if f.From != "" {
		params.SetFrom(string(f.From))
	}
	if !f.SentAfter.IsZero() {
		params.SetDateSentAfter(f.SentAfter.UTC())
	}
	if !f.SentBefore.IsZero() {
		params.SetDateSentBefore(f.SentBefore.UTC().Add(time.Second - 1).Truncate(time.Second))
	}
	return params
}

// page says where a list continues. The zero value is the first page, and also the end.
type page struct {
	token, number string
}

var errNoPage = errors.New("next page cannot be asked for")

// pageAfter reads from next_page_uri where the list continues. It uses only the two page parameters; path and filters are our
// own, because an answer is not trusted with them. An empty page ends the list, whatever it points to.
func pageAfter(answer *openapi.ListMessageResponse) (page, error) {
	return pageIn(answer.NextPageUri, len(answer.Messages))
}

// pageIn is pageAfter for any list: uri is its next_page_uri, count how many it has on this page.
func pageIn(uri *string, count int) (page, error) {
	if textOf(uri) == "" || count == 0 {
		return page{}, nil
	}
	parsed, err := url.Parse(*uri)
	if err != nil {
		return page{}, errNoPage
	}
	query := parsed.Query()
	next := page{token: query.Get("PageToken"), number: query.Get("Page")}
	if next == (page{}) {
		return page{}, errNoPage
	}
	return next, nil
}

func newListed(message *openapi.ApiV2010Message) Listed {
	created, err := time.Parse(time.RFC1123Z, textOf(message.DateCreated))
	if err != nil {
		created = time.Time{}
	}
	found := Listed{
		Sid:         textOf(message.Sid),
		Status:      sms.Status(textOf(message.Status)),
		Body:        textOf(message.Body),
		From:        sms.PhoneNumber(textOf(message.From)),
		To:          sms.PhoneNumber(textOf(message.To)),
		Direction:   textOf(message.Direction),
		DateCreated: created,

		MessagingServiceSid: textOf(message.MessagingServiceSid),
	}
	if message.ErrorCode != nil {
		found.ErrorCode = *message.ErrorCode
	}
	// Twilio writes it as a string; a value that is not a number counts as 0.
	found.NumMedia, _ = strconv.Atoi(textOf(message.NumMedia))
	return found
}
