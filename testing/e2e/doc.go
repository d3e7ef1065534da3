// Package e2e holds no code but a test of the deployed shape: what `sam build` made, started as template.yaml says, over
// emulated services and a fake Twilio (testing/lambdahost). It knows the relay only from outside: webhooks go in at the
// front door, and what became of them is read from Twilio, the tables, the queues and the log groups.
package e2e
