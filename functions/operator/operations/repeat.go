package operations

import (
	"context"
	"errors"
	"net/http"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// known looks up whether the ledger has the text of an idempotency key already, and refuses the key if it belongs to another
// text. A text that no sender has received yet is not in the ledger and is not found; the queue and the ledger still make sure
// that only one text with that id is sent.
func (h *Handler) known(ctx context.Context, wanted RelayRequest, id string) (found bool, refusal answer) {
	if wanted.IdempotencyKey == "" {
		return false, answer{}
	}
	r, err := h.config.Records.Get(ctx, id)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return false, answer{}
	case err != nil:
		return false, refuse(http.StatusServiceUnavailable,
			"the ledger cannot be asked for idempotency_key at the moment: send the same request again").because(err)
	case !sms.Same(r.TwilioNumber, wanted.TwilioNumber) || !sms.Same(r.Customer, wanted.From) || !sms.Same(r.Destination, wanted.To) ||
		r.Body != wanted.Body:
		var wrong findings
		wrong.contradict("idempotency_key", "idempotency_key: belongs to another text, %s: use a new key for a new text", id)
		return false, wrong.refuse()
	default:
		return true, answer{}
	}
}
