// Package datafolder names what is in the data folder of a relay on one host: the files, and the queues in the database. `relay serve`
// makes them, and every command on the folder finds them by these names. It opens nothing; how much room its disk has it can say.
package datafolder

import "quickdumpnow.com/smsrelay/shared/onehost/sqlite"

// The names of the files in the folder.
const (
	DatabaseFile = "relay.db"
	AuditFile    = "audit.jsonl"
	// MediaFolder has the pictures and other attachments that are on their way.
	MediaFolder = "media"
	// NotifyFile has what people were told.
	NotifyFile = "notify.json"
	// CertificatesFolder has the keys and certificates of the relay's own domains.
	CertificatesFolder = "certificates"
	// UsersFolder has the people who may sign in to the console, SessionsFile who is signed in.
	UsersFolder  = "users"
	SessionsFile = "sessions.json"
	// AuditFailures has the changes that could not be written as an audit entry.
	AuditFailures = "audit-failures"
	// BackupFile says how it stands with the backups, RestoredFile from which backup the folder was restored, CatchUpFile whether the relay
	// has asked Twilio since what it missed.
	BackupFile   = "backup.json"
	RestoredFile = "restored.json"
	CatchUpFile  = "catch-up.json"
	// ReplicaFile says how it stands with the replica, and ReplicaFolder has what was not copied there yet.
	ReplicaFile   = "replica.json"
	ReplicaFolder = "replica"
	// ExportedFile says that the relay has moved to AWS, or is about to.
	ExportedFile = "exported.json"
	// ForgottenFile says, after a restore, which customers were forgotten since the backup; where the backups are, it says who ever was.
	ForgottenFile = "forgotten.json"
)

// The names of the queues in the database.
const (
	QueueName       = "qdn-sms.fifo"
	DeadLettersName = "qdn-sms-dead.fifo"
	TimersName      = "qdn-sms-timers"
	// DeadTimersName is for timers that crash the process each time.
	DeadTimersName = "qdn-sms-timers-dead"
)

// maxReceiveCount is the limit for a text that crashes the process each time. It is high because waiting counts as a receive, too.
const maxReceiveCount = 100_000

// InboxConfig is the configuration of the queue.
func InboxConfig() sqlite.QueueConfig {
	return sqlite.QueueConfig{MaxReceiveCount: maxReceiveCount, DeadLetter: DeadLettersName}
}

// TimersConfig is the configuration of the queue of timers.
func TimersConfig() sqlite.QueueConfig {
	return sqlite.QueueConfig{Standard: true, MaxReceiveCount: maxReceiveCount, DeadLetter: DeadTimersName}
}
