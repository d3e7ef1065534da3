package sms

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// CallbackRef is what the relay writes into the StatusCallback URL of a message it sends, and reads back from the receipt.
// Twilio signs the URL with its query, so what comes back is what was sent.
type CallbackRef struct {
	// RelayID is the text's identity in the ledger.
	RelayID string
	// Hop counts from 0, Attempt from 1.
	Hop     int
	Attempt int
}

// The query parameters of a StatusCallback URL.
const (
	paramRelayID = "relay_id"
	paramHop     = "hop"
	paramAttempt = "attempt"
)

// CallbackPath is the path of the status-callback route.
const CallbackPath = "/sms/status-callback"

// URL returns the StatusCallback URL of the reference, below the base URL.
func (c CallbackRef) URL(baseURL string) string {
	return strings.TrimSuffix(baseURL, "/") + CallbackPath +
		"?" + paramAttempt + "=" + strconv.Itoa(c.Attempt) + "&" + paramHop + "=" + strconv.Itoa(c.Hop) +
		"&" + paramRelayID + "=" + url.QueryEscape(c.RelayID)
}

// ParseCallbackRef reads a reference from a callback's raw query. The error says which part is missing or wrong.
func ParseCallbackRef(rawQuery string) (CallbackRef, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return CallbackRef{}, fmt.Errorf("parse callback query: %w", err)
	}
	c := CallbackRef{RelayID: query.Get(paramRelayID)}
	if c.RelayID == "" {
		return CallbackRef{}, fmt.Errorf("callback query has no %s", paramRelayID)
	}
	if c.Hop, err = strconv.Atoi(query.Get(paramHop)); err != nil || c.Hop < 0 {
		return CallbackRef{}, fmt.Errorf("callback query has no usable %s", paramHop)
	}
	if c.Attempt, err = strconv.Atoi(query.Get(paramAttempt)); err != nil || c.Attempt < 1 {
		return CallbackRef{}, fmt.Errorf("callback query has no usable %s", paramAttempt)
	}
	return c, nil
}
