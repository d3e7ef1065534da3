// Package simulation holds no code but tests: thousands of schedules in which the real handlers run over stores and
// queues in memory and a simulated Twilio, while a scheduler picks who goes on and what fails, from one seed each. It does
// not test the adapters; their conformance suites do.
package simulation
