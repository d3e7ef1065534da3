package dynamo

// The names of the ledger's indexes.
const (
	// IndexByCustomer finds a customer's texts, newest first.
	IndexByCustomer = "ByCustomer"
	// IndexByTwilioNumber finds the texts to a Twilio number, newest first.
	IndexByTwilioNumber = "ByTwilioNumber"
	// IndexByStateDay finds the texts in a state that came on one day of UTC, newest first. A partition for each state would
	// grow for ever and get all writes of that state; a partition for each day does not.
	IndexByStateDay = "ByStateDay"
)

// The attributes of the ledger's items that tables and indexes are made of. StateDay and ReceivedKey are this
// package's own: "<State>#<yyyy-mm-dd>", and ledger.SortKey of ReceivedAt, a space and MessageSid. The others are
// fields of ledger.Record and route.Route.
const (
	attrMessageSid   = "MessageSid"
	attrTwilioNumber = "TwilioNumber"
	attrCustomer     = "Customer"
	attrVersion      = "Version"
	attrExpiresAt    = "ExpiresAt"
	attrStateDay     = "StateDay"
	attrReceivedKey  = "ReceivedKey"
	attrItem         = "Item"
)

// TableSchema describes what a table of the relay must have. Every key attribute is a string, and billing is on demand.
type TableSchema struct {
	// Key is the partition key, SortKey the sort key; empty if the table has none.
	Key     string
	SortKey string
	// Indexes are the global secondary indexes.
	Indexes []IndexSchema
	// TTLAttribute holds the second since 1970 at which an item expires; empty if items do not.
	TTLAttribute string
	// StreamViewType is what the change stream shows of each change; empty if the table has none.
	StreamViewType string
}

// IndexSchema is a global secondary index.
type IndexSchema struct {
	Name         string
	PartitionKey string
	SortKey      string
	// Projection is "KEYS_ONLY": the items themselves are read from the table, where they are up to date.
	Projection string
}

// LedgerSchema returns the schema of the ledger's table, qdn-sms-audit.
func LedgerSchema() TableSchema {
	index := func(name, partition string) IndexSchema {
		return IndexSchema{Name: name, PartitionKey: partition, SortKey: attrReceivedKey, Projection: "KEYS_ONLY"}
	}
	return TableSchema{
		Key: attrMessageSid,
		Indexes: []IndexSchema{
			index(IndexByCustomer, attrCustomer),
			index(IndexByTwilioNumber, attrTwilioNumber),
			index(IndexByStateDay, attrStateDay),
		},
		TTLAttribute:   attrExpiresAt,
		StreamViewType: "NEW_AND_OLD_IMAGES",
	}
}

// RoutesSchema returns the schema of the routing table, qdn-sms-routing.
func RoutesSchema() TableSchema {
	return TableSchema{Key: attrTwilioNumber, StreamViewType: "NEW_AND_OLD_IMAGES"}
}

// PaceSchema returns the schema of the pace table, qdn-sms-pace. Its items are useful for minutes only: nobody follows its
// changes, and there is nothing to restore.
func PaceSchema() TableSchema {
	return TableSchema{Key: attrTwilioNumber, TTLAttribute: attrExpiresAt}
}

// ConversationsSchema returns the schema of the conversations' table, qdn-sms-conversations. Nothing in it expires.
func ConversationsSchema() TableSchema {
	return TableSchema{Key: attrTwilioNumber, SortKey: attrItem, StreamViewType: "NEW_AND_OLD_IMAGES"}
}
