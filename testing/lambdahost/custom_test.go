//go:build unix

package lambdahost

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"
)

// TestAnswersOfCustomResources: the address takes one answer, as S3 takes an object at a signed address.
func TestAnswersOfCustomResources(t *testing.T) {
	address, answers, err := listenForAnswer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const answer = `{"Status":"SUCCESS","RequestId":"1"}`
	for _, tt := range []struct {
		name, method, address, contentType, body string
		want                                     int
	}{
		{"another method", http.MethodPost, address, "", answer, 403},
		{"another signature", http.MethodPut, address + "x", "", answer, 403},
		{"no signature", http.MethodPut, address[:strings.IndexByte(address, '?')], "", answer, 403},
		{"a content type", http.MethodPut, address, "application/json", answer, 403},
		{"no JSON", http.MethodPut, address, "", "SUCCESS", 400},
		{"too long", http.MethodPut, address, "", answer + strings.Repeat(" ", maxCustomAnswer), 400},
		{"an answer", http.MethodPut, address, "", answer, 200},
		{"the same again", http.MethodPut, address, "", answer, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), tt.method, tt.address, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if tt.contentType != "" {
				request.Header.Set("Content-Type", tt.contentType)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			if response.StatusCode != tt.want {
				t.Errorf("answered %d, want %d", response.StatusCode, tt.want)
			}
		})
	}
	if got := <-answers; got.RequestID != "1" || len(answers) > 0 {
		t.Errorf("the answer is %+v, and %d more", got, len(answers))
	}
}

func TestCheckAnswer(t *testing.T) {
	request := cfn.Event{RequestID: "1", StackID: "stack", LogicalResourceID: "SeedRoutes"}
	right := func() cfn.Response {
		return cfn.Response{
			Status: cfn.StatusSuccess, RequestID: "1", StackID: "stack", LogicalResourceID: "SeedRoutes",
			PhysicalResourceID: "routes",
		}
	}
	if err := checkAnswer(request, right()); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*cfn.Response){
		"to another request": func(r *cfn.Response) { r.RequestID = "2" },
		"of another stack":   func(r *cfn.Response) { r.StackID = "" },
		"of another":         func(r *cfn.Response) { r.LogicalResourceID = "Other" },
		"without a name":     func(r *cfn.Response) { r.PhysicalResourceID = "" },
		"that it failed":     func(r *cfn.Response) { r.Status = cfn.StatusFailed },
	} {
		answer := right()
		if spoil(&answer); checkAnswer(request, answer) == nil {
			t.Errorf("an answer %s is accepted", name)
		}
	}
}
