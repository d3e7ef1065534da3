// Package signature checks that a webhook was signed by Twilio, and signs as Twilio does, for the fake Twilio and for
// tests. It reads the form as well, so that the form that was checked is the form that is used.
//
// It is apart from package twilio, the client, so that what receives webhooks links no client: it does no I/O, has no
// clock, and of Twilio knows only what https://www.twilio.com/docs/usage/webhooks/webhooks-security says. It does not
// keep out a signed request that is sent again, for a signature holds no time: that is for whoever keeps MessageSids.
package signature
