// Package httpapi does on one host what API Gateway's HTTP API does on AWS: it passes net/http requests to a function in
// payload format 2.0, and answers what the function answers. It knows nothing about texts. Like the gateway, it does not
// validate bodies.
package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// MaxBody is the largest body the gateway passes on, in bytes.
const MaxBody = 10 << 20

// timeout is the longest the gateway waits for a function.
const timeout = 30 * time.Second

// Function is a Lambda function behind the gateway.
type Function func(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// Route sends a path to a function. All methods but OPTIONS go there: which of them it serves is its own to say.
type Route struct {
	// Path is matched whole. If it ends in a name in braces, as "/m/{token}" does, any last part matches.
	Path     string
	Function Function
	// Operator routes ask for the bearer token.
	Operator bool
	// MaxBody bounds a body instead of the gateway's own bound, and such a body has more time to come in; 0 is the gateway's.
	MaxBody int64
}

// Config is what a gateway is made of.
type Config struct {
	Routes []Route
	// OperatorToken opens the operator routes; while it is empty they are closed to everyone.
	OperatorToken string
	// AllowedOrigins are the origins that browsers may call from, or "*"; none answers preflights without permission.
	AllowedOrigins []string
	// AllowedMethods and AllowedHeaders are what a preflight permits, MaxAge how long a browser may remember it; nil and 0
	// mean GET, POST and OPTIONS, authorization and content-type, and five minutes.
	AllowedMethods []string
	AllowedHeaders []string
	MaxAge         time.Duration
	// MaxBody bounds a body, in bytes; 0 means the gateway's own limit.
	MaxBody int64
	// Now is the clock, NewID a new request id.
	Now    func() time.Time
	NewID  func() string
	Logger *slog.Logger
}

// Gateway is an http.Handler.
type Gateway struct {
	Config
	routes map[string]Route
}

// New returns a gateway.
func New(config Config) *Gateway {
	if config.MaxBody == 0 {
		config.MaxBody = MaxBody
	}
	if config.AllowedMethods == nil {
		config.AllowedMethods = []string{http.MethodGet, http.MethodPost, http.MethodOptions}
	}
	if config.AllowedHeaders == nil {
		config.AllowedHeaders = []string{"authorization", "content-type"}
	}
	if config.MaxAge == 0 {
		config.MaxAge = 5 * time.Minute
	}
	routes := make(map[string]Route, len(config.Routes))
	for _, r := range config.Routes {
		routes[Key(r.Path)] = r
	}
	return &Gateway{Config: config, routes: routes}
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.allowOrigin(w, r)
	route, ok := g.find(r.URL.EscapedPath())
	switch {
	case r.Method == http.MethodOptions && (ok || strings.HasPrefix(r.URL.Path, "/sms/")):
		g.preflight(w, r)
	case !ok:
		message(w, http.StatusNotFound)
	case route.Operator && !g.authorized(r):
		g.refuseOperator(w, r, route)
	default:
		g.invoke(w, r, route)
	}
}

// find returns the route for a request's path.
func (g *Gateway) find(path string) (route Route, ok bool) {
	for _, key := range Match(path) {
		if route, ok = g.routes[key]; ok {
			break
		}
	}
	return route, ok
}

// Key returns a route's path without the name of its open end: "/m/{}" for "/m/{token}". Other paths are as they are.
func Key(path string) string {
	if strings.HasSuffix(path, "}") {
		return withOpenEnd(path)
	}
	return path
}

// withOpenEnd returns the key of the route that takes any last part in the place of this path's.
func withOpenEnd(path string) string { return path[:strings.LastIndexByte(path, '/')+1] + "{}" }

// Match returns the keys of the routes that a request's path may be for, the best first.
func Match(path string) []string { return []string{path, withOpenEnd(path)} }

// refuseOperator answers 401, and tells the operator's log: someone may be guessing.
func (g *Gateway) refuseOperator(w http.ResponseWriter, r *http.Request, route Route) {
	reason, detail := "wrong_token", "this is not the operator token, which is the value of RELAY_OPERATOR_TOKEN where relay serve runs"
	switch {
	case g.OperatorToken == "":
		reason, detail = "closed", "the operator routes are closed: RELAY_OPERATOR_TOKEN is not set"
	case r.Header.Get("Authorization") == "":
		reason, detail = "no_token", "send the operator token (RELAY_OPERATOR_TOKEN) as Authorization: Bearer TOKEN"
	}
	g.Logger.LogAttrs(r.Context(), slog.LevelWarn, "operator refused", slog.String("method", r.Method), slog.String("path", route.Path),
		slog.String("reason", reason), slog.String("source_ip", sourceIP(r.RemoteAddr)))
	w.Header().Set("WWW-Authenticate", `Bearer realm="relay"`)
	problem(w, http.StatusUnauthorized, detail)
}

// authorized compares the bearer token in constant time, whatever its length.
func (g *Gateway) authorized(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given, wanted := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(g.OperatorToken))
	same := subtle.ConstantTimeCompare(given[:], wanted[:]) == 1
	return g.OperatorToken != "" && strings.EqualFold(scheme, "Bearer") && same
}

