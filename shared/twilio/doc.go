// Package twilio is the one door to Twilio: it sends messages through the Messages API and looks them up again, and
// says of every failure which fault.Kind it is. For operators it reads the account and its numbers, and gives a number
// its webhooks. Above it nobody reads Twilio's error codes or HTTP statuses to decide anything. What Twilio sends to us
// is checked by package signature below it.
//
// It is not a webhook handler, does not retry, does not pace and keeps no state between calls but its connections.
// A call is one HTTP exchange, because Twilio has no idempotency key: whether a POST may be repeated is for the
// ledger to say, never for a client. The one exception is a POST that Twilio refused for its credentials while others
// have taken their place.
package twilio
