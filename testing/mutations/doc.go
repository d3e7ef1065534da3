// Package mutations holds no code but tests: it breaks one safeguard of the adapters and handlers at a time, and sees that the test
// that is named for it notices. What the simulation has to notice is broken there (testing/simulation).
package mutations
