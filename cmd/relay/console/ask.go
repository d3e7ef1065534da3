package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
)

// api is the operators' HTTP API, called without HTTP in the name of whoever is signed in: a page does, refuses and records what a program
// or a command does.
type api struct {
	config operations.Config
	ctx    context.Context //nolint:containedctx // it lives as long as the request whose context this is.
}

// api returns the API for the person.
func (v *visit) api() api {
	config := v.console.API
	config.Operator, config.Logger = v.person.Name, v.console.Logger
	return api{config, v.R.Context()}
}

// send sends a request with a body as JSON, and get one with a query. The error is a [webfiles.RefusalError] of the API's, in words for
// people.
func (a api) send(method, path string, body any) (status int, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	return a.ask(method, events.APIGatewayV2HTTPRequest{RawPath: path, Body: string(text)}, nil)
}

// get reads what the API answers to a query into answer.
func (a api) get(path string, query url.Values, answer any) error {
	_, err := a.ask(http.MethodGet, events.APIGatewayV2HTTPRequest{RawPath: path, RawQueryString: query.Encode()}, answer)
	return err
}

// order sends a request with a body, and reads the answer into answer, unless that is nil.
func (a api) order(path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, err = a.ask(http.MethodPost, events.APIGatewayV2HTTPRequest{RawPath: path, Body: string(text)}, answer)
	return err
}

func (a api) remove(path string, query url.Values) error {
	_, err := a.ask(http.MethodDelete, events.APIGatewayV2HTTPRequest{RawPath: path, RawQueryString: query.Encode()}, nil)
	return err
}

// ask reads the answer into answer, unless that is nil.
func (a api) ask(method string, request events.APIGatewayV2HTTPRequest, answer any) (status int, err error) {
	request.RequestContext.HTTP.Method = method
	response, err := operations.New(a.config).Handle(a.ctx, request)
	if err == nil && answer != nil && response.StatusCode < http.StatusBadRequest {
		err = json.Unmarshal([]byte(response.Body), answer)
	}
	if err != nil || response.StatusCode < http.StatusBadRequest {
		return response.StatusCode, err
	}
	var problem operations.Problem
	if err := json.Unmarshal([]byte(response.Body), &problem); err != nil {
		return response.StatusCode, fmt.Errorf("read the refusal: %w", err)
	}
	if problem.Detail == "" {
		problem.Detail = problem.Title
	}
	return response.StatusCode, webfiles.Refuse(response.StatusCode, cli.Sentence(problem.Detail))
}
