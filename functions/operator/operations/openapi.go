package operations

import (
	"context"
	_ "embed" // openapi.json is part of the program.
	"encoding/json"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
)

// openAPI describes the operators' routes, for programs that call them.
//
//go:embed openapi.json
var openAPI []byte

// describe answers with the description of the routes.
func describe(context.Context, events.APIGatewayV2HTTPRequest) answer {
	return answer{status: http.StatusOK, body: json.RawMessage(openAPI)}
}
