//go:build unix

package lambdahost

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/onehost/httpapi"
	"quickdumpnow.com/smsrelay/testing/lambdahost/runtime"
)

// frontDoor is the stack's HTTP API: its routes by method and path. What no route names is not found, and no function
// hears of it.
type frontDoor struct {
	routes map[string]doorRoute
	// preflights answers OPTIONS.
	preflights http.Handler
	// answered is told about each request.
	answered func(Request)
	now      func() time.Time
	logger   *slog.Logger
}

// Request is one request that the front door answered.
type Request struct {
	// Route is the method and the path; it need not be one of the API's.
	Route   string
	Status  int
	Latency time.Duration
}

type doorRoute struct {
	handler http.Handler
	// signed routes take requests that are signed for IAM.
	signed bool
}

// ServeHTTP answers one request, and reports it.
func (d *frontDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun, answer := d.now(), &answered{ResponseWriter: w, status: http.StatusOK}
	d.serve(answer, r)
	d.answered(Request{Route: r.Method + " " + r.URL.EscapedPath(), Status: answer.status, Latency: d.now().Sub(begun)})
}

// answered is an answer whose status is seen.
type answered struct {
	http.ResponseWriter

	status int
}

// WriteHeader notes the status.
func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (d *frontDoor) serve(w http.ResponseWriter, r *http.Request) {
	route, found := d.find(r)
	switch {
	case r.Method == http.MethodOptions:
		d.preflights.ServeHTTP(w, r)
	case !found:
		refuse(w, http.StatusNotFound)
	case route.signed && !signedByOperator(r, d.now()):
		refuse(w, http.StatusForbidden)
	default:
		route.handler.ServeHTTP(w, r)
	}
}

// find returns the route for a request.
func (d *frontDoor) find(r *http.Request) (route doorRoute, found bool) {
	for _, key := range httpapi.Match(r.URL.EscapedPath()) {
		if route, found = d.routes[r.Method+" "+key]; found {
			break
		}
	}
	return route, found
}

// refuse answers as the gateway does.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"message":%q}`, http.StatusText(status))
}

// openDoor reads the routes out of the template and serves them.
func (h *Host) openDoor() error {
	door := &frontDoor{routes: map[string]doorRoute{}, now: h.config.Now, logger: h.config.Logger}
	for id, api := range h.template.Resources("AWS::ApiGatewayV2::Api") {
		door.answered = h.answered(id)
		var p struct{ CorsConfiguration corsProperties }
		if err := h.stack.Into(api.Properties, &p); err != nil {
			return err
		}
		for id, resource := range h.template.Resources("AWS::ApiGatewayV2::Route") {
			if err := h.addRoute(door, resource.Properties, p.CorsConfiguration); err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
		}
		door.preflights = httpapi.New(h.gatewayConfig(p.CorsConfiguration))
	}
	if door.preflights == nil {
		return errors.New("the template has no HTTP API")
	}
	h.door = &http.Server{Handler: door, ReadHeaderTimeout: 10 * time.Second}
	h.sources.Go(func() { _ = h.door.Serve(h.listener) })
	return nil
}

type corsProperties struct {
	AllowOrigins, AllowMethods, AllowHeaders []string
	MaxAge                                   int
}

func (h *Host) gatewayConfig(cors corsProperties, routes ...httpapi.Route) httpapi.Config {
	return httpapi.Config{
		Routes: routes, AllowedOrigins: cors.AllowOrigins, AllowedMethods: cors.AllowMethods, AllowedHeaders: cors.AllowHeaders,
		MaxAge: time.Duration(cors.MaxAge) * time.Second, Now: h.config.Now, NewID: rand.Text, Logger: h.config.Logger,
	}
}

// addRoute connects one route with its integration's function.
func (h *Host) addRoute(door *frontDoor, properties map[string]any, cors corsProperties) error {
	var route struct{ RouteKey, Target, AuthorizationType string }
	if err := h.stack.Into(properties, &route); err != nil {
		return err
	}
	var integration struct {
		IntegrationURI       string `json:"IntegrationUri"`
		PayloadFormatVersion string
		TimeoutInMillis      int
	}
	resource, ok := h.template.Resource(strings.TrimPrefix(route.Target, "integrations/"))
	if !ok {
		return fmt.Errorf("route's target %s is no integration", route.Target)
	}
	if err := h.stack.Into(resource.Properties, &integration); err != nil {
		return err
	}
	f, err := h.functionOf(integration.IntegrationURI)
	if err != nil {
		return err
	}
	if integration.PayloadFormatVersion != "2.0" {
		return fmt.Errorf("payload format %q is not played here", integration.PayloadFormatVersion)
	}
	method, path, _ := strings.Cut(route.RouteKey, " ")
	call, signed := h.integration(f, time.Duration(integration.TimeoutInMillis)*time.Millisecond), route.AuthorizationType == "AWS_IAM"
	if signed {
		call = byOperator(call)
	}
	door.routes[method+" "+httpapi.Key(path)] = doorRoute{
		handler: httpapi.New(h.gatewayConfig(cors, httpapi.Route{Path: path, Function: call})), signed: signed,
	}
	return nil
}

func (h *Host) functionOf(arn string) (*function, error) {
	for id, f := range h.functions {
		if its, _ := h.stack.Physical(id, "Arn"); its == arn {
			return f, nil
		}
	}
	return nil, fmt.Errorf("no function of the stack has the ARN %s", arn)
}

// integration calls a function for the gateway. What the gateway cannot wait for, or the function has no instance for, it
// answers 503; what the function fails at, 500.
func (h *Host) integration(f *function, limit time.Duration) httpapi.Function {
	return func(ctx context.Context, request events.APIGatewayV2HTTPRequest) (response events.APIGatewayV2HTTPResponse, err error) {
		text, err := json.Marshal(request)
		if err != nil {
			return response, err
		}
		type result struct {
			text []byte
			err  error
		}
		answered := make(chan result, 1)
		go func() { // The function goes on when the gateway has given it up.
			text, err := f.Invoke(context.WithoutCancel(ctx), text)
			answered <- result{text, err}
		}()
		timer := time.NewTimer(limit)
		defer timer.Stop()
		select {
		case r := <-answered:
			if errors.Is(r.err, runtime.ErrThrottled) {
				return unavailable(), nil
			}
			if r.err != nil {
				return response, r.err
			}
			return response, json.Unmarshal(r.text, &response)
		case <-timer.C:
			return unavailable(), nil
		}
	}
}

func unavailable() events.APIGatewayV2HTTPResponse {
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusServiceUnavailable, Headers: map[string]string{"Content-Type": "application/json"},
		Body: `{"message":"Service Unavailable"}`,
	}
}
