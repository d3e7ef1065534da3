package operations

import (
	"context"
	"slices"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// clockSkew is how far the clocks of those who wrote the record may be apart from each other's.
const clockSkew = 5 * time.Minute

// Trail is what the audit log has about one text.
type Trail struct {
	// Complete means that there is an entry for each version of the record. The latest may not be written yet, and the entries
	// of a text that took long may be too far apart for one search; relay audit reads the whole log.
	Complete bool    `json:"complete"`
	Entries  []Entry `json:"entries"`
}

// Entry is one change of the text's record, as the audit log has it: with the numbers masked.
type Entry struct {
	ID      string        `json:"id"`
	Time    time.Time     `json:"time"`
	Change  string        `json:"change"`
	Version int64         `json:"version"`
	From    string        `json:"from,omitempty"`
	To      string        `json:"to,omitempty"`
	Reason  string        `json:"reason,omitempty"`
	Attempt *EntryAttempt `json:"attempt,omitempty"`
	// Actor is the operator who decided on the change, Decision what they decided, and Note why, in their words.
	Actor    string `json:"actor,omitempty"`
	Decision string `json:"decision,omitempty"`
	Note     string `json:"note,omitempty"`
	// ReadBy is who was shown the body of the text. Such a change is about nothing else.
	ReadBy string `json:"read_by,omitempty"`
	// Unsealed means that someone changed the record past the relay.
	Unsealed bool `json:"unsealed,omitempty"`
}

// EntryAttempt is the attempt that a change is about, as it was after the change.
type EntryAttempt struct {
	Number      int    `json:"number"`
	Hop         int    `json:"hop"`
	Destination string `json:"destination"`
	From        string `json:"from,omitempty"`
	OutboundSid string `json:"outbound_sid,omitempty"`
	Status      string `json:"status,omitempty"`
	Outcome     string `json:"outcome,omitempty"`
	ErrorCode   int    `json:"error_code,omitempty"`
	Looks       int    `json:"looks,omitempty"`
	Found       bool   `json:"found,omitempty"`
	HopDone     bool   `json:"hop_done,omitempty"`
}

// trailOf looks the text's changes up in the audit log, between when it was received and when its record was last changed.
func (h *Handler) trailOf(ctx context.Context, r ledger.Record) (Trail, error) {
	found, err := h.config.Trail.Find(ctx, r.MessageSid, r.ReceivedAt.Add(-clockSkew), r.UpdatedAt.Add(clockSkew))
	if err != nil {
		return Trail{}, err
	}
	found = auditlog.InOrder(found, func(e auditlog.Entry) auditlog.Entry { return e })
	// The log has each entry at least once.
	found = slices.CompactFunc(found, func(a, b auditlog.Entry) bool { return a.ID == b.ID })
	trail := Trail{Complete: isComplete(r, found), Entries: make([]Entry, len(found))}
	for i, entry := range found {
		trail.Entries[i] = entryOf(entry)
	}
	return trail, nil
}

// isComplete reports whether each version of the record has its entry.
func isComplete(r ledger.Record, entries []auditlog.Entry) bool {
	versions := int64(0)
	for _, entry := range entries {
		if entry.ID == r.MessageSid+"."+strconv.FormatInt(entry.Version, 10) && entry.Version <= r.Version {
			versions++
		}
	}
	return versions == r.Version
}

func entryOf(e auditlog.Entry) Entry {
	shown := Entry{
		ID: e.ID, Time: e.Time, Change: e.Change, Version: e.Version, From: e.From, To: e.To, Reason: e.Reason,
		Actor: e.Actor, Decision: e.Decision, Note: e.Note, ReadBy: e.ReadBy, Unsealed: e.Unsealed,
	}
	if e.Attempt != nil {
		attempt := EntryAttempt(*e.Attempt)
		shown.Attempt = &attempt
	}
	return shown
}
