package text

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/operatorapi"
)

// remote is a relay elsewhere. It answers as the function in this process does, because that function answers there.
type remote struct{ cli.Remote }

// maxAnswer limits how much of an answer is read: a page of a list has a hundred texts at most.
const maxAnswer = 16 << 20

// Handle asks over HTTP.
func (r remote) Handle(ctx context.Context, asked events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	address := r.URL + asked.RawPath
	if asked.RawQueryString != "" {
		address += "?" + asked.RawQueryString
	}
	var answer events.APIGatewayV2HTTPResponse
	request, err := http.NewRequestWithContext(ctx, asked.RequestContext.HTTP.Method, address, strings.NewReader(asked.Body))
	if err != nil {
		return answer, err
	}
	request.Header.Set("Authorization", "Bearer "+r.Token)
	if asked.Body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	const enough = 30 * time.Second
	client := http.Client{
		Timeout: enough,
		// The token goes to the relay that was named, and to no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return answer, cli.Hinted(fmt.Errorf("cannot reach the relay: %w", err), "relay doctor, where relay serve runs, says more")
	}
	defer response.Body.Close() //nolint:errcheck // it is only read.
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	answer.StatusCode, answer.Body = response.StatusCode, string(body)
	isJSON := strings.Contains(response.Header.Get("Content-Type"), "json")
	switch {
	case err != nil:
		return answer, fmt.Errorf("the relay's answer broke off: %w", err)
	case response.StatusCode == http.StatusUnauthorized && isJSON:
		return answer, cli.WithHint(operatorapi.RefusalOf(answer), "set "+cli.EnvOperatorToken+" to the value that it has where relay serve runs")
	case response.StatusCode/100 == 3 || !isJSON:
		return answer, cli.Hinted(fmt.Errorf("%s answers %d, but it is not a relay", r.URL, response.StatusCode),
			"name the relay's own URL, without /sms/…, with --url or "+cli.EnvURL)
	}
	return answer, nil
}

// findOperatorAPI returns the operators' API of the relay that flags and settings name: over HTTP, or in this process over an open relay.
func (p program) findOperatorAPI(ctx context.Context, flags *pflag.FlagSet) (api operatorapi.API, closeAPI func() error, err error) {
	elsewhere, err := p.FindRemote(flags)
	if err != nil {
		return api, nil, err
	}
	if elsewhere.URL != "" {
		return operatorapi.API{Handler: remote{elsewhere}}, func() error { return nil }, nil
	}
	d, err := p.OpenTarget(ctx, flags)
	if err != nil {
		return api, nil, err
	}
	return operatorapi.Open(p.Program, d), d.Close, nil
}
