// Package states holds no code but tests: one suite of stories. In each, texts go through the real sender's handler
// until they rest, run over each set of adapters: in memory, SQLite, and DynamoDB with SQS (their emulators, in
// `make test-aws`). Where more time goes by than a test can wait for, the adapters live by the story's clock, and doubles
// stand in for SQS, whose clock cannot be set. Between them the stories walk every transition of the ledger's state
// machine. Twilio is scripted, and what may happen beyond the stories is for testing/simulation. It also compares what
// operators are told beforehand with what the sender does.
package states
