package twilio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// mediaTimeout bounds the fetch of one attachment, to its last byte.
	mediaTimeout = 20 * time.Second
	// maxRedirects is how often a fetch is sent on: from the API to the CDN, and once more there.
	maxRedirects = 3
)

var (
	errNoMediaURL  = errors.New("not the address of an attachment of this account at Twilio")
	errNotTwilios  = errors.New("answer leads to a host that is not Twilio's")
	errNoRedirect  = errors.New("answer leads nowhere, or too far")
	errNoMedia     = errors.New("no such attachment, or not yet")
	errCDN         = errors.New("attachment is not given out by the CDN")
	errMediaBroken = errors.New("attachment was not read to its end")
)

// mediaPath is the path of an attachment, as MediaUrl0 in a webhook has it.
var mediaPath = regexp.MustCompile(`/2010-04-01/Accounts/(AC[0-9a-f]{32})/Messages/((?:SM|MM)[0-9a-f]{32})/Media/(ME[0-9a-f]{32})$`)

// FetchMedia implements media.Source. Only the SIDs of the URL count: the credentials go to Config.BaseURL and nowhere else, whatever
// host the URL names. Twilio answers with a redirect to its CDN, which is followed without the credentials, and only to Twilio's hosts
// over https, or to BaseURL's own. What is not there (HTTPStatus 404) is Transient: a webhook may be ahead of its attachments.
func (c *Client) FetchMedia(ctx context.Context, mediaURL string, limit int64) (media.Content, error) {
	target, err := c.mediaTarget(mediaURL)
	if err != nil {
		return media.Content{}, fmt.Errorf("fetch media: %w", &fault.Error{Kind: fault.Permanent, Err: err})
	}
	ctx, cancel := context.WithTimeout(ctx, mediaTimeout)
	response, err := c.openMedia(ctx, target) //nolint:bodyclose // The caller closes it, or mediaBody does.
	if err != nil {
		cancel()
		return media.Content{}, fmt.Errorf("fetch media: %w", err)
	}
	body := &mediaBody{body: response.Body, left: limit, cancel: cancel}
	contentType := response.Header.Get("Content-Type")
	if response.ContentLength > limit {
		_ = body.Close() // It is not read.
		return media.Content{}, &media.TooLargeError{ContentType: contentType, Size: response.ContentLength}
	}
	return media.Content{ReadCloser: body, ContentType: contentType, Size: response.ContentLength}, nil
}

// mediaTarget returns where an attachment is under our base URL.
func (c *Client) mediaTarget(mediaURL string) (string, error) {
	parsed, err := url.Parse(mediaURL)
	if err != nil {
		return "", errNoMediaURL
	}
	sids := mediaPath.FindStringSubmatch(parsed.Path)
	if sids == nil || sids[1] != c.accountSid {
		return "", errNoMediaURL
	}
	return c.base.JoinPath(sids[0]).String(), nil
}

// openMedia asks Twilio, with other credentials if it refuses these, and then its CDN.
func (c *Client) openMedia(ctx context.Context, target string) (*http.Response, error) {
	credentials := c.credentials.Credentials()
	response, err := c.getMedia(ctx, target, &credentials)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusUnauthorized {
		refusal := refusalOf(response)
		others, ok := c.credentials.Instead(ctx, credentials)
		if !ok || ctx.Err() != nil {
			return nil, refusal
		}
		if response, err = c.getMedia(ctx, target, &others); err != nil {
			return nil, err
		}
	}
	if response.StatusCode/100 == 4 || response.StatusCode/100 == 5 {
		return nil, refusalOf(response)
	}
	for range maxRedirects {
		if response.StatusCode/100 != 3 {
			break
		}
		if response, err = c.follow(ctx, response); err != nil {
			return nil, err
		}
	}
	switch {
	case response.StatusCode == http.StatusOK:
		return response, nil
	case response.StatusCode/100 == 3:
		err = &fault.Error{Kind: fault.Transient, HTTPStatus: response.StatusCode, Err: errNoRedirect}
	default:
		// A signed URL of the CDN's is good for some hours; the next try gets another.
		err = &fault.Error{Kind: fault.Transient, HTTPStatus: response.StatusCode, Err: errCDN}
	}
	_ = response.Body.Close()
	return nil, err
}

