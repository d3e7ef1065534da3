// Package datafolder names what is in the data folder of a relay on one host: the files, and the queues in the database. `relay
// serve` makes them, and every command that works on the folder finds them by these names. It opens nothing.
package datafolder

import "quickdumpnow.com/smsrelay/shared/onehost/sqlite"

// The names of the files in the folder.
const (
	DatabaseFile = "relay.db"
	AuditFile    = "audit.jsonl"
)

// The names of the queues in the database.
const (
	QueueName       = "qdn-sms.fifo"
	DeadLettersName = "qdn-sms-dead.fifo"
	TimersName      = "qdn-sms-timers"
	// DeadTimersName takes timers that end the process each time they are handed out.
	DeadTimersName = "qdn-sms-timers-dead"
)

// maxReceiveCount is the backstop for a text that ends the process each time; waiting counts receives, too.
const maxReceiveCount = 100_000

// InboxConfig is how the queue behaves.
func InboxConfig() sqlite.QueueConfig {
	return sqlite.QueueConfig{MaxReceiveCount: maxReceiveCount, DeadLetter: DeadLettersName}
}

// TimersConfig is how the queue of timers behaves.
func TimersConfig() sqlite.QueueConfig {
	return sqlite.QueueConfig{Standard: true, MaxReceiveCount: maxReceiveCount, DeadLetter: DeadTimersName}
}
