package conversation

// IsAutoReply reports whether a text is one that a phone or an app is known to send by itself, see autoReplies.
func IsAutoReply(body string) bool { return false }