// invoke runs the route's function. What the function cannot answer is a 500, as at the gateway.
func (g *Gateway) invoke(w http.ResponseWriter, r *http.Request, route Route) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, g.bodyOf(w, route)))
	if err != nil {
		status := http.StatusBadRequest
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		g.Logger.LogAttrs(r.Context(), slog.LevelWarn, "body not read", slog.String("path", route.Path), slog.Int("status", status),
			slog.String("source_ip", sourceIP(r.RemoteAddr)))
		refuse(w, route, status)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	response, err := g.call(ctx, route, g.payload(r, route.Path, body))
	if err != nil {
		g.Logger.LogAttrs(ctx, slog.LevelError, "function failed", slog.String("path", route.Path), slog.String("error", err.Error()))
		refuse(w, route, http.StatusInternalServerError)
		return
	}
	write(w, response)
}

// uploadTime is how long a body may take to come in that may be large.
const uploadTime = 2 * time.Minute

// bodyOf returns how large a body of the route may be, and sees that there is time for it.
func (g *Gateway) bodyOf(w http.ResponseWriter, route Route) int64 {
	if route.MaxBody == 0 {
		return g.MaxBody
	}
	control := http.NewResponseController(w)
	// A server that cannot set them has none.
	_ = control.SetReadDeadline(g.Now().Add(uploadTime))
	_ = control.SetWriteDeadline(g.Now().Add(uploadTime + timeout + time.Second))
	return route.MaxBody
}

// refuse answers in the form of the route: operators get problem documents for everything.
func refuse(w http.ResponseWriter, route Route, status int) {
	if route.Operator {
		problem(w, status, "")
		return
	}
	message(w, status)
}

var errPanic = errors.New("the function panicked")

// call runs the function and turns a panic into an error: one request must not end the others.
func (g *Gateway) call(ctx context.Context, route Route, request events.APIGatewayV2HTTPRequest) (response events.APIGatewayV2HTTPResponse,
	err error,
) {
	defer func() {
		if cause := recover(); cause != nil {
			g.Logger.LogAttrs(ctx, slog.LevelError, "function panicked", slog.String("path", route.Path),
				slog.String("kind", fmt.Sprintf("%T", cause)))
			err = errPanic
		}
	}()
	return route.Function(ctx, request)
}

// allowOrigin permits the answer to a browser's page.
func (g *Gateway) allowOrigin(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	switch {
	case origin == "":
	case slices.Contains(g.AllowedOrigins, "*"):
		w.Header().Set("Access-Control-Allow-Origin", "*")
	case slices.Contains(g.AllowedOrigins, origin):
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Add("Vary", "Origin")
	}
}

// preflight answers OPTIONS; no function runs.
func (g *Gateway) preflight(w http.ResponseWriter, _ *http.Request) {
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		w.Header().Set("Access-Control-Allow-Methods", strings.Join(g.AllowedMethods, ","))
		w.Header().Set("Access-Control-Allow-Headers", strings.Join(g.AllowedHeaders, ","))
		w.Header().Set("Access-Control-Max-Age", strconv.Itoa(int(g.MaxAge/time.Second)))
	}
	w.WriteHeader(http.StatusNoContent)
}
