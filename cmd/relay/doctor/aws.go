package doctor

import (
	"context"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/doctor/alarms"
	"quickdumpnow.com/smsrelay/cmd/relay/doctor/lambda"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
)

// AWS is what the checks need of the relay on AWS. Errors are *fault.Error.
type AWS struct {
	// QueueName is the queue's name without .fifo; the names of the other queues begin with it.
	QueueName string
	// RoutingTable, LedgerTable and ConversationsTable are the tables' names.
	RoutingTable, LedgerTable, ConversationsTable string
	// AuthTokenSecret and APIKeySecret are the secrets' names or ARNs; the second may be empty.
	AuthTokenSecret, APIKeySecret string

	// Queue describes a queue, Table a table.
	Queue func(ctx context.Context, name string) (sqs.Settings, error)
	Table func(ctx context.Context, name string) (dynamo.Description, error)
	// BackedUp says whether a table can be restored to any moment of the last weeks.
	BackedUp func(ctx context.Context, name string) (bool, error)
	// CheckSecrets reads the secrets and says what is wrong with them; ChangedAt says when one got its value.
	CheckSecrets func(ctx context.Context) error
	ChangedAt    func(ctx context.Context, secret string) (time.Time, error)

	Functions Functions
	Watch     Watch
}

// Functions is what the checks need of Lambda.
type Functions interface {
	Mappings(ctx context.Context, source string) ([]lambda.Mapping, error)
	Reserved(ctx context.Context, function string) (limit int, set bool, err error)
}

// Watch is what the checks need of CloudWatch and SNS.
type Watch interface {
	OfQueue(ctx context.Context, queue string) ([]alarms.Alarm, error)
	Subscribers(ctx context.Context, topic string) (confirmed, unconfirmed int, err error)
	IteratorAge(ctx context.Context, function string, since, until time.Time) (age time.Duration, known bool, err error)
}

func stackChecks() []Check {
	return []Check{
		{
			"queue-settings", "A queue without order mixes up a conversation; a batch that the queue shows again too early is processed twice.",
			onAWS, queueSettings,
		},
		{"dead-letter-queue", "If the queue deletes a letter too early, nobody can move it back.", onAWS, deadLetterQueue},
		{"redrive-policy", "A message that crashes the sender would come back for ever; a message that only waits must not become a dead " +
			"letter.", onAWS, redrivePolicy},
		{"timer-queue", "The timer queue moves texts on to the next phone. Without it a text stays with a phone that is off.", onAWS, timerQueue},
		{"table-keys", "Without its key and its indexes the relay cannot search a table.", onAWS, tableKeys},
		{"ledger-ttl", "Without it the ledger keeps for ever what customers wrote.", onAWS, ledgerTTL},
		{"table-backups", "Without point-in-time recovery, data deleted by mistake is lost.", onAWS, tableBackups},
		{
			"table-streams", "The audit log is made from the tables' streams. If a stream does not show a change, the log does not have it.", onAWS,
			tableStreams,
		},
		{"event-source-mappings", "If a mapping is off, texts wait, or the audit log gets no new entries.", onAWS, mappings},
		{"concurrency", "If the pollers give a function more than its limit, AWS refuses the rest, and each refusal uses up one receive of a " +
			"text.", onAWS, concurrency},
		{"secrets-shape", "If a secret has the wrong form, the functions cannot start.", onAWS, secretsShape},
		{"secrets-age", "Everybody who ever left the business may still know a token that was never replaced.", onAWS, secretsAge},
		{"alarm-subscribers", "An alarm helps only if somebody receives it.", onAWS, alarmSubscribers},
	}
}

const fixStack = "deploy the stack again with sam deploy; aws cloudformation detect-stack-drift shows what was changed by hand"

// unasked is what a check says if AWS did not answer.
func unasked(what string, err error) Finding {
	return Finding{
		Status: Fail, Found: what + " could not be checked: " + err.Error(),
		Fix: "check that it exists, that the profile may describe it, and that the names are the stack's parameters",
	}
}

// The template's values: the visibility timeout is six times the sender's time limit.
const (
	minVisibility  = 180 * time.Second
	minRetention   = 4 * 24 * time.Hour
	minMaxReceives = 100
)

func queueSettings(ctx context.Context, e *exam) Finding {
	q, err := e.AWS.Queue(ctx, e.AWS.QueueName+".fifo")
	switch {
	case err != nil:
		return unasked("the queue", err)
	case !q.FIFO:
		return fail(fixStack, "the queue is not FIFO")
	case q.Visibility < minVisibility:
		return fail(fixStack, "the queue shows a message again after %s, but the sender may need 30s for each message of a batch", q.Visibility)
	case q.Retention > 0 && q.Retention < minRetention:
		return warn(fixStack, "the queue deletes messages after %s", q.Retention)
	case !q.Encrypted:
		return warn(fixStack, "the queue is not encrypted")
	default:
		return ok("FIFO, hidden for %s, kept for %s, encrypted", q.Visibility, q.Retention)
	}
}

func deadLetterQueue(ctx context.Context, e *exam) Finding {
	q, err := e.AWS.Queue(ctx, e.AWS.QueueName+".fifo")
	if err != nil {
		return unasked("the queue", err)
	}
	dead, err := e.AWS.Queue(ctx, e.AWS.QueueName+"-dead.fifo")
	switch {
	case err != nil:
		return unasked("the dead-letter queue", err)
	case !dead.FIFO:
		return fail(fixStack, "the dead-letter queue is not FIFO, but the queue is: both must be FIFO")
	case dead.Retention > 0 && dead.Retention <= q.Retention:
		return warn(fixStack, "the dead-letter queue deletes letters after %s, the queue after %s", dead.Retention, q.Retention)
	default:
		return ok("FIFO, kept for %s", dead.Retention)
	}
}

