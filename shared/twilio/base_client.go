package twilio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// userAgent names us and the library whose requests these are.
const userAgent = "qdn-smsrelay twilio-go/" + client.LibraryVersion

// call is twilio-go's BaseClient for one call: twilio-go makes the parameters and reads the resource, call does the HTTP
// exchange in between. It exists because twilio-go's own client has no context, loses the headers of errors, and cannot
// distinguish a message that was never sent from one whose answer was lost.
type call struct {
	ctx    context.Context //nolint:containedctx // BaseClient's methods take none; a call lives as long as its context.
	client *Client
	status int // of the answer, 0 before there is one
	// date is when Twilio says that it answered.
	date time.Time
	// unauthenticated is whether the answer was Twilio's complete refusal of the credentials.
	unauthenticated bool
}

func (c *Client) newCall(ctx context.Context) *call { return &call{ctx: ctx, client: c} }

// api returns twilio-go's Messages API on top of the call. Edge and region stay empty: NewRequestHandler would read them from
// the environment.
func (c *call) api() *openapi.ApiService {
	return openapi.NewApiService(&client.RequestHandler{Client: c})
}

// AccountSid implements client.BaseClient.
func (c *call) AccountSid() string { return c.client.accountSid }

// SetTimeout implements client.BaseClient and does nothing: the timeout is Config's.
func (c *call) SetTimeout(time.Duration) {}

// SetOauth implements client.BaseClient and does nothing: we use Basic authentication.
func (c *call) SetOauth(client.OAuth) {}

// OAuth implements client.BaseClient: we do not use it.
func (c *call) OAuth() client.OAuth { return nil } //nolint:ireturn // the method is client.BaseClient's.

// SendRequest implements client.BaseClient: one exchange under our base URL, with our deadline and credentials. If there is no
// answer, or one that is not a complete 2xx, the error is a *fault.Error, which twilio-go returns as it is.
// If the answer is that the credentials are wrong and there are new ones by now, the exchange is made once more with those,
// within the same deadline. Only then may a POST be repeated: Twilio authenticates before it looks at the message, and its
// complete answer says that it stopped there.
// The headers that twilio-go asks for are not copied. In particular there is never an Idempotency-Key: Twilio ignores it, and
// with it Go's transport may send the POST twice.
func (c *call) SendRequest(method, rawURL string, data url.Values, _ map[string]any, _ ...byte) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(c.ctx, c.client.timeout)
	defer cancel()
	credentials := c.client.credentials.Credentials()
	response, err := c.exchange(ctx, credentials, method, rawURL, data)
	if err == nil || !c.unauthenticated {
		return response, err
	}
	others, ok := c.client.credentials.Instead(ctx, credentials)
	if !ok || ctx.Err() != nil {
		return nil, err
	}
	return c.exchange(ctx, others, method, rawURL, data)
}

// exchange makes one HTTP exchange. The answer's body is read to its end and need not be closed.
func (c *call) exchange(ctx context.Context, credentials Credentials, method, rawURL string, data url.Values) (*http.Response, error) {
	c.status, c.unauthenticated = 0, false
	body := &outgoing{text: data.Encode()}
	request, err := c.client.newRequest(ctx, method, rawURL, body)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Permanent, Err: errors.New("no request can be made of this")}
	}
	request.SetBasicAuth(credentials.basic(c.client.accountSid))
	response, err := c.client.http.Do(request)
	if err != nil {
		return nil, c.noAnswer(method, body.seal(), withoutURL(err))
	}
	defer func() { _ = response.Body.Close() }()
	return c.answer(method, response)
}

// newRequest makes the request that twilio-go describes, under our base URL. A GET carries its parameters in the
// query, as twilio-go expects of a BaseClient.
func (c *Client) newRequest(ctx context.Context, method, rawURL string, body *outgoing) (*http.Request, error) {
	target, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("parse twilio-go's URL: %w", err)
	}
	under := c.base.JoinPath(target.EscapedPath())
	under.RawQuery = target.RawQuery
	if method == http.MethodGet {
		under.RawQuery = body.text
	}
	request, err := http.NewRequestWithContext(ctx, method, under.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Accept", "application/json")
	if method == http.MethodGet {
		return request, nil
	}
	return request, attach(request, body)
}

// attach gives a request its form.
func attach(request *http.Request, body *outgoing) error {
	reader, err := body.open()
	if err != nil {
		return err
	}
	request.Body, request.GetBody = reader, body.open
	request.ContentLength = int64(len(body.text))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return nil
}

func (c *call) noAnswer(method string, sent bool, err error) error {
	if sent {
		err = causeOf(err)
	}
	return classifierOf(method)(Exchange{Sent: sent, Err: err})
}

// answer reads the answer to its end and hands a 2xx on to twilio-go. The rest it classifies.
func (c *call) answer(method string, response *http.Response) (*http.Response, error) {
	c.status = response.StatusCode
	c.date, _ = http.ParseTime(response.Header.Get("Date")) // zero if there is none
	body, err := readAnswer(response)
	if err == nil && response.StatusCode/100 == 2 {
		return &http.Response{
			StatusCode: response.StatusCode,
			Header:     response.Header,
			Body:       io.NopCloser(bytes.NewReader(body)),
		}, nil
	}
	code := codeIn(body)
	c.unauthenticated = err == nil && response.StatusCode == http.StatusUnauthorized && code == codeAuthentication
	return nil, classifierOf(method)(Exchange{
		Status:     response.StatusCode,
		Code:       code,
		CutShort:   err != nil && !errors.Is(err, errTooLong),
		RetryAfter: retryAfter(response.Header),
		Err:        err,
	})
}

// classified returns err if it has been classified, which is so unless twilio-go could not read the resource.
func (c *call) classified(method string, err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return classifierOf(method)(Exchange{Status: c.status, Err: errUnreadable})
}

func classifierOf(method string) func(Exchange) *fault.Error {
	if method == http.MethodGet {
		return classifyRead
	}
	return Classify
}
