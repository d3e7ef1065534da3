package delivery

import (
	"context"
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
)

// verifyDelay is how long an operator's text waits that no phone may get, before it is looked at again: seldom enough for a queue that
// counts receives.
const verifyDelay = 5 * time.Minute

// ofUnverified returns the text's record if a phone wrote it that has yet to be verified, and it is no code.
func (a answering) ofUnverified() (ledger.Record, error) {
	answer := a.answer(ledger.AnswerDropped, "")
	answer.Tells = conversation.Unverified(a.text.Body)
	return a.text.Dismiss(answer, ledger.ReasonNotStaff, a.now)
}

// verify tries the code that the phone texted, and says what came of it.
func (c *commanding) verify(ctx context.Context, code string) (told string, err error) {
	of, err := c.h.config.Routes.Verify(ctx, c.j.text.TwilioNumber, c.act.Phone, code, c.act.MessageSid, c.act.At, c.h.config.Now())
	switch {
	case errors.Is(err, route.ErrConflict):
		return "/verify: not done. Try again.", nil
	case err != nil:
		return "", err
	case of == route.CodeRight:
		c.isVerified = true
		return conversation.Verified, nil
	case of == route.CodeWrong:
		return "/verify: that is not the code. Look again.", nil
	}
	return "/verify: that code does not count any more. Ask the office for a new one.", nil
}
