// Package libraries runs small applications with Twilio's own libraries, for Python, Node and Go, against the fake Twilio: what a
// stranger's application would do that is pointed at `relay fake-twilio`. It has tests only. docs/fake-twilio.md shows how each library is
// pointed there.
package libraries
