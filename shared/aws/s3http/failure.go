package s3http

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// maxRefusal is how much of a refusal is read.
const maxRefusal = 4 << 10

// Failure returns what an answer means that is not a success, nil for one that is. It never is Unknown: the same may be asked again.
func Failure(operation string, response *http.Response) error {
	if response.StatusCode/100 == 2 {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal)) // Without its code, the status decides.
	code := codeIn(string(body))
	shown := code
	if shown == "" {
		shown = "no code"
	}
	return &fault.Error{
		Kind: kindOf(code, response.StatusCode), HTTPStatus: response.StatusCode, Err: fmt.Errorf("S3 %s: %s", operation, shown),
	}
}

// codeIn finds the error code in a refusal.
func codeIn(body string) string {
	_, rest, found := strings.Cut(body, "<Code>")
	code, _, ended := strings.Cut(rest, "</Code>")
	if !found || !ended || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.") != "" {
		return ""
	}
	return code
}

// kindOf knows the codes that mean something else than their HTTP status.
func kindOf(code string, status int) fault.Kind {
	switch code {
	case "ExpiredToken", "InvalidToken", "NoSuchBucket", "PermanentRedirect", "AuthorizationHeaderMalformed":
		return fault.Fatal
	case "RequestTimeout", "IncompleteBody", "RequestTimeTooSkewed":
		return fault.Transient
	case "SlowDown":
		return fault.Throttled
	}
	switch {
	case status == http.StatusTooManyRequests:
		return fault.Throttled
	case status == http.StatusForbidden, status/100 == 3:
		return fault.Fatal
	case status >= http.StatusInternalServerError:
		return fault.Transient
	default:
		return fault.Permanent
	}
}
