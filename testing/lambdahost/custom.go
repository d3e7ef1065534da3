//go:build unix

package lambdahost

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"quickdumpnow.com/smsrelay/testing/lambdahost/template"
)

// maxCustomAnswer is the most that CloudFormation reads of a custom resource's answer, in bytes.
const maxCustomAnswer = 4096

// customTimeout is how long a custom resource without a ServiceTimeout of its own may take: an hour there, less here.
const customTimeout = 5 * time.Minute

// askCustom has the functions behind the template's custom resources create or delete them, one after the other, as
// CloudFormation does: it is not the function's response that counts, but what it puts at the address that it is given.
func (h *Host) askCustom(ctx context.Context, kind cfn.RequestType) error {
	all := h.template.All()
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if !strings.HasPrefix(all[id].Type, "Custom::") || (kind == cfn.RequestDelete && h.custom[id] == "") {
			continue
		}
		answer, err := h.ask(ctx, id, all[id], kind)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", id, strings.ToLower(string(kind)), err)
		}
		h.custom[id] = answer.PhysicalResourceID
	}
	return nil
}

// ask makes one request and waits for its answer.
func (h *Host) ask(ctx context.Context, id string, r template.Resource, kind cfn.RequestType) (cfn.Response, error) {
	resolved, err := h.stack.Resolve(r.Properties)
	if err != nil {
		return cfn.Response{}, err
	}
	properties, _ := resolved.(template.Object)
	f, err := h.functionOf(template.Expression(properties["ServiceToken"]))
	if err != nil {
		return cfn.Response{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, customTimeout)
	defer cancel()
	address, answers, err := listenForAnswer(ctx)
	if err != nil {
		return cfn.Response{}, err
	}
	stackID, _ := h.stack.Physical("AWS::StackId", "")
	request := cfn.Event{
		RequestType: kind, RequestID: rand.Text(), ResponseURL: address, ResourceType: r.Type, LogicalResourceID: id,
		PhysicalResourceID: h.custom[id], StackID: stackID, ResourceProperties: properties,
	}
	text, err := json.Marshal(request)
	if err != nil {
		return cfn.Response{}, err
	}
	if _, err := f.Invoke(ctx, text); err != nil {
		return cfn.Response{}, err
	}
	select {
	case answer := <-answers:
		return answer, checkAnswer(request, answer)
	case <-ctx.Done():
		return cfn.Response{}, errors.New("no answer came")
	}
}

// listenForAnswer serves one signed address until ctx ends. What is not exactly that address, or not what S3 would accept there,
// is refused.
func listenForAnswer(ctx context.Context) (address string, answers <-chan cfn.Response, err error) {
	listener, err := listen(ctx)
	if err != nil {
		return "", nil, err
	}
	path := "/" + rand.Text() + "?X-Amz-Signature=" + rand.Text()
	came := make(chan cfn.Response, 1)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(takeAnswer(r, path, came))
	})}
	go func() { _ = server.Serve(listener) }()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return "http://" + listener.Addr().String() + path, came, nil
}

// takeAnswer takes an answer and returns the status for it. The signature covers an empty Content-Type.
func takeAnswer(r *http.Request, path string, came chan<- cfn.Response) (status int) {
	if r.Method != http.MethodPut || r.URL.RequestURI() != path || r.Header.Get("Content-Type") != "" {
		return http.StatusForbidden
	}
	var answer cfn.Response
	text, err := io.ReadAll(io.LimitReader(r.Body, maxCustomAnswer+1))
	if err != nil || len(text) > maxCustomAnswer || json.Unmarshal(text, &answer) != nil {
		return http.StatusBadRequest
	}
	select {
	case came <- answer:
	default: // It came before.
	}
	return http.StatusOK
}

// checkAnswer wants an answer to be that to the request, and to say that it was done.
func checkAnswer(request cfn.Event, answer cfn.Response) error {
	switch {
	case answer.RequestID != request.RequestID || answer.StackID != request.StackID || answer.LogicalResourceID != request.LogicalResourceID:
		return errors.New("the answer is to another request")
	case answer.PhysicalResourceID == "":
		return errors.New("the answer names no resource")
	case answer.Status != cfn.StatusSuccess:
		return fmt.Errorf("the answer is %s: %s", answer.Status, answer.Reason)
	default:
		return nil
	}
}
