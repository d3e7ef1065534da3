//go:build linux

package job

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/testing/peers/cloud"
	"quickdumpnow.com/smsrelay/testing/peers/lambda"
)

// Check takes one text through a contestant's functions, and sees that each answers and calls what it should. It returns what they made
// of the text.
func (s *Stage) Check(ctx context.Context, programs map[string]lambda.Program) (made Made, err error) {
	made.Sid = s.next()
	for _, step := range []struct {
		function string
		check    func(*lambda.Process, *Made) error
	}{{Ingest, s.checkIngest}, {Sender, s.checkSender}, {StreamAudit, s.checkStreamAudit}} {
		process, err := lambda.Start(ctx, programs[step.function])
		if err != nil {
			return made, err
		}
		s.cloud.Calls()
		err = step.check(process, &made)
		process.Close()
		if err != nil {
			return made, fmt.Errorf("%s: %w", step.function, err)
		}
	}
	return made, nil
}

// checkIngest wants a text on the queue once and TwiML in answer, and a forged one refused.
func (s *Stage) checkIngest(process *lambda.Process, made *Made) error {
	for _, tt := range []struct {
		token  string
		status int
		sent   int
	}{{authToken, http.StatusOK, 1}, {"somebody else's", http.StatusForbidden, 0}} {
		event, err := webhook(made.Sid, tt.token)
		if err != nil {
			return err
		}
		var answer events.APIGatewayV2HTTPResponse
		if err := invoke(process, event, &answer); err != nil {
			return err
		}
		sent := bodies(s.cloud.Calls(), "SQS.SendMessage")
		if answer.StatusCode != tt.status || len(sent) != tt.sent {
			return fmt.Errorf("answered %d after %d messages to the queue, want %d after %d", answer.StatusCode, len(sent), tt.status, tt.sent)
		}
		if tt.sent == 0 {
			continue
		}
		if !strings.Contains(answer.Body, "<Response") || !strings.HasPrefix(headers(answer).Get("Content-Type"), "text/xml") {
			return fmt.Errorf("answered %q of %v, want TwiML", answer.Body, answer.Headers)
		}
		var message struct {
			MessageBody     string
			Group           string `json:"MessageGroupId"`
			DeduplicationID string `json:"MessageDeduplicationId"`
		}
		if err := json.Unmarshal([]byte(sent[0]), &message); err != nil {
			return err
		}
		if !strings.Contains(message.MessageBody, made.Sid) || message.Group == "" || message.DeduplicationID != made.Sid {
			return fmt.Errorf("put on the queue: %+v", message)
		}
		made.Message = message.MessageBody
	}
	return nil
}

// checkSender wants a text sent once, though it comes twice, and a record of it.
func (s *Stage) checkSender(process *lambda.Process, made *Made) error {
	event, err := delivery(made.Sid, made.Message)
	if err != nil {
		return err
	}
	for _, want := range []int{1, 0} {
		var answer events.SQSEventResponse
		if err := invoke(process, event, &answer); err != nil {
			return err
		}
		sent := bodies(s.cloud.Calls(), "Twilio.CreateMessage")
		if len(answer.BatchItemFailures) > 0 || len(sent) != want {
			return fmt.Errorf("%d failures and %d messages to Twilio, want none and %d; it printed:\n%s",
				len(answer.BatchItemFailures), len(sent), want, process.Printed())
		}
		if want == 0 {
			continue
		}
		form, err := url.ParseQuery(sent[0])
		if err != nil {
			return err
		}
		if form.Get("From") != number || form.Get("To") != phone || !strings.Contains(form.Get("Body"), words) {
			return fmt.Errorf("sent %v", form)
		}
	}
	made.Item = s.cloud.Item(ledger, made.Sid)
	if !strings.Contains(made.Item, s.cloud.LastSid()) {
		return fmt.Errorf("the record does not say what became of the text: %s", made.Item)
	}
	return nil
}

// checkStreamAudit wants one line for a change, with no number in full.
func (s *Stage) checkStreamAudit(process *lambda.Process, made *Made) error {
	event, err := change(made.Sid, made.Item)
	if err != nil {
		return err
	}
	var answer events.DynamoDBEventResponse
	if err := invoke(process, event, &answer); err != nil {
		return err
	}
	written := bodies(s.cloud.Calls(), "Logs.PutLogEvents")
	if len(answer.BatchItemFailures) > 0 || len(written) == 0 {
		return fmt.Errorf("%d failures, and %d calls of the log; it printed:\n%s", len(answer.BatchItemFailures), len(written), process.Printed())
	}
	var call struct{ LogEvents []struct{ Message string } }
	if err := json.Unmarshal([]byte(written[len(written)-1]), &call); err != nil {
		return err
	}
	if len(call.LogEvents) != 1 || !strings.Contains(call.LogEvents[0].Message, made.Sid) ||
		strings.Contains(call.LogEvents[0].Message, customer) {
		return fmt.Errorf("written to the log: %+v", call)
	}
	return nil
}

// invoke hands an event over and reads the answer.
func invoke(process *lambda.Process, event []byte, answer any) error {
	text, _, err := process.Invoke(event)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, answer)
}

// bodies returns those of the calls of one operation.
func bodies(calls []cloud.Call, operation string) []string {
	var found []string
	for _, call := range calls {
		if call.Operation == operation {
			found = append(found, call.Body)
		}
	}
	return found
}

func headers(answer events.APIGatewayV2HTTPResponse) http.Header {
	all := http.Header{}
	for name, value := range answer.Headers {
		all.Set(name, value)
	}
	return all
}
