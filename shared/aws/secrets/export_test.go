package secrets

// NewOn returns the vault over a client of the test's own.
func NewOn(client api, c Config) *Vault { return newVault(client, c) }
