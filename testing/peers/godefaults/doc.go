// Package godefaults has the three functions as somebody writes them in Go who takes everything as it comes: the AWS SDK's
// LoadDefaultConfig and twilio-go's RestClient, built without flags. They do what the relay's do in the simplest case, and nothing of it
// is used by the relay.
package godefaults
