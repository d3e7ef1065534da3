package conversation

import (
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// QuotesOurs reports whether a quote, whose end may be cut, is of a text of the relay to a phone: each begins with a tag, a number, a
// notice's first words, or a quote. What a person on duty wrote hardly ever does.
func QuotesOurs(quote string) bool {
	quote = strings.TrimFunc(quote, sms.IsBlank)
	isBeginning := func(beginning string) bool {
		_, found := cutPrefixFold(quote, beginning)
		return found
	}
	return startsWithTag(quote) || looksInternal(quote) || isClaimCut(quote) ||
		slices.ContainsFunc([]string{`"`, "“", "From +", thePhone + "+", commandMark}, isBeginning)
}

// looksInternal reports whether words begin as what the relay writes to phones does: a header with a number or with nothing but a tag,
// or a notice.
func looksInternal(words string) bool {
	words = strings.TrimFunc(words, sms.IsBlank)
	isNotice := slices.ContainsFunc([]string{notSent, notDelivered, sentTo, "From "}, func(beginning string) bool {
		rest, found := cutPrefixFold(words, beginning)
		return found && (beginning == notSent || strings.Contains(rest, ": ") || beginning == sentTo && startsWithTag(rest))
	})
	return isNotice || isClaim(words) || hasNumber(words) || isQuestion(words) || isWhose(words) || isBareHeader(words)
}

func startsWithTag(words string) bool {
	tag, _, isTagged := Leading(words)
	return isTagged && tag.IsValid()
}

// isBareHeader reports whether words begin with a tag and a colon.
func isBareHeader(words string) bool {
	header, _, found := strings.Cut(words, ":")
	tag, rest, isTagged := Leading(header)
	return found && isTagged && tag.IsValid() && rest == ""
}

// isQuestion reports whether words are a question of ours: a quote, and that it is for somebody.
func isQuestion(words string) bool {
	at := strings.Index(words, `"`+isFor)
	return strings.HasPrefix(words, `"`) && at > 0 || strings.HasPrefix(words, "a picture"+isFor)
}

// isWhose reports whether words say whose a tag is, with the tag or after it, or which phone gets no texts any more.
func isWhose(words string) bool {
	_, after, isTagged := Leading(words)
	if isTagged {
		words = after
	}
	_, isTold := cutPrefixFold(words, "is ")
	_, isStopped := cutPrefixFold(words, thePhone+"+")
	return isTold && strings.Contains(words, lastText) || isStopped
}

// isClaimCut reports whether a quote is the beginning of words that say who has a conversation: its end may be in the tag.
func isClaimCut(quote string) bool {
	name, rest, found := strings.Cut(strings.TrimRight(quote, "….”\" "), hasIt)
	isOther := func(char rune) bool { return (char < 'A' || char > 'Z') && (char < '0' || char > '9') }
	isTagsBeginning := len(rest) < maxTag && strings.IndexFunc(rest, isOther) < 0
	return found && len(name) <= maxHeader && isTagsBeginning
}

// maxTag is longer than any tag.
const maxTag = 8

// isClaim reports whether words say who has a conversation.
func isClaim(words string) bool {
	name, rest, found := strings.Cut(words, hasIt)
	tag, after, isTagged := Leading(rest)
	return found && len(name) <= maxHeader && isTagged && tag.IsValid() && after == ""
}

// quotesHeader reports whether words begin with a brief header of another conversation of the phone: a tag and a name.
func (v View) quotesHeader(words string) bool {
	tag, rest, isTagged := Leading(words)
	return isTagged && slices.ContainsFunc(v.Exchanges, func(e Exchange) bool { return e.Tag == tag && e.withoutHeader(rest) != rest })
}
