package sms

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Reaction is what a messaging app sends over SMS when its owner reacts to a message: Liked “See you at three”.
type Reaction struct {
	// Emoji is the reaction's sign, such as 👍.
	Emoji string
	// Quote is how the message begins that it is about, empty if the app does not say (Liked an image).
	Quote string
	// IsRemoved is set if a reaction was taken back.
	IsRemoved bool
}

// quotedLength is how many characters of a quote have to agree with the message that it is about.
const quotedLength = 20

// reactionVerbs are the words before the quote, as Apple's Messages and Google's write them in English.
func reactionVerbs() map[string]Reaction {
	return map[string]Reaction{
		"loved": {Emoji: "❤️"}, "liked": {Emoji: "👍"}, "disliked": {Emoji: "👎"}, "laughed at": {Emoji: "😂"},
		"emphasized": {Emoji: "‼️"}, "emphasised": {Emoji: "‼️"}, "questioned": {Emoji: "❓"},
		"removed a heart from": {Emoji: "❤️", IsRemoved: true}, "removed a like from": {Emoji: "👍", IsRemoved: true},
		"removed a dislike from": {Emoji: "👎", IsRemoved: true}, "removed a laugh from": {Emoji: "😂", IsRemoved: true},
		"removed an exclamation from": {Emoji: "‼️", IsRemoved: true}, "removed a question mark from": {Emoji: "❓", IsRemoved: true},
	}
}

// ReactionOf reads a text as a reaction. ok is false for ordinary words, which may begin alike: the quote has to be the whole rest of
// the text, though its end may be cut.
func ReactionOf(body string) (reaction Reaction, ok bool) {
	body = strings.TrimFunc(body, IsBlank)
	at := strings.IndexFunc(body, isOpeningQuote)
	if at < 0 {
		return reactionToMedia(body)
	}
	reaction, ok = reactionVerb(strings.TrimFunc(body[:at], IsBlank))
	if !ok {
		return Reaction{}, false
	}
	_, size := utf8.DecodeRuneInString(body[at:])
	reaction.Quote, ok = quoteOf(body[at+size:])
	if !ok {
		return Reaction{}, false
	}
	return reaction, true
}

// reactionVerb reads what is before the quote.
func reactionVerb(verb string) (Reaction, bool) {
	if reaction, ok := reactionVerbs()[strings.ToLower(verb)]; ok {
		return reaction, true
	}
	lower := strings.ToLower(verb)
	for _, form := range []struct {
		before, after string
		isRemoved     bool
	}{{"reacted ", " to", false}, {"removed ", " from", true}, {"", " to", false}} {
		emoji, hasBefore := strings.CutPrefix(lower, form.before)
		emoji, hasAfter := strings.CutSuffix(emoji, form.after)
		if hasBefore && hasAfter && isEmoji(strings.TrimFunc(emoji, IsBlank)) {
			return Reaction{Emoji: strings.TrimFunc(emoji, IsBlank), IsRemoved: form.isRemoved}, true
		}
	}
	return Reaction{}, false
}

// quoteOf returns the quote that a text ends in, whose opening mark is taken off. ok is false if words follow it, or it is empty.
func quoteOf(rest string) (quote string, ok bool) {
	rest = strings.TrimFunc(rest, IsBlank)
	if end := strings.LastIndexFunc(rest, isClosingQuote); end >= 0 {
		_, size := utf8.DecodeRuneInString(rest[end:])
		if strings.TrimFunc(rest[end+size:], IsBlank) != "" {
			return "", false
		}
		rest = rest[:end]
	}
	return rest, strings.TrimFunc(rest, IsBlank) != ""
}

// reactionToMedia reads a reaction that quotes nothing: Liked an image.
func reactionToMedia(body string) (Reaction, bool) {
	for _, what := range []string{
		" an image", " a photo", " a video", " a movie", " an attachment", " an audio message", " a link", " a sticker",
	} {
		if at := len(body) - len(what); at >= 0 && strings.EqualFold(body[at:], what) {
			return reactionVerb(body[:at])
		}
	}
	return Reaction{}, false
}

// IsAbout reports whether the reaction quotes the beginning of a text: its first 20 characters, or all of a shorter one.
func (r Reaction) IsAbout(text string) bool {
	quote, whole := plainRunes(strings.TrimRight(r.Quote, "….")), plainRunes(strings.TrimRight(text, "…."))
	n := min(quotedLength, len(whole))
	return n > 0 && len(quote) >= n && len(quote) <= len(whole) && string(quote[:n]) == string(whole[:n])
}

// plainRunes are the characters of a text without marks that an app may add or change: those without a shape, and the kind of blanks
// and quotes.
func plainRunes(text string) []rune {
	var plain []rune
	for _, char := range text {
		switch {
		case unicode.Is(unicode.Cf, char):
		case unicode.IsSpace(char):
			plain = append(plain, ' ')
		case isOpeningQuote(char) || isClosingQuote(char):
			plain = append(plain, '"')
		default:
			plain = append(plain, char)
		}
	}
	return plain
}

// IsBlank reports whether a character has no shape: a blank, or a mark that only tells how text is laid out.
func IsBlank(char rune) bool { return unicode.IsSpace(char) || unicode.Is(unicode.Cf, char) }

func isOpeningQuote(char rune) bool {
	switch char {
	case '“', '”', '"', '„', '«', '‟', '‘':
		return true
	}
	return false
}

func isClosingQuote(char rune) bool {
	switch char {
	case '”', '“', '"', '»', '‟', '’':
		return true
	}
	return false
}

// isEmoji reports whether a text is a sign and nothing else. Letters, digits and marks of ASCII are not signs.
func isEmoji(text string) bool {
	for _, char := range text {
		if char < utf8.RuneSelf || unicode.IsLetter(char) || unicode.IsPunct(char) || unicode.IsSpace(char) {
			return false
		}
	}
	return text != ""
}
