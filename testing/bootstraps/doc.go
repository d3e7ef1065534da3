// Package bootstraps holds no code but a test: the four functions are compiled as they are deployed, started on the
// interface that Lambda gives a bootstrap, and one text goes through them over an emulated AWS. It is not an emulator
// of Lambda's event sources; the test hands the events over itself.
package bootstraps
