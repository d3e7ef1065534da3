package cloudwatch

// NewOn returns the log over a client of the test's own.
func NewOn(client api, c Config) *Log { return newLog(client, c) }
