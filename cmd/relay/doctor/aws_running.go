package doctor

import (
	"context"
	"strings"
	"time"
)

// sources returns the ARNs of what the functions poll and read, by what people call them.
func (e *exam) sources(ctx context.Context) (map[string]string, error) {
	found := map[string]string{}
	for what, name := range map[string]string{"the queue": e.AWS.QueueName + ".fifo", "the timer queue": e.AWS.QueueName + "-timers"} {
		q, err := e.AWS.Queue(ctx, name)
		if err != nil {
			return nil, err
		}
		found[what] = q.ARN
	}
	for what, name := range map[string]string{
		"the ledger's stream": e.AWS.LedgerTable, "the routing table's stream": e.AWS.RoutingTable,
		"the conversations' stream": e.AWS.ConversationsTable,
	} {
		t, err := e.AWS.Table(ctx, name)
		if err != nil {
			return nil, err
		}
		found[what] = t.StreamARN
	}
	return found, nil
}

func mappings(ctx context.Context, e *exam) Finding {
	sources, err := e.sources(ctx)
	if err != nil {
		return unasked("what the functions read", err)
	}
	var findings []Finding
	for what, arn := range sources {
		found, err := e.AWS.Functions.Mappings(ctx, arn)
		switch {
		case err != nil:
			findings = append(findings, unasked("the mappings of "+what, err))
		case len(found) == 0:
			findings = append(findings, fail(fixStack, "no function reads %s", what))
		default:
			for _, m := range found {
				if m.State != "Enabled" {
					findings = append(findings, fail("aws lambda update-event-source-mapping --enabled --uuid UUID; list-event-source-mappings has the "+
						"UUID", "the mapping of %s is %s (%s)", what, m.State, m.Reason))
				}
			}
		}
	}
	if len(findings) == 0 {
		return ok("all %d are enabled", len(sources))
	}
	return together(findings)
}

// concurrency compares how many batches the pollers of a function may give it at once with how many of it may run.
func concurrency(ctx context.Context, e *exam) Finding {
	sources, err := e.sources(ctx)
	if err != nil {
		return unasked("what the functions read", err)
	}
	handedOut := map[string]int{}
	for _, what := range []string{"the queue", "the timer queue"} {
		found, err := e.AWS.Functions.Mappings(ctx, sources[what])
		if err != nil {
			return unasked("the mappings of "+what, err)
		}
		for _, m := range found {
			if m.MaximumConcurrency == 0 {
				return warn(fixStack, "the pollers of %s have no limit", what)
			}
			handedOut[m.FunctionARN] += m.MaximumConcurrency
		}
	}
	for function, most := range handedOut {
		limit, set, err := e.AWS.Functions.Reserved(ctx, function)
		switch {
		case err != nil:
			return unasked("the concurrency of "+nameOf(function), err)
		case set && limit < most:
			return fail(fixStack, "%s may run %d times at once, but its pollers hand out %d", nameOf(function), limit, most)
		}
	}
	return ok("no function gets more than it may run")
}

// nameOf returns the function's name in its ARN.
func nameOf(function string) string {
	return function[strings.LastIndexByte(function, ':')+1:]
}

const fixSecret = `put the right JSON into the secret with aws secretsmanager put-secret-value: {"accountSid","authToken"}, or for the ` +
	`API key {"accountSid","apiKeySid","apiKeySecret"}; name the secrets with --auth-token-secret and --api-key-secret`

func secretsShape(ctx context.Context, e *exam) Finding {
	if err := e.AWS.CheckSecrets(ctx); err != nil {
		return fail(fixSecret, "%v", err)
	}
	return ok("Twilio's secrets have the right form and belong to one account")
}

// maxSecretAge is how old a secret may become before someone should think of replacing it.
const maxSecretAge = 365 * 24 * time.Hour

func secretsAge(ctx context.Context, e *exam) Finding {
	var findings []Finding
	for _, secret := range []string{e.AWS.AuthTokenSecret, e.AWS.APIKeySecret} {
		if secret == "" {
			continue
		}
		at, err := e.AWS.ChangedAt(ctx, secret)
		age := e.Now().Sub(at)
		switch {
		case err != nil:
			findings = append(findings, skipped("the age of %s could not be read: %v", secret, err))
		case age > maxSecretAge:
			findings = append(findings, warn("make a new one at Twilio, put it into the secret, then delete the old one: the relay sends refused "+
				"texts with the new one", "%s is %d days old", secret, int(age.Hours()/24)))
		default:
			findings = append(findings, ok("younger than a year"))
		}
	}
	return together(findings)
}

// alarmSubscribers checks the alarms on the dead-letter queue, and who receives them.
func alarmSubscribers(ctx context.Context, e *exam) Finding {
	const fix = "sam deploy with the parameter AlarmEmail, or aws sns subscribe; then confirm what AWS sends to that address"
	found, err := e.AWS.Watch.OfQueue(ctx, e.AWS.QueueName+"-dead.fifo")
	if err != nil {
		return unasked("the alarms", err)
	}
	if len(found) == 0 {
		return fail(fixStack, "no alarm watches the dead-letter queue")
	}
	for _, alarm := range found {
		if len(alarm.Topics) == 0 {
			return fail(fixStack, "the alarm %s notifies nobody, or its actions are switched off", alarm.Name)
		}
		for _, topic := range alarm.Topics {
			confirmed, unconfirmed, err := e.AWS.Watch.Subscribers(ctx, topic)
			switch {
			case err != nil:
				return unasked("who receives the alarms", err)
			case confirmed == 0 && unconfirmed > 0:
				return fail(fix, "nobody has confirmed the subscription to the alarms")
			case confirmed == 0:
				return fail(fix, "nobody has subscribed to the alarms")
			}
		}
	}
	return ok("somebody receives them")
}

// streamAge says how far behind the audit log is on AWS.
func streamAge(ctx context.Context, e *exam) Finding {
	table, err := e.AWS.Table(ctx, e.AWS.LedgerTable)
	if err != nil {
		return unasked("the ledger", err)
	}
	found, err := e.AWS.Functions.Mappings(ctx, table.StreamARN)
	if err != nil {
		return unasked("the mappings of the ledger's stream", err)
	}
	if len(found) == 0 {
		return skipped("no function reads the ledger's stream, see event-source-mappings")
	}
	age, known, err := e.AWS.Watch.IteratorAge(ctx, nameOf(found[0].FunctionARN), e.Now().Add(-15*time.Minute), e.Now())
	if err != nil {
		return unasked("how far behind the audit log is", err)
	}
	return behind(age, !known, "docs/runbook.md, audit-failures and stream-audit-errors")
}
