package simulation_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// maxTexts is more than any schedule has.
const maxTexts = 16

// ownPhone is one that an operator chooses, on no route.
const ownPhone sms.PhoneNumber = "+18585550129"

// manualIDs are the relay ids of manual texts, by the number of the text: those that belong to their idempotency keys.
var manualIDs = func() (ids [maxTexts]string) {
	for n := range ids {
		sum := sha256.Sum256([]byte("idempotency key\x00" + keyOf(n)))
		ids[n] = "RL" + hex.EncodeToString(sum[:16])
	}
	return ids
}()

func keyOf(n int) string { return fmt.Sprintf("text-%d", n) }

// sidOf returns the relay id of the nth text.
func (s *schedule) sidOf(n int) string {
	if s.Texts[n-1].Manual {
		return manualIDs[n]
	}
	return relaytest.MessageSid(n)
}

// nameOfManual shortens the relay id of a manual text: R1 is the first text. ok is false if it is another id.
func nameOfManual(sid string) (name string, ok bool) {
	n := slices.Index(manualIDs[:], sid)
	return fmt.Sprintf("R%d", n), n >= 0
}

func (s *schedule) newOperations() *operations.Handler {
	return operations.New(operations.Config{
		Queue: queueDoor{s, s.fifo}, Records: ledgerDoor{s}, Routes: tableDoor{s},
		Conversations: conversationsDoor{s}, Trail: s.audit, Now: s.wall,
		NewID: func() string { return "" }, Logger: s.logger, Emit: telemetry.Discard,
	})
}

// manual writes the request by which an operator sends the text of a webhook. Repeats have the same key.
func (s *schedule) manual(w webhookOf) events.APIGatewayV2HTTPRequest {
	m := s.inbound(w.text)
	wanted := operations.RelayRequest{
		TwilioNumber: m.To, From: m.From, Body: m.Body, To: s.destinationOf(w.text),
		IdempotencyKey: keyOf(w.text),
	}
	body, err := json.Marshal(wanted)
	if err != nil {
		panic(err)
	}
	return events.APIGatewayV2HTTPRequest{
		RawPath: operations.PathRelay, Body: string(body), Headers: map[string]string{"content-type": "application/json"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodPost},
		},
	}
}

// destinationOf returns the phone that an operator chose for the nth text, if one did.
func (s *schedule) destinationOf(n int) sms.PhoneNumber {
	if s.Texts[n-1].OwnTo {
		return ownPhone
	}
	return ""
}

// checkWhose holds what a record says of its text against who sent it where.
func (s *schedule) checkWhose(n int, r ledger.Record) {
	m, t := s.inbound(n), s.Texts[n-1]
	if r.Manual != t.Manual || r.Destination != s.destinationOf(n) || r.Customer != m.From || r.Body != m.Body {
		s.violated("%s is on record as manual %v, from %s to %s", nameOf(r.MessageSid), r.Manual, string(r.Customer), string(r.Destination))
	}
}
