package operations

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// maxRequest is the largest body accepted, in bytes.
const maxRequest = 64 << 10

// maxFrom is the longest From, in characters: the text has to fit behind it.
const maxFrom = 64

// maxSeen is the longest SID of a text that somebody had seen, in characters.
const maxSeen = 64

// maxKey is the longest idempotency key, in characters.
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
	IdempotencyKey string `json:"idempotency_key,omitempty"`
	// DryRun asks what would happen to the text, and queues nothing.
	DryRun bool `json:"dry_run"`
	// IsReply: To is a customer, see [ReplyRequest], and By is who answers.
	IsReply bool   `json:"-"`
	By      string `json:"-"`
	// SeenSid is what the operator had seen who replies, Pictures are what goes with the words, and Files what is in them.
	SeenSid  string    `json:"-"`
	Pictures []Picture `json:"-"`
	Files    [][]byte  `json:"-"`
}

// toField is what the caller calls To.
func (r RelayRequest) toField() string {
	if r.IsReply {
		return "customer"
	}
	return "to"
}

// RelayAnswer says under which id to ask for the text's status.
type RelayAnswer struct {
	ID        string `json:"id"`
	StatusURL string `json:"status_url"`
	// Repeated: the ledger has the text already, and nothing was queued.
	Repeated bool `json:"repeated,omitempty"`
}

// relay queues a manual text, or answers what would happen to it.
func (h *Handler) relay(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	wanted, refusal, refused := readRelay(request)
	if refused {
		return refusal
	}
	return h.order(ctx, wanted)
}

// order queues what is wanted, or answers what would happen to it.
func (h *Handler) order(ctx context.Context, wanted RelayRequest) answer {
	id := h.config.NewID()
	if wanted.IdempotencyKey != "" {
		id = idOf(wanted.IdempotencyKey)
	}
	repeated, refusal := h.known(ctx, wanted, id)
	var a answer
	switch {
	case refusal.problem:
		a = refusal
	case repeated && !wanted.DryRun:
		a = answer{status: http.StatusAccepted, body: RelayAnswer{ID: id, StatusURL: statusURL(id), Repeated: true}}
	default:
		a = h.decide(ctx, wanted, id, repeated)
	}
	a.attrs = []slog.Attr{
		slog.String("message_sid", id), slog.Any("twilio_number", wanted.TwilioNumber), slog.Any("destination", wanted.To),
		slog.Bool("dry_run", wanted.DryRun), slog.Bool("repeated", repeated),
	}
	return a
}

// decide queues the text, or answers what would happen to it. It refuses what the sender would drop: nobody would get it.
func (h *Handler) decide(ctx context.Context, wanted RelayRequest, id string, repeated bool) answer {
	told, refusal := h.foresee(ctx, wanted, id)
	switch {
	case refusal.problem && (wanted.DryRun || !refusal.isUnavailable()):
		return refusal
	case refusal.problem:
		// The sender waits until the routes can be read again.
		return h.queue(ctx, wanted, id)
	case wanted.DryRun && repeated:
		told.Outcome, told.Reason, told.Detail, told.Destination, told.ExpiresAt = Repeat, "", "", "", nil
		return answer{status: http.StatusOK, body: told}
	case wanted.DryRun:
		return answer{status: http.StatusOK, body: told}
	case told.Outcome == Drop:
		return refuse(http.StatusConflict, told.Detail)
	default:
		return h.queue(ctx, wanted, id)
	}
}

// queue puts the text on the queue.
func (h *Handler) queue(ctx context.Context, wanted RelayRequest, id string) answer {
	attached, refusal := h.keep(ctx, wanted)
	if refusal.problem {
		return refusal
	}
	if wanted.IsReply && wanted.By != "" {
		key := conversation.PhoneKey{TwilioNumber: wanted.TwilioNumber}
		action := conversation.NewAction(conversation.DeedReply, key, wanted.To, wanted.By, h.config.Now()).With(id)
		if err := h.config.Conversations.PutAction(ctx, action); err != nil {
			return refuse(http.StatusServiceUnavailable, "it cannot be recorded at the moment who answers: send the same request again").because(err)
		}
	}
	envelope := queue.Envelope{
		Version: queue.Version, Kind: queue.KindManual, RelayID: id, ReceivedAt: h.config.Now().UTC(),
		Message:     &sms.Message{Sid: id, From: wanted.From, To: wanted.TwilioNumber, Body: wanted.Body, Media: attached},
		Destination: wanted.To, SeenSid: wanted.SeenSid,
	}
	outgoing, err := envelope.Outgoing()
	if err != nil {
		return refuse(http.StatusInternalServerError, "").because(err)
	}
	if err := h.config.Queue.Send(ctx, outgoing); err != nil {
		h.config.Emit(telemetry.Measurement{Name: telemetry.MetricUnavailable, Unit: telemetry.Count, Value: 1})
		return refuse(http.StatusServiceUnavailable,
			"the queue did not take the text: send the same request again, with an idempotency_key").because(err)
	}
	h.config.Emit(telemetry.Measurement{
		Name: telemetry.MetricAccepted, Unit: telemetry.Count, Value: 1,
		Dimension: telemetry.Dimension{Name: "Kind", Value: string(queue.KindManual)},
	})
	return answer{status: http.StatusAccepted, body: RelayAnswer{ID: id, StatusURL: statusURL(id)}}
}

