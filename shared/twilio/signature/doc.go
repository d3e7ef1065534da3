// Package signature checks that a webhook was signed by Twilio, and signs as Twilio does, for the fake Twilio and for
// tests. It reads the form as well, so that the form that was checked is the form that is used.
//
// It is separate from package twilio, the client, so that a program that receives webhooks links no client. It does no I/O
// and has no clock. All it knows about Twilio is what https://www.twilio.com/docs/usage/webhooks/webhooks-security says. It
// does not keep out a signed request that is sent again, because a signature contains no time; the ledger does, by MessageSid.
package signature
