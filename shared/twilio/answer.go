package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxAnswer is the most bytes of an answer that are read: a full page of a list is well below it.
const maxAnswer = 4 << 20

// maxRetryAfter limits how long an answer can make us wait: SQS cannot hide a message for longer.
const maxRetryAfter = 12 * time.Hour

var (
	errTooLong      = fmt.Errorf("answer is longer than %d bytes", maxAnswer)
	errUnreadable   = errors.New("answer is not the JSON that was expected")
	errNoSid        = errors.New("answer names no message")
	errNoMessageSid = errors.New("no MessageSid: neither SM nor MM and 32 hexadecimal digits")
	errNoNumberSid  = errors.New("no number's Sid: not PN and 32 hexadecimal digits")
	errBroken       = errors.New("connection broken")
)

// readAnswer reads an answer's whole body, or fails: half an answer is useless.
func readAnswer(response *http.Response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("answer was cut short: %w", causeOf(err))
	}
	if len(body) > maxAnswer {
		return nil, errTooLong
	}
	return body, nil
}

// leastCode is the least of Twilio's codes. Smaller ones are HTTP's statuses, which any server may write into its JSON.
const leastCode = 10000

// codeIn returns the error code in the body of an answer that refuses, 0 if it is no JSON of Twilio's.
func codeIn(body []byte) int {
	var refusal struct {
		Code int `json:"code"`
	}
	if err := json.Unmarshal(body, &refusal); err != nil || refusal.Code < leastCode {
		return 0
	}
	return refusal.Code
}

// retryAfter returns how long the header Retry-After asks to wait, in seconds or until a date. A date is compared with the
// answer's own Date, so that our clock does not matter. A value that cannot be read counts as 0.
func retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), maxRetryAfter)
}

// withoutURL removes the URL that net/http adds to an error; a list's URL has phone numbers in it.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// causeOf reduces the error of an exchange that had begun to what may be logged: some errors of net/http quote what the other
// side sent.
func causeOf(err error) error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	if network, ok := errors.AsType[*net.OpError](err); ok {
		return network
	}
	return errBroken
}