// statusURL is where to ask for one text.
func statusURL(id string) string { return PathStatus + "?message_sid=" + url.QueryEscape(id) }

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

// relayFields are the fields of a RelayRequest.
func relayFields() []string {
	return []string{"twilio_number", "body", "from", "to", "idempotency_key", "dry_run"}
}

// readRelay reads and checks the request. If refused is set, refusal says everything that is wrong with it.
func readRelay(request events.APIGatewayV2HTTPRequest) (wanted RelayRequest, refusal answer, refused bool) {
	refusal, refused = wanted.read(request, relayFields(), map[string]any{
		"twilio_number": &wanted.TwilioNumber, "body": &wanted.Body, "from": &wanted.From, "to": &wanted.To,
		"idempotency_key": &wanted.IdempotencyKey, "dry_run": &wanted.DryRun,
	})
	return wanted, refusal, refused
}

// read reads the fields of a request's body into r, whose places they have, and checks them.
func (r *RelayRequest) read(request events.APIGatewayV2HTTPRequest, fields []string, places map[string]any) (refusal answer, refused bool) {
	var wrong findings
	named, refusal, refused := readBody(request, fields, places, &wrong)
	if refused {
		return refusal, true
	}
	r.canonical(&wrong)
	r.check(&wrong)
	r.Files = readPictures(r.Pictures, &wrong)
	if named["idempotency_key"] && r.IdempotencyKey == "" {
		// A caller who names a key relies on it: a program whose variable is empty would send the same text again and again.
		wrong.malform("idempotency_key", "idempotency_key: is empty: leave it out, or give the text a key of its own")
	}
	return wrong.refuse(), !wrong.none()
}

// readBody reads the JSON object of a request, each field into its place, and returns which fields it has. Mistakes in fields go to
// wrong; refusal says that there is no such object.
func readBody(request events.APIGatewayV2HTTPRequest, fields []string, places map[string]any, wrong *findings) (
	named map[string]bool, refusal answer, refused bool,
) {
	body := []byte(request.Body)
	if request.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(request.Body)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "the body is not base64 as the gateway says it is"), true
		}
		body = decoded
	}
	most := maxRequest
	if _, isReply := places["pictures"]; isReply {
		most = MaxReply
	}
	if len(body) > most {
		return nil, refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is over %d bytes", most)), true
	}
	named, err := readObject(body, fields, places, wrong)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, err.Error()), true
	}
	return named, answer{}, false
}

// canonical brings the numbers to the one form in which they are kept, and adds those that no phone can have.
func (r *RelayRequest) canonical(wrong *findings) {
	for name, number := range map[string]*sms.PhoneNumber{"twilio_number": &r.TwilioNumber, r.toField(): &r.To} {
		if !number.IsE164() {
			continue // check says so.
		}
		canonical, ok := number.Canonical()
		if *number = canonical; !ok {
			problem, _ := number.Problem()
			wrong.contradict(name, "%s: %q %s", name, string(*number), problem)
		}
	}
}

// check adds everything that is wrong with the request.
func (r RelayRequest) check(wrong *findings) {
	if !r.TwilioNumber.IsE164() {
		wrong.malform("twilio_number", "twilio_number: want E.164, such as +18585550100")
	}
	if r.Body == "" || sms.Length(r.Body) > sms.MaxBody {
		wrong.malform("body", "body: want 1 to %d characters", sms.MaxBody)
	}
	if utf8.RuneCountInString(string(r.From)) > maxFrom {
		wrong.malform("from", "from: want at most %d characters", maxFrom)
	}
	if r.IsReply && !r.To.IsE164() {
		wrong.malform("customer", "customer: want E.164, such as +13125550147")
	}
	if r.To != "" && !r.To.IsE164() {
		wrong.malform(r.toField(), "to: want E.164, such as +18585550100, or leave it out to use the route")
	}
	if r.To != "" && sms.Same(r.To, r.TwilioNumber) {
		wrong.contradict(r.toField(), "%s: is twilio_number itself", r.toField())
	}
	if utf8.RuneCountInString(r.SeenSid) > maxSeen {
		wrong.malform("seen_sid", "seen_sid: want at most %d characters", maxSeen)
	}
	if utf8.RuneCountInString(r.IdempotencyKey) > maxKey {
		wrong.malform("idempotency_key", "idempotency_key: want at most %d characters", maxKey)
	}
}