func redrivePolicy(ctx context.Context, e *exam) Finding {
	return e.redriven(ctx, e.AWS.QueueName+".fifo", e.AWS.QueueName+"-dead.fifo")
}

// redriven checks where a queue's messages go that come again and again.
func (e *exam) redriven(ctx context.Context, name, to string) Finding {
	q, err := e.AWS.Queue(ctx, name)
	if err != nil {
		return unasked("the queue "+name, err)
	}
	dead, err := e.AWS.Queue(ctx, to)
	switch {
	case err != nil:
		return unasked("the queue "+to, err)
	case q.DeadLetters == "":
		return fail(fixStack, "%s has no dead-letter queue for messages that come again and again", name)
	case q.DeadLetters != dead.ARN:
		return fail(fixStack, "messages of %s that come again and again do not go to %s", name, to)
	case q.MaxReceives < minMaxReceives:
		return fail(fixStack, "%s gives up a message after it was received %d times; waiting counts, too", name, q.MaxReceives)
	default:
		return ok("to %s after it was received %d times", to, q.MaxReceives)
	}
}

func timerQueue(ctx context.Context, e *exam) Finding {
	q, err := e.AWS.Queue(ctx, e.AWS.QueueName+"-timers")
	switch {
	case err != nil:
		return unasked("the timer queue", err)
	case q.Visibility < minVisibility:
		return fail(fixStack, "the timer queue shows a message again after %s", q.Visibility)
	default:
		return e.redriven(ctx, e.AWS.QueueName+"-timers", e.AWS.QueueName+"-timers-dead")
	}
}

// described is one of the tables as it is, and as it must be.
type described struct {
	name   string
	is     dynamo.Description
	wanted dynamo.TableSchema
}

// ofTables checks each table and joins the findings into one.
func (e *exam) ofTables(ctx context.Context, check func(described) Finding) Finding {
	var findings []Finding
	for name, schema := range map[string]dynamo.TableSchema{
		e.AWS.RoutingTable:       dynamo.RoutesSchema(),
		e.AWS.LedgerTable:        dynamo.LedgerSchema(),
		e.AWS.ConversationsTable: dynamo.ConversationsSchema(),
	} {
		table, err := e.AWS.Table(ctx, name)
		if err != nil {
			findings = append(findings, unasked("the table "+name, err))
			continue
		}
		findings = append(findings, check(described{name, table, schema}))
	}
	return together(findings)
}

func tableKeys(ctx context.Context, e *exam) Finding {
	return e.ofTables(ctx, func(t described) Finding {
		if t.is.Key != t.wanted.Key {
			return fail("docs/deploy.md, Tables that are there already, says what a table needs", "the key of %s is %q, not %q", t.name, t.is.Key,
				t.wanted.Key)
		}
		if t.is.SortKey != t.wanted.SortKey {
			return fail("docs/deploy.md, Tables that are there already, says what a table needs", "the sort key of %s is %q, not %q", t.name,
				t.is.SortKey, t.wanted.SortKey)
		}
		for _, index := range t.wanted.Indexes {
			if !slices.Contains(t.is.Indexes, index.Name) {
				return fail("docs/deploy.md, Tables that are there already, says what a table needs", "%s has no ready index %s", t.name, index.Name)
			}
		}
		return ok("the tables have their keys and indexes")
	})
}

func ledgerTTL(ctx context.Context, e *exam) Finding {
	t, err := e.AWS.Table(ctx, e.AWS.LedgerTable)
	wanted := dynamo.LedgerSchema().TTLAttribute
	switch {
	case err != nil:
		return unasked("the ledger", err)
	case t.TTLAttribute != wanted:
		return fail("aws dynamodb update-time-to-live --table-name TABLE --time-to-live-specification Enabled=true,AttributeName="+wanted,
			"the ledger's texts do not expire by %s", wanted)
	default:
		return ok("by %s", wanted)
	}
}

func tableBackups(ctx context.Context, e *exam) Finding {
	findings := []Finding{ok("the tables can be restored to any moment of the last weeks")}
	for _, name := range []string{e.AWS.RoutingTable, e.AWS.LedgerTable, e.AWS.ConversationsTable} {
		switch backed, err := e.AWS.BackedUp(ctx, name); {
		case err != nil:
			findings = append(findings, unasked("the backups of "+name, err))
		case !backed:
			findings = append(findings, fail("aws dynamodb update-continuous-backups --table-name TABLE --point-in-time-recovery-specification "+
				"PointInTimeRecoveryEnabled=true", "%s has no point-in-time recovery", name))
		}
	}
	return together(findings)
}

func tableStreams(ctx context.Context, e *exam) Finding {
	return e.ofTables(ctx, func(t described) Finding {
		if t.is.StreamViewType != t.wanted.StreamViewType {
			return fail("aws dynamodb update-table --table-name TABLE --stream-specification "+
				"StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES, then sam deploy with its new ARN", "the stream of %s shows %q, not %s", t.name,
				t.is.StreamViewType, t.wanted.StreamViewType)
		}
		return ok("the streams show old and new images")
	})
}
