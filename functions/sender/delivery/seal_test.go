package delivery_test

import (
	"cmp"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// checkSealed fails unless every record that was ever written carries the hash of the entry that the audit log will make of it.
func (s *sender) checkSealed() {
	s.t.Helper()
	before := map[string]*ledger.Record{}
	for _, r := range s.ledger.Changes() {
		change := auditlog.ChangeChanged
		if before[r.MessageSid] == nil {
			change = auditlog.ChangeCreated
		}
		entry, err := auditlog.MessageEntry(before[r.MessageSid], &r, change, auditlog.Seen{})
		if err != nil {
			s.t.Fatal(err)
		}
		if entry.Unsealed || entry.Hash != cmp.Or(r.Seal, "none") {
			s.t.Errorf("version %d of %s in state %s is not sealed", r.Version, r.MessageSid, r.State)
		}
		before[r.MessageSid] = &r
	}
	s.checkConversationsSealed()
}

// checkConversationsSealed does the same for the conversations that the sender wrote.
func (s *sender) checkConversationsSealed() {
	s.t.Helper()
	before := map[string]*conversation.Conversation{}
	for _, c := range s.conversations.Changes() {
		key, change := string(c.TwilioNumber)+conversation.Item(c.Customer), auditlog.ChangeChanged
		if before[key] == nil {
			change = auditlog.ChangeCreated
		}
		entry, err := auditlog.ConversationEntry(before[key], &c, change, auditlog.Seen{})
		if err != nil {
			s.t.Fatal(err)
		}
		if entry.Unsealed || entry.Hash != cmp.Or(c.Seal, "none") {
			s.t.Errorf("version %d of a conversation, %+v, is not sealed", c.Version, c.OptOut)
		}
		before[key] = &c
	}
}
