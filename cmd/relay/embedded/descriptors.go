package embedded

// The bounds of maxConnections.
const (
	minConnections     = 16
	defaultConnections = 512
)

// maxConnections is how many connections the front door holds, of a process that may have so many files open; 0 is not known.
// A third leaves room for the database, the audit log and the connections to Twilio, which must not run out of descriptors.
func maxConnections(descriptors int) int {
	if descriptors == 0 {
		return defaultConnections
	}
	return min(max(descriptors/3, minConnections), defaultConnections)
}
