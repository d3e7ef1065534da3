package twiliofake

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"quickdumpnow.com/smsrelay/shared/twilio"
)

// Twilio's error codes, of its requests to webhooks.
const (
	codeURLFormat       = 11100
	codeRetrieval       = 11200
	codeConnection      = 11205
	codeRetryPolicy     = 11243
	codeAnswerTooLarge  = 11750
	codeBadTwiML        = 12200
	codeContentType     = 12300
	codeTooManyMessages = 14109
)

// maxAnswer is the most that Twilio reads of an answer.
const maxAnswer = 64 << 10

var (
	errConnectTimeout = errors.New("the connection took too long")
	errReadTimeout    = errors.New("the answer took too long")
)

// posted is how one post ended, after its retries.
type posted struct {
	url         string // without the fragment
	attempts    int
	statusCode  int // of the last answer, 0 if none came
	contentType string
	body        []byte // at most one byte more than maxAnswer
	code        int    // Twilio's error code, 0 if a 2xx was read
	reason      string // in words, "" with code 0
	failure     string // in the words of the retry policy, "" if it has none or nothing failed
	signature   string
	tries       []string // how each try ended: a status, or why there was none
}

// post signs params for the URL and posts them, with the retries and time limits that the URL's fragment asks for.
// The idempotency token stays the same over the retries.
func (s *Server) post(ctx context.Context, rawURL string, params url.Values) posted {
	target, settings, code, err := splitOverrides(rawURL)
	if err != nil {
		return posted{url: target, code: code, reason: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, settings.total)
	defer cancel()
	header, signed, tries := http.Header{}, twilio.SignForm(s.cfg.AuthToken, target, params), []string(nil)
	header.Set("X-Twilio-Signature", signed)
	header.Set("I-Twilio-Idempotency-Token", newToken())
	header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	header.Set("Accept", "*/*")
	header.Set("User-Agent", "TwilioProxy/1.1")
	for attempt := 1; ; attempt++ {
		answer := s.attempt(ctx, target, header, params.Encode(), settings)
		tries = append(tries, answer.ending())
		answer.url, answer.attempts, answer.signature, answer.tries = target, attempt, signed, tries
		if answer.code == 0 || attempt > settings.retries || !settings.retried(answer.failure) || ctx.Err() != nil {
			return answer
		}
	}
}

// ending says how one try ended.
func (p posted) ending() string {
	if p.statusCode != 0 {
		return strconv.Itoa(p.statusCode)
	}
	return p.reason
}

// newToken makes an identifier in the form of a UUID.
func newToken() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // it never fails: see its documentation
	return fmt.Sprintf("%x-%x-%x-%x-%x", random[:4], random[4:6], random[6:8], random[8:10], random[10:])
}

// attempt makes one request; where the URL holds credentials and the answer asks for them, a second one with them.
func (s *Server) attempt(ctx context.Context, target string, header http.Header, form string, settings overrides) posted {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limits := newLimits(cancel, settings)
	defer limits.stop()
	traced := limits.trace(ctx)
	request, err := http.NewRequestWithContext(traced, http.MethodPost, target, strings.NewReader(form))
	if err != nil {
		return posted{code: codeURLFormat, reason: err.Error()}
	}
	request.Header = header.Clone()
	credentials := request.URL.User
	request.URL.User = nil
	answer, err := s.exchange(request)
	if err == nil && answer.statusCode == http.StatusUnauthorized && credentials != nil {
		password, _ := credentials.Password()
		again := request.Clone(traced)
		again.Body = io.NopCloser(strings.NewReader(form))
		again.SetBasicAuth(credentials.Username(), password)
		answer, err = s.exchange(again)
	}
	if err != nil {
		return failed(ctx, err, limits.connected.Load())
	}
	return answer
}

// exchange sends the request and reads the answer.
func (s *Server) exchange(request *http.Request) (posted, error) {
	response, err := s.cfg.Client.Do(request)
	if err != nil {
		return posted{}, err
	}
	defer func() { _ = response.Body.Close() }() // what was read is kept
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return posted{}, fmt.Errorf("read the answer: %w", err)
	}
	answer := posted{
		statusCode: response.StatusCode, contentType: response.Header.Get("Content-Type"), body: body,
	}
	if response.StatusCode/100 != 2 {
		answer.code, answer.reason = codeRetrieval, fmt.Sprintf("HTTP status %d", response.StatusCode)
	}
	switch response.StatusCode / 100 {
	case 4:
		answer.failure = retry4xx
	case 5:
		answer.failure = retry5xx
	}
	return answer, nil
}

// failed names the failure of a request that got no whole answer.
func failed(ctx context.Context, err error, connected bool) posted {
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errReadTimeout):
		return posted{code: codeConnection, reason: cause.Error(), failure: retryRead}
	case errors.Is(cause, errConnectTimeout):
		return posted{code: codeConnection, reason: cause.Error(), failure: retryConnect}
	case !connected:
		return posted{code: codeConnection, reason: withoutURL(err), failure: retryConnect}
	case errors.Is(cause, context.DeadlineExceeded):
		return posted{code: codeConnection, reason: errReadTimeout.Error()}
	default:
		return posted{code: codeRetrieval, reason: withoutURL(err)}
	}
}

// withoutURL says why a request failed. Where it went is known.
func withoutURL(err error) string {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err.Error()
	}
	return err.Error()
}

// limits cancels a request that takes too long: to connect first, to answer once connected.
type limits struct {
	read      time.Duration
	timer     *time.Timer
	connected atomic.Bool
}

func newLimits(cancel context.CancelCauseFunc, settings overrides) *limits {
	l := &limits{read: settings.read}
	l.timer = time.AfterFunc(settings.connect, func() {
		if l.connected.Load() {
			cancel(errReadTimeout)
			return
		}
		cancel(errConnectTimeout)
	})
	return l
}

func (l *limits) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			l.connected.Store(true)
			l.timer.Reset(l.read)
		},
	})
}

func (l *limits) stop() { l.timer.Stop() }
