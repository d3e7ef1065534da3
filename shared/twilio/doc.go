// Package twilio is the one door to Twilio: it sends messages through the Messages API and looks them up again, and classifies
// every failure as a fault.Kind. For operators it reads the account and its numbers, and gives a number its webhooks. No other
// code reads Twilio's error codes or HTTP statuses to decide anything. Package signature checks what Twilio sends to us.
// It is not a webhook handler, does not retry, does not pace and keeps no state between calls except its connections. A call
// is one HTTP exchange, because Twilio has no idempotency key: the ledger says whether a POST may be repeated, never a client.
// The one exception is a POST whose credentials Twilio refused, if there are newer credentials by now.
package twilio
