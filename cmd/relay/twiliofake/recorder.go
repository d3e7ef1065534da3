package twiliofake

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// recorder is an answer of the API that is kept for people: what was answered, and what the caller cannot see of it.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
	// message is the SID of the message that a create request made, fault says that a fault took the place of the answer.
	message string
	fault   bool
}

// WriteHeader remembers the status.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write remembers what is answered.
func (r *recorder) Write(body []byte) (int, error) {
	r.body.Write(body[:min(len(body), max(0, maxAnswerKept-r.body.Len()))])
	return r.ResponseWriter.Write(body)
}

// recorderOf returns the recorder below an answer, and one that nobody reads if the answer is not kept.
func recorderOf(w http.ResponseWriter) *recorder {
	if held, ok := w.(heldBack); ok {
		w = held.ResponseWriter
	}
	if recorded, ok := w.(*recorder); ok {
		return recorded
	}
	return &recorder{}
}

// recorded keeps each exchange with the API for people.
func (s *Server) recorded(next http.Handler) http.Handler {
	if s.cfg.Exchanges == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		given := io.Reader(bytes.NewReader(body))
		if err != nil {
			given = io.MultiReader(given, unreadable{err})
		}
		r.Body = io.NopCloser(given)
		answer := &recorder{ResponseWriter: w}
		defer func() { s.keepExchange(apiExchange(r, body, answer)) }() // also if a fault closes the connection
		next.ServeHTTP(answer, r)
	})
}

// unreadable is the end of a request that could not be read.
type unreadable struct{ err error }

// Read fails.
func (f unreadable) Read([]byte) (int, error) { return 0, f.err }

// apiExchange is an exchange with the API with its verdict.
func apiExchange(r *http.Request, body []byte, answer *recorder) Exchange {
	params := r.URL.Query()
	if isForm(r.Header.Get("Content-Type")) {
		if form, err := url.ParseQuery(string(body)); err == nil {
			for name, values := range form {
				params[name] = append(params[name], values...)
			}
		}
	}
	user, _, _ := r.BasicAuth()
	var told struct {
		Sid     string `json:"sid"`
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(answer.body.Bytes(), &told) // what is no JSON says nothing
	exchange := Exchange{
		Kind: ExchangeAPI, Method: r.Method, URL: r.URL.RequestURI(), Params: params, User: user, StatusCode: answer.status,
		ContentType: answer.Header().Get("Content-Type"), Answer: answer.body.String(),
		Accepted: answer.status/100 == 2 || answer.status/100 == 3, MessageSid: cmp.Or(answer.message, sidIn(r.URL.Path)),
	}
	exchange.Tries = []string{strconv.Itoa(answer.status)}
	if !exchange.Accepted {
		exchange.ErrorCode = told.Code
	}
	exchange.Verdict = verdictOfAPI(exchange, answer, told.Message)
	return exchange
}

// sidIn returns the SID of a message in a path of the API.
func sidIn(path string) string {
	_, rest, _ := strings.Cut(path, "/Messages/")
	sid, _, _ := strings.Cut(strings.TrimSuffix(rest, ".json"), "/")
	if isSid(sid, "SM", "MM") {
		return sid
	}
	return ""
}

// verdictOfAPI says what became of a request to the API.
func verdictOfAPI(exchange Exchange, answer *recorder, told string) string {
	outcome := "no message was made"
	if answer.message != "" {
		outcome = "the message " + answer.message + " was made all the same"
	}
	switch {
	case answer.fault && answer.status == 0:
		return "fault: the connection was closed without an answer; " + outcome
	case answer.fault:
		return fmt.Sprintf("fault: answered %d; %s", answer.status, outcome)
	case exchange.ErrorCode == codeAuthenticate && exchange.User == "":
		return "not authenticated: the request has no credentials (20003)"
	case exchange.ErrorCode == codeAuthenticate:
		return "not authenticated: " + exchange.User + " is not known here, or the password is wrong (20003)"
	case !exchange.Accepted:
		return fmt.Sprintf("authenticated, and refused: %s (%d)", told, exchange.ErrorCode)
	case answer.message != "":
		return "authenticated, and accepted as " + answer.message
	default:
		return "authenticated, and answered"
	}
}
