//go:build unix

package lambdahost

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"quickdumpnow.com/smsrelay/shared/onehost/httpapi"
)

// The credentials of the one user who may call the operators' routes.
const (
	operatorKey    = "AKIDOPERATOR"
	operatorSecret = "operators-secret-of-this-machine"
	apiService     = "execute-api"
	timeLayout     = "20060102T150405Z"
	longestSkew    = 5 * time.Minute
)

// SignOperator signs a request as the operators' clients do, for IAM.
func SignOperator(ctx context.Context, r *http.Request, body []byte, now time.Time) error {
	sum := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: operatorKey, SecretAccessKey: operatorSecret}
	return v4.NewSigner().SignHTTP(ctx, credentials, r, hex.EncodeToString(sum[:]), apiService, region, now)
}

// byOperator tells a function who calls it, as the gateway does on a route that IAM guards.
func byOperator(call httpapi.Function) httpapi.Function {
	return func(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		request.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
			IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{UserARN: "arn:aws:iam::" + AccountID + ":user/operator"},
		}
		return call(ctx, request)
	}
}

// signedByOperator reports whether SignOperator made the request's signature, for this very request and a short time ago. The
// body is read and put back.
func signedByOperator(r *http.Request, now time.Time) bool {
	at, err := time.Parse(timeLayout, r.Header.Get("X-Amz-Date"))
	if err != nil || now.Sub(at).Abs() > longestSkew {
		return false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	again := r.Clone(r.Context())
	again.URL.Scheme, again.URL.Host = "http", r.Host
	again.Header = http.Header{}
	_, signed, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	signed, _, _ = strings.Cut(signed, ",")
	for name := range strings.SplitSeq(signed, ";") {
		if values := r.Header.Values(name); len(values) > 0 {
			again.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if !strings.Contains(signed, "content-length") {
		again.ContentLength = 0
	}
	if SignOperator(r.Context(), again, body, at) != nil {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(again.Header.Get("Authorization")), []byte(r.Header.Get("Authorization"))) == 1
}
