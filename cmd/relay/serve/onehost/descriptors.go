package onehost

// The bounds of maxConnections.
const (
	minConnections     = 16
	defaultConnections = 512
)

// The bounds of maxConversations.
const (
	minConversations  = 10
	conversationLimit = 100
)

// maxConversations is how many conversations are processed at once, and so how many POSTs may be under way, in a process that may have
// so many files open; 0 means not known. A text with a slow answer keeps its place for seconds, so the others need more places.
func maxConversations(descriptors int) int {
	if descriptors == 0 {
		return conversationLimit
	}
	return min(max(descriptors/4, minConversations), conversationLimit)
}

// maxConnections is how many connections the front door keeps open, in a process that may have so many files open; 0 means not known.
// One third leaves room for the database, the audit log and the connections to Twilio, which must not run out of descriptors.
func maxConnections(descriptors int) int {
	if descriptors == 0 {
		return defaultConnections
	}
	return min(max(descriptors/3, minConnections), defaultConnections)
}
