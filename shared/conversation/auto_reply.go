package conversation

import (
	"strings"
	"unicode"
)

// autoReplies are sentences that phones are known to send by themselves while their owner drives or rests, in plain letters. An owner can
// change the first one; such a text is recognized when it comes for the second time, see [Phone.IsAutomatic]. What a person taps to
// decline a call ("I'll call you later") is not here: people write that.
//
// Sources, as of November 2026: Apple's iPhone User Guide, "Do Not Disturb While Driving" (iOS 11 to 14) and "Driving Focus" (since iOS
// 15), with the sentences about notifications for people who may reply "urgent"; the last one is the default of Samsung's In-Traffic
// Reply, as Samsung announced it in April 2017 (quoted by ZDNet, "Samsung's answer to incoming calls, texts, tweets at the wheel?", and
// by MobileSyrup). For other Android phones no source was found that has the words of a reply that nobody taps.
func autoReplies() []string {
	return []string{
		"i'm driving with do not disturb while driving turned on",
		"i'm driving with driving focus turned on",
		"i'm driving with focus turned on",
		"i'll see your message when i get where i'm going",
		"i'm not receiving notifications",
		"if this is urgent reply urgent to send a notification through with your original message",
		"i'm driving so i cannot answer at the moment",
	}
}

// IsAutoReply reports whether a text is one that a phone is known to send by itself: it has one or more of their sentences and
// nothing else. Case, and the marks between words, do not matter.
func IsAutoReply(body string) bool {
	rest := plainWords(body)
	for rest != "" {
		found := false
		for _, known := range autoReplies() {
			if after, ok := strings.CutPrefix(rest, known); ok && (after == "" || after[0] == ' ') {
				rest, found = strings.TrimSpace(after), true
				break
			}
		}
		if !found {
			return false
		}
	}
	return plainWords(body) != ""
}

// plainWords are the words of a text in small letters, with one blank between them and no marks but apostrophes.
func plainWords(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ReplaceAll(strings.ToLower(text), "’", "'"), func(char rune) bool {
		return char != '\'' && !unicode.IsLetter(char) && !unicode.IsDigit(char)
	}), " ")
}
