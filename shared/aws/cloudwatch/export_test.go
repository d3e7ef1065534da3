package cloudwatch

// NewOn returns the log over a client of the test's own.
func NewOn(client api, c Config) *Log { return newLog(client, c) }

// SearchPages is how many pages a search reads at the most, SearchTimeout how long it takes.
const (
	SearchPages   = searchPages
	SearchTimeout = searchTimeout
)

// NewTrailOn returns the trail over a client of the test's own.
func NewTrailOn(client searching, group string) *Trail { return &Trail{client: client, group: group} }