// getMedia makes one request. With nil credentials it has none.
func (c *Client) getMedia(ctx context.Context, target string, credentials *Credentials) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Permanent, Err: errNoMediaURL}
	}
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Accept", "*/*")
	request.Header.Set("Accept-Encoding", "identity") // Its size counts as it is.
	if credentials != nil {
		request.SetBasicAuth(credentials.basic(c.accountSid))
	}
	response, err := c.http.Do(request)
	if err != nil {
		// The URL of the CDN opens the attachment: it does not go into an error.
		return nil, classifyRead(Exchange{Err: causeOf(withoutURL(err))})
	}
	return response, nil
}

// follow goes where a redirect leads, without credentials.
func (c *Client) follow(ctx context.Context, response *http.Response) (*http.Response, error) {
	_ = response.Body.Close()
	next, err := response.Location()
	if err != nil {
		return nil, &fault.Error{Kind: fault.Transient, HTTPStatus: response.StatusCode, Err: errNoRedirect}
	}
	if next.User != nil || !c.isTwilios(next) {
		return nil, &fault.Error{Kind: fault.Permanent, HTTPStatus: response.StatusCode, Err: errNotTwilios}
	}
	return c.getMedia(ctx, next.String(), nil)
}

// isTwilios reports whether attachments may be read from a URL. Before accounts had to ask for credentials, Twilio's bucket was public.
func (c *Client) isTwilios(target *url.URL) bool {
	if target.Scheme == c.base.Scheme && target.Host == c.base.Host {
		return true
	}
	if target.Scheme != "https" || target.Port() != "" {
		return false
	}
	host := strings.ToLower(target.Hostname())
	return strings.HasSuffix(host, ".twilio.com") || strings.HasSuffix(host, ".twiliocdn.com") ||
		host == "s3-external-1.amazonaws.com" && strings.HasPrefix(target.Path, "/media.twiliocdn.com/")
}

// refusalOf reads a refusal of Twilio's API and closes it.
func refusalOf(response *http.Response) *fault.Error {
	defer func() { _ = response.Body.Close() }()
	body, err := readAnswer(response)
	refusal := classifyRead(Exchange{
		Status: response.StatusCode, Code: codeIn(body), CutShort: err != nil && !errors.Is(err, errTooLong),
		RetryAfter: retryAfter(response.Header), Err: err,
	})
	if response.StatusCode == http.StatusNotFound {
		refusal.Kind, refusal.Err = fault.Transient, errNoMedia
	}
	return refusal
}

// mediaBody reads an attachment up to its limit, and ends its exchange.
type mediaBody struct {
	body   io.ReadCloser
	left   int64
	cancel context.CancelFunc
}

// Read implements io.Reader.
func (b *mediaBody) Read(p []byte) (int, error) {
	// One byte more shows that there is more.
	n, err := b.body.Read(p[:min(int64(len(p)), b.left+1)])
	b.left -= int64(n)
	switch {
	case b.left < 0:
		return 0, media.ErrTooLarge
	case err == nil, errors.Is(err, io.EOF):
		return n, err
	default:
		return n, &fault.Error{Kind: fault.Transient, Err: fmt.Errorf("%w: %w", errMediaBroken, causeOf(err))}
	}
}

// Close implements io.Closer.
func (b *mediaBody) Close() error {
	defer b.cancel()
	return b.body.Close()
}

// ListMedia returns the attachments of a message, named by its Sid, in Twilio's order, with the URLs and types that a webhook would have.
// Every error has a *fault.Error in its chain; if there is no such message it is Permanent with HTTPStatus 404.
func (c *Client) ListMedia(ctx context.Context, messageSid string) ([]sms.Media, error) {
	if !isMessageSid(messageSid) {
		return nil, fmt.Errorf("list media: %w", &fault.Error{Kind: fault.Permanent, Err: errNoMessageSid})
	}
	call := c.newCall(ctx)
	params := (&openapi.ListMediaParams{}).SetPageSize(media.MaxItems)
	answer, err := call.api().PageMedia(messageSid, params, "", "")
	if err != nil {
		return nil, fmt.Errorf("list media: %w", call.classified(http.MethodGet, err))
	}
	var found []sms.Media
	for _, one := range answer.MediaList {
		if !isSid(textOf(one.Sid), "ME") {
			return nil, fmt.Errorf("list media: %w", classifyRead(Exchange{Status: call.status, Err: errUnreadable}))
		}
		address := c.base.JoinPath("2010-04-01", "Accounts", c.accountSid, "Messages", messageSid, "Media", textOf(one.Sid))
		found = append(found, sms.Media{URL: address.String(), ContentType: textOf(one.ContentType)})
	}
	return found, nil
}
