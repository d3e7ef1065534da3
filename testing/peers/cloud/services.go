package cloud

import (
	"crypto/md5" //nolint:gosec // SQS answers with it, and the SDKs check it.
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// request is what the operations read of their requests.
type request struct {
	SecretID     string `json:"SecretId"`
	VersionStage string

	MessageBody string

	LogStreamName string

	TableName                 string
	Key                       item
	Item                      item
	ConditionExpression       string
	UpdateExpression          string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues item
	RequestItems              map[string]struct{ Keys []item }
	TransactItems             []struct{ Put *request }
}

// secret answers with the version that is in force. There is no other.
func (c *Cloud) secret(asked request) (answer any, refused *refusal) {
	if asked.VersionStage != "" && asked.VersionStage != "AWSCURRENT" {
		return nil, &refusal{
			Type:    "ResourceNotFoundException",
			Message: "Secrets Manager can't find the specified secret value for staging label: " + asked.VersionStage,
		}
	}
	return map[string]any{
		"ARN": asked.SecretID, "Name": "twilio", "VersionId": "00000000-0000-4000-8000-000000000001", "VersionStages": []string{"AWSCURRENT"},
		"SecretString": fmt.Sprintf(`{"accountSid":%q,"authToken":%q}`, c.config.AccountSid, c.config.AuthToken),
	}, nil
}

// sent answers a message that was sent to a queue.
func sent(asked request) any {
	sum := md5.Sum([]byte(asked.MessageBody)) //nolint:gosec // as above.
	return map[string]any{
		"MessageId": "00000000-0000-4000-8000-000000000002", "MD5OfMessageBody": hex.EncodeToString(sum[:]), "SequenceNumber": "1",
	}
}

// createMessage is Twilio's: it takes a message and gives it a Sid.
func (c *Cloud) createMessage(w http.ResponseWriter, r *http.Request, form string) {
	c.calls = append(c.calls, Call{Operation: "Twilio.CreateMessage", Body: form})
	user, password, _ := r.BasicAuth()
	values, err := url.ParseQuery(form)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/Accounts/"+c.config.AccountSid+"/Messages.json") || err != nil:
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"code":20404,"message":"not found","status":404}`)
	case user != c.config.AccountSid || password != c.config.AuthToken:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"code":20003,"message":"Authenticate","status":401}`)
	default:
		c.sent++
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"account_sid":%q,"api_version":"2010-04-01","body":%q,"date_created":"Mon, 30 Nov 2026 12:00:00 +0000",`+
			`"date_sent":null,"date_updated":"Mon, 30 Nov 2026 12:00:00 +0000","direction":"outbound-api","error_code":null,"error_message":null,`+
			`"from":%q,"messaging_service_sid":null,"num_media":"0","num_segments":"1","price":null,"price_unit":"USD","sid":%q,`+
			`"status":"queued","subresource_uris":{},"to":%q,"uri":"/2010-04-01/Accounts/x/Messages/y.json"}`,
			c.config.AccountSid, values.Get("Body"), values.Get("From"), outboundSid(c.sent), values.Get("To"))
	}
}

// outboundSid is the Sid of the nth message that was sent.
func outboundSid(n int) string { return fmt.Sprintf("SMffffffff%024x", n) }

// LastSid returns the Sid of the last message that was sent.
func (c *Cloud) LastSid() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return outboundSid(c.sent)
}
