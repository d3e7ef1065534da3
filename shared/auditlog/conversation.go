package auditlog

import (
	"cmp"
	"slices"

	"quickdumpnow.com/smsrelay/shared/conversation"
)

// What an entry says was changed in a conversation.
const (
	ChangedOptOut  = "opt_out"
	ChangedName    = "name"
	ChangedTag     = "tag"
	ChangedTagUsed = "tag_used"
	ChangedSpell   = "spell"
	ChangedSeen    = "seen"
	ChangedClaim   = "claim"
	ChangedBlock   = "block"
	ChangedWritten = "written"
	ChangedClosed  = "closed"
)

// ReasonAdopted is why a conversation's chain begins with a later version than the first.
const ReasonAdopted = "adopted"

// ConversationEntry makes the entry for a conversation's change, with its hash if the conversation has a seal. before is nil for a
// created conversation, after for a removed one. If the writer did not seal what it wrote, the entry says so.
func ConversationEntry(before, after *conversation.Conversation, change string, seen Seen) (Entry, error) {
	entry := conversationEntry(before, after, change, seen)
	var prev, seal string
	if before != nil {
		prev = before.Seal
	}
	if after != nil {
		seal = after.Seal
	}
	if entry.ConversationID == "" {
		// Without an ID there is no chain that a hash could be in.
		return entry, nil
	}
	return entry.chained(prev, seal, after != nil)
}

func conversationEntry(before, after *conversation.Conversation, change string, seen Seen) Entry {
	latest := after
	if latest == nil {
		latest = before
	}
	past := change == ChangeChanged && before != nil && before.Version >= latest.Version
	id, reason := latest.ID, ""
	switch {
	case before == nil:
	case before.ID != "":
		// The chain goes on, even if someone changed the ID.
		id = before.ID
	case id != "" && change == ChangeChanged:
		reason = ReasonAdopted
	}
	changed := differences(before, after)
	actor := ""
	switch {
	case slices.Contains(changed, ChangedName):
		actor = latest.NamedBy
	case slices.Contains(changed, ChangedBlock):
		actor = cmp.Or(latest.Blocked.By, latest.Blocked.Phone.Mask())
	}
	return Entry{
		ID: conversationEntryID(id, *latest, change, past, seen.SequenceNumber),
		// A change without the relay leaves the conversation's own time as it was, which may be long ago.
		Time:           timeOf(latest.UpdatedAt, after == nil || past, seen.At),
		Subject:        SubjectConversation,
		Change:         change,
		Version:        latest.Version,
		ConversationID: id,
		Reason:         reason,
		TwilioNumber:   latest.TwilioNumber.Mask(),
		Customer:       latest.Customer.Mask(),
		Actor:          actor,
		Conversation: &Conversation{
			OptedOut: latest.OptOut.OptedOut, Word: latest.OptOut.Word, MessageSid: latest.OptOut.MessageSid,
			Tag: string(latest.Tag), Named: latest.Name != "", Changed: changed, Spell: latest.Spell.MessageSid, Texts: latest.Spell.Texts,
			Stage: string(latest.Spell.Stage), Step: latest.Spell.Step, Seen: string(latest.Seen.How), SeenBy: seenBy(latest.Seen),
			Claimer: claimer(latest.Claim), Blocked: latest.Blocked.On,
			AutoAnswered: latest.Written.AutoCause, Closed: len(latest.Closed.Texts),
		},
	}
}

// seenBy names who saw to the conversation: an operator, or a masked phone.
func seenBy(s conversation.Seen) string {
	if s.By != "" {
		return s.By
	}
	return s.Phone.Mask()
}

// claimer is the masked phone that has the conversation, unless its claim was ended.
func claimer(k conversation.Claim) string {
	if !k.EndedAt.IsZero() {
		return ""
	}
	return k.Phone.Mask()
}

// conversationEntryID returns the identity of a conversation's entry. Without an ID of the conversation, it is made as a route's is:
// masked numbers are those of several customers, and the place in the stream makes it unique.
func conversationEntryID(id string, c conversation.Conversation, change string, past bool, sequenceNumber string) string {
	if id == "" {
		return ID(conversationPrefix+c.TwilioNumber.Mask()+"."+c.Customer.Mask(), c.Version, change) + place(sequenceNumber)
	}
	text := ID(ChainOf(id), c.Version, change)
	if past {
		text += place(sequenceNumber)
	}
	return text
}

// differences lists what was changed. Times are compared as moments, as [differs] does.
func differences(before, after *conversation.Conversation) []string {
	if after == nil {
		return nil
	}
	if before == nil {
		before = &conversation.Conversation{}
	}
	var changed []string
	was, is := before.OptOut, after.OptOut
	if was.OptedOut != is.OptedOut || was.Word != is.Word || was.MessageSid != is.MessageSid || !was.Since.Equal(is.Since) {
		changed = append(changed, ChangedOptOut)
	}
	if before.Name != after.Name {
		changed = append(changed, ChangedName)
	}
	switch {
	case before.Tag != after.Tag:
		changed = append(changed, ChangedTag)
	case !before.TagUsedAt.Equal(after.TagUsedAt) || before.TagVersion != after.TagVersion:
		changed = append(changed, ChangedTagUsed)
	}
	if !before.Spell.Equal(after.Spell) {
		changed = append(changed, ChangedSpell)
	}
	if !before.Seen.Equal(after.Seen) {
		changed = append(changed, ChangedSeen)
	}
	if !before.Claim.Equal(after.Claim) {
		changed = append(changed, ChangedClaim)
	}
	if !before.Blocked.Equal(after.Blocked) {
		changed = append(changed, ChangedBlock)
	}
	if !before.Written.Equal(after.Written) {
		changed = append(changed, ChangedWritten)
	}
	if !before.Closed.Equal(after.Closed) {
		changed = append(changed, ChangedClosed)
	}
	return changed
}
