package twilio

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Account is the account as Twilio's Account resource has it, without the Auth Token, which is also there.
type Account struct {
	// Sid begins with AC.
	Sid string
	// Status is "active", "suspended" or "closed", Type "Trial" or "Full".
	Status string
	Type   string
	// Date is when Twilio answered, by its own clock, to the second; zero if it did not say.
	Date time.Time
}

// SuspendedCodes are Twilio's error codes for an account that may not do anything.
func SuspendedCodes() []int { return []int{20403, 30002} }

// Account looks the client's account up. It shows whether the credentials are right, and what time it is at Twilio. Every
// error has a *fault.Error in its chain, and none is Unknown. A restricted API key may be refused this (Permanent, HTTPStatus
// 403).
func (c *Client) Account(ctx context.Context) (Account, error) {
	call := c.newCall(ctx)
	account, err := call.api().FetchAccount(c.accountSid)
	if err != nil {
		return Account{}, fmt.Errorf("fetch account: %w", call.classified(http.MethodGet, err))
	}
	if textOf(account.Sid) != c.accountSid {
		return Account{}, fmt.Errorf("fetch account: %w", classifyRead(Exchange{Status: call.status, Err: errUnreadable}))
	}
	return Account{Sid: textOf(account.Sid), Status: textOf(account.Status), Type: textOf(account.Type), Date: call.date}, nil
}
