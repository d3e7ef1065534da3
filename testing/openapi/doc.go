// Package openapi lets schemathesis, a program that makes requests of an OpenAPI document, loose on the operators' routes of
// `relay serve`: good ones, bad ones, and what follows from the answers. It has a test only, and sends nothing to Twilio but to
// the fake one. That the document is right about every answer of the handler's own tests is checked there, in
// functions/operator/operations.
package openapi
