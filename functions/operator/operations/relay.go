package operations

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// maxRequest is the largest body taken, in bytes.
const maxRequest = 64 << 10

var errTooLarge = fmt.Errorf("the body is over %d bytes", maxRequest)

// maxFrom is the longest From, by [sms.Length]: the text has to fit behind it.
const maxFrom = 64

// maxKey is the longest idempotency key, in bytes.
const maxKey = 255

// RelayRequest asks for a manual text.
type RelayRequest struct {
	// TwilioNumber is the number to send from, in E.164; its route says where to, unless To does.
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	// Body is the text, 1 to 1,600 characters.
	Body string `json:"body"`
	// From is whom the text is shown as from; left out, the text goes as it is.
	From sms.PhoneNumber `json:"from"`
	// To sends to this phone, in E.164, instead of the route's.
	To sms.PhoneNumber `json:"to"`
	// IdempotencyKey makes a repeat of the request harmless: the same key is the same text, for ever.
	IdempotencyKey string `json:"idempotency_key"`
}

// RelayAnswer says under which id to ask for the text's status.
type RelayAnswer struct {
	ID        string `json:"id"`
	StatusURL string `json:"status_url"`
}

// relay queues a manual text.
func (h *Handler) relay(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	wanted, err := readRelay(request)
	switch {
	case errors.Is(err, errTooLarge):
		return refuse(http.StatusRequestEntityTooLarge, err.Error())
	case err != nil:
		return refuse(http.StatusBadRequest, err.Error())
	}
	id := h.NewID()
	if wanted.IdempotencyKey != "" {
		id = idOf(wanted.IdempotencyKey)
	}
	envelope := queue.Envelope{
		Version: queue.Version, Kind: queue.KindManual, RelayID: id, ReceivedAt: h.Now().UTC(),
		Message:     &sms.Message{Sid: id, From: wanted.From, To: wanted.TwilioNumber, Body: wanted.Body},
		Destination: wanted.To,
	}
	outgoing, err := envelope.Outgoing()
	if err != nil {
		return refuse(http.StatusInternalServerError, "").because(err)
	}
	if err := h.Queue.Send(ctx, outgoing); err != nil {
		h.Emit(telemetry.Measurement{Name: telemetry.MetricUnavailable, Unit: telemetry.Count, Value: 1})
		return refuse(http.StatusServiceUnavailable, "the queue did not take the text: send the same request again, with an idempotency_key").because(err)
	}
	h.Emit(telemetry.Measurement{
		Name: telemetry.MetricAccepted, Unit: telemetry.Count, Value: 1,
		Dimension: telemetry.Dimension{Name: "Kind", Value: string(queue.KindManual)},
	})
	a := answer{status: http.StatusAccepted, body: RelayAnswer{ID: id, StatusURL: PathStatus + "?message_sid=" + url.QueryEscape(id)}}
	a.attrs = []slog.Attr{slog.String("message_sid", id), slog.Any("twilio_number", wanted.TwilioNumber), slog.Any("destination", wanted.To)}
	return a
}

// NewID returns the id of a new manual text: "RL" and 32 random hexadecimal digits.
func NewID() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // It never fails.
	return "RL" + hex.EncodeToString(random[:])
}

// idOf returns the id of the text that belongs to an idempotency key.
func idOf(key string) string {
	sum := sha256.Sum256([]byte("idempotency key\x00" + key))
	return "RL" + hex.EncodeToString(sum[:16])
}

// readRelay reads and checks the request. The error is for the caller and says everything that is wrong.
func readRelay(request events.APIGatewayV2HTTPRequest) (RelayRequest, error) {
	body := []byte(request.Body)
	if request.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(request.Body)
		if err != nil {
			return RelayRequest{}, errors.New("the body is not base64 as the gateway says it is")
		}
		body = decoded
	}
	if len(body) > maxRequest {
		return RelayRequest{}, errTooLarge
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	var wanted RelayRequest
	if err := decoder.Decode(&wanted); err != nil {
		return RelayRequest{}, explain(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return RelayRequest{}, errors.New("something follows the JSON object")
	}
	return wanted, wanted.check()
}

// explain words a JSON error for the caller.
func explain(err error) error {
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && mismatch.Field != "" {
		return fmt.Errorf("%s: want a string, not a JSON %s", mismatch.Field, mismatch.Value)
	}
	if field, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		return fmt.Errorf("unknown field %s: the fields are twilio_number, body, from, to and idempotency_key", field)
	}
	return errors.New("the body is not one JSON object with twilio_number and body in it")
}

// check joins everything that is wrong with the request.
func (r RelayRequest) check() error {
	var problems []error
	if !r.TwilioNumber.IsE164() {
		problems = append(problems, errors.New("twilio_number: want E.164, such as +18585550100"))
	}
	if r.Body == "" || sms.Length(r.Body) > sms.MaxBody {
		problems = append(problems, fmt.Errorf("body: want 1 to %d characters", sms.MaxBody))
	}
	if sms.Length(string(r.From)) > maxFrom {
		problems = append(problems, fmt.Errorf("from: want at most %d characters", maxFrom))
	}
	if r.To != "" && !r.To.IsE164() {
		problems = append(problems, errors.New("to: want E.164, such as +18585550100, or leave it out to use the route"))
	}
	if r.To != "" && r.To == r.TwilioNumber {
		problems = append(problems, errors.New("to: is twilio_number itself"))
	}
	if len(r.IdempotencyKey) > maxKey {
		problems = append(problems, fmt.Errorf("idempotency_key: over %d bytes", maxKey))
	}
	return errors.Join(problems...)
}
