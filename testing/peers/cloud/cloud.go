// Package cloud plays what the functions call, on loopback and over TLS: Secrets Manager, SQS, DynamoDB, CloudWatch Logs and Twilio's
// Messages API. It answers at once, keeps what was written in memory, and counts every call. It is no emulator: it knows the operations
// that the functions need, and of DynamoDB's conditions only whether an item may be there already.
package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Config is what there is at the start.
type Config struct {
	// AccountSid and AuthToken are what the secret holds.
	AccountSid, AuthToken string
	// Keys are the names of the tables, with the attributes of their keys.
	Keys map[string][]string
}

// Call is one request that came.
type Call struct {
	// Operation is such as "SecretsManager.GetSecretValue"; Twilio's is "Twilio.CreateMessage".
	Operation string
	// Body is the request's: JSON, or Twilio's form.
	Body string
}

// Cloud serves until it is closed. It is safe for concurrent use.
type Cloud struct {
	// URL is where all services are, Authority the certificate in PEM that vouches for it.
	URL       string
	Authority []byte

	config Config
	server *http.Server

	mu     sync.Mutex
	calls  []Call
	tables map[string]map[string]item
	// streams are the log's, sent is how many messages Twilio took.
	streams map[string]bool
	sent    int
}

// Start serves on a free port of loopback.
func Start(ctx context.Context, config Config) (*Cloud, error) {
	authority, certificates, err := certify(time.Now())
	if err != nil {
		return nil, fmt.Errorf("make certificates: %w", err)
	}
	var network net.ListenConfig
	listener, err := network.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &Cloud{
		URL: "https://" + listener.Addr().String(), Authority: authority, config: config,
		tables: map[string]map[string]item{}, streams: map[string]bool{},
	}
	c.server = &http.Server{
		Handler: c, ReadHeaderTimeout: time.Minute, TLSConfig: certificates,
		// AWS speaks HTTP/1.1 to these clients.
		TLSNextProto: noHTTP2(),
		// A client that does not trust the certificate hangs up: its own error says so.
		ErrorLog: silent(),
	}
	go func() { _ = c.server.ServeTLS(listener, "", "") }()
	return c, nil
}

// Close ends the server.
func (c *Cloud) Close() { _ = c.server.Close() }

// Calls returns what came since it was last asked.
func (c *Cloud) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = nil
	return calls
}

// Put writes an item as DynamoDB has it in JSON.
func (c *Cloud) Put(table, text string) error {
	var written item
	if err := json.Unmarshal([]byte(text), &written); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(table, written)
	return nil
}

// Item returns the item whose first key attribute has that value, as DynamoDB has it in JSON; empty if there is none.
func (c *Cloud) Item(table, key string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.tables[table][key]
	if !ok {
		return ""
	}
	text, err := json.Marshal(found)
	if err != nil {
		return ""
	}
	return string(text)
}

// refusal is an error that AWS answers.
type refusal struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
	// Item is the stored one that a condition did not hold of.
	Item item `json:",omitempty"`
}

// ServeHTTP answers one request. Those of AWS have the operation in a header.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	target := r.Header.Get("X-Amz-Target")
	if target == "" {
		c.createMessage(w, r, string(body))
		return
	}
	service, operation, _ := strings.Cut(target, ".")
	c.calls = append(c.calls, Call{Operation: name(service) + "." + operation, Body: string(body)})
	answer, refused := c.answer(name(service), operation, body)
	status := http.StatusOK
	if refused != nil {
		answer, status = refused, http.StatusBadRequest
	}
	text, err := json.Marshal(answer)
	if err != nil {
		panic(fmt.Sprintf("an answer is not written as JSON: %v", err))
	}
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	w.Header().Set("X-Amzn-RequestId", "00000000-0000-4000-8000-000000000000")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10))
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// name is the service's without its date.
func name(service string) string {
	switch {
	case strings.HasPrefix(service, "DynamoDB_"):
		return "DynamoDB"
	case strings.HasPrefix(service, "Logs_"):
		return "Logs"
	case service == "AmazonSQS":
		return "SQS"
	case service == "secretsmanager":
		return "SecretsManager"
	default:
		return service
	}
}

func (c *Cloud) answer(service, operation string, body []byte) (answer any, refused *refusal) {
	var asked request
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, &refusal{Type: "SerializationException", Message: err.Error()}
	}
	switch service + "." + operation {
	case "SecretsManager.GetSecretValue":
		return c.secret(asked)
	case "SQS.SendMessage":
		return sent(asked), nil
	case "Logs.CreateLogStream":
		c.streams[asked.LogStreamName] = true
		return struct{}{}, nil
	case "Logs.PutLogEvents":
		if !c.streams[asked.LogStreamName] {
			return nil, &refusal{Type: "ResourceNotFoundException", Message: "The specified log stream does not exist."}
		}
		return map[string]any{"nextSequenceToken": "1"}, nil
	}
	if service == "DynamoDB" {
		return c.dynamo(operation, asked)
	}
	return nil, &refusal{Type: "UnknownOperationException", Message: service + "." + operation + " is not played here"}
}
