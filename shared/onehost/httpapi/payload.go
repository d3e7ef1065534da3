package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// payload translates a request to payload format 2.0: lower-case header names with values joined by commas, the path
// and the query undecoded, and the body in base64 unless its type is text.
func (g *Gateway) payload(r *http.Request, path string, body []byte) events.APIGatewayV2HTTPRequest {
	text, encoded := string(body), false
	if len(body) > 0 && !isText(r.Header.Get("Content-Type")) {
		text, encoded = base64.StdEncoding.EncodeToString(body), true
	}
	now := g.Now()
	return events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RouteKey:              r.Method + " " + path,
		RawPath:               r.URL.EscapedPath(),
		RawQueryString:        r.URL.RawQuery,
		Headers:               headers(r),
		QueryStringParameters: parameters(r.URL.RawQuery),
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey:  r.Method + " " + path,
			Stage:     "$default",
			RequestID: g.NewID(),
			Time:      now.UTC().Format("02/Jan/2006:15:04:05 -0700"),
			TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.EscapedPath(), Protocol: r.Proto,
				SourceIP: sourceIP(r.RemoteAddr), UserAgent: r.UserAgent(),
			},
		},
		Body:            text,
		IsBase64Encoded: encoded,
	}
}

// isText reports whether the gateway hands a body of this type over as it is.
func isText(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch media {
	case "application/json", "application/xml", "application/javascript":
		return true
	default:
		return strings.HasPrefix(media, "text/")
	}
}

func headers(r *http.Request) map[string]string {
	flat := make(map[string]string, len(r.Header)+1)
	for name, values := range r.Header {
		flat[strings.ToLower(name)] = strings.Join(values, ",")
	}
	flat["host"] = r.Host
	return flat
}

// parameters decodes the query as the gateway does, repeated names joined by commas. It leaves out what it cannot read.
func parameters(rawQuery string) map[string]string {
	query, _ := url.ParseQuery(rawQuery) // The readable ones are returned with the error.
	if len(query) == 0 {
		return nil
	}
	flat := make(map[string]string, len(query))
	for name, values := range query {
		flat[name] = strings.Join(values, ",")
	}
	return flat
}

func sourceIP(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

// isCORS reports whether a header says who may read the answer. That is the gateway's to say, not a function's.
func isCORS(name string) bool { return strings.HasPrefix(strings.ToLower(name), "access-control-") }

// write sends a function's response.
func write(w http.ResponseWriter, response events.APIGatewayV2HTTPResponse) {
	status := response.StatusCode
	if status == 0 {
		status = http.StatusOK
	}
	if status < 100 || status > 999 {
		message(w, http.StatusInternalServerError)
		return
	}
	body := []byte(response.Body)
	if response.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(response.Body)
		if err != nil {
			message(w, http.StatusInternalServerError)
			return
		}
		body = decoded
	}
	for name, value := range response.Headers {
		if !isCORS(name) {
			w.Header().Set(name, value)
		}
	}
	for name, values := range response.MultiValueHeaders {
		if !isCORS(name) {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
	}
	for _, cookie := range response.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	w.WriteHeader(status)
	// The client may be gone; there is no one left to tell.
	_, _ = w.Write(body)
}

// message answers as the gateway itself does.
func message(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"message":"` + http.StatusText(status) + `"}`))
}

// problem answers with a problem document.
func problem(w http.ResponseWriter, status int, detail string) {
	body, err := json.Marshal(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail})
	if err != nil {
		message(w, status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
