package auditlog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// The entries of one text are a chain. Each has the hash of the one before it as Prev, and ends with its own, which covers
// every other byte of the line. The ledger's record keeps the hash of its last entry as its seal, which the writer of the
// record computes beforehand, because the old and the new record determine the entry. So the log and the ledger confirm each
// other, and a change of only one of them is noticed.

// hashField comes before the hash at the end of a line, hashEnd after it.
const (
	hashField = `,"hash":"`
	hashEnd   = `"}`
	hashChars = 2 * sha256.Size
)

// hash sets the entry's Hash.
func (e *Entry) hash() error {
	e.Hash = ""
	text, err := e.encode()
	if err != nil {
		return fmt.Errorf("encode audit entry: %w", err)
	}
	e.Hash = hashOf(text)
	return nil
}

// hashOf returns the hash of a line that has none yet.
func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	var digits [hashChars]byte
	hex.Encode(digits[:], sum[:])
	return string(digits[:])
}

// split separates the hash at the end of a line; ok is false if there is none.
func split(text []byte) (unhashed []byte, hash string, ok bool) {
	at := len(text) - len(hashField) - hashChars - len(hashEnd)
	if at < 0 || !bytes.HasPrefix(text[at:], []byte(hashField)) || !bytes.HasSuffix(text, []byte(hashEnd)) {
		return text, "", false
	}
	hash = string(text[at+len(hashField) : len(text)-len(hashEnd)])
	return append(bytes.Clone(text[:at]), '}'), hash, true
}

// Seal returns after with the seal to store it with, as the next version of before. before has version 0 if the record is not
// stored yet.
func Seal(before, after ledger.Record) (ledger.Record, error) {
	after.Version, after.Seal = before.Version+1, ""
	stored, change := &before, ChangeChanged
	if before.Version == 0 {
		stored, change = nil, ChangeCreated
	}
	entry := messageEntry(stored, &after, change, Seen{})
	entry.Prev = before.Seal
	err := entry.hash()
	after.Version, after.Seal = before.Version, entry.Hash
	return after, err
}

// Change is [ledger.Change], and seals what edit changes. Production code changes records only through Change and [Put]: relay
// audit verify reports a change without its seal as one that the relay did not make.
func Change(ctx context.Context, store ledger.Updater, r ledger.Record, edit ledger.Edit) (ledger.Record, error) {
	return ledger.Change(ctx, store, r, sealing(edit))
}

// Put stores wanted as the next version of before, sealed; before has version 0 if it is not stored yet. The errors are those
// of Create and Update of [ledger.Store].
func Put(ctx context.Context, store ledger.Store, before, wanted ledger.Record) (ledger.Record, error) {
	sealed, err := Seal(before, wanted)
	if err != nil {
		return ledger.Record{}, err
	}
	if sealed.Version == 0 {
		return store.Create(ctx, sealed)
	}
	return store.Update(ctx, sealed)
}

// sealing returns an edit that seals what it changes.
func sealing(edit ledger.Edit) ledger.Edit {
	return func(r ledger.Record) (ledger.Record, bool, error) {
		edited, changed, err := edit(r)
		if err != nil || !changed {
			return edited, changed, err
		}
		sealed, err := Seal(r, edited)
		return sealed, err == nil, err
	}
}
