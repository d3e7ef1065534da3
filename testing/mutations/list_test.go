package mutations_test

import "slices"

// mutation is a safeguard that is taken away, and the test that has to notice: its package and a pattern of its name.
type mutation struct{ name, file, old, broken, where, noticed string }

func all() []mutation {
	return slices.Concat(ofTheQueue(), ofTheDisk(), ofTime(), ofTheDoors(), ofSpeed(), ofTheSender(), ofAnswers(), ofRings(), ofTheRare())
}

// ofTheQueue are safeguards of SQLite's queues.
func ofTheQueue() []mutation {
	return []mutation{
		{
			"a failed commit counts as done",
			"shared/onehost/sqlite/writer.go", "err = classifyCommit(fault.Of(err).Err)", "err = nil",
			"./shared/onehost/sqlite", "TestFailedCommit",
		},
		{
			"a write that fails takes the others of its transaction with it",
			"shared/onehost/sqlite/writer.go", "if !hasFailed || len(batch) == 1 {", "if !hasFailed || len(batch) >= 1 {",
			"./shared/onehost/sqlite", "TestWritesThatWaitShareATransaction",
		},
		{
			"a transaction that fails keeps that the clock was followed",
			"shared/onehost/sqlite/writer.go", "w.db.wrote = wrote", "_ = wrote",
			"./shared/onehost/sqlite", "TestAClockSetBackWhileAWriteFails",
		},
		{
			"a receipt handle of another queue holds",
			"shared/onehost/sqlite/queue_settle.go", "queue_messages.lane AND queue = ?4)", "queue_messages.lane AND ?4 IS NOT NULL)",
			"./shared/onehost/sqlite", "TestQueue$",
		},
		{
			"a message shows a part of a millisecond early",
			"shared/onehost/sqlite/tx.go", "now.Add(hidden + time.Millisecond - 1).UnixMilli()", "now.Add(hidden).UnixMilli()",
			"./shared/onehost/sqlite", "TestNothingShowsBeforeItsTime",
		},
		{
			"the write-ahead log keeps its greatest size",
			"shared/onehost/sqlite/writer.go", `pragmas = append(pragmas, "journal_size_limit(67108864)")`, "",
			"./shared/onehost/sqlite", "TestPragmas",
		},
		{
			"the lock is given up before the last write",
			"shared/onehost/sqlite/db.go", "errors.Join(db.reader.close(), db.writer.close(), db.lock.release())",
			"errors.Join(db.lock.release(), db.reader.close(), db.writer.close())",
			"./shared/onehost/sqlite", "TestCloseKeepsOthersOut",
		},
		{
			"a bell forgets the earlier of two times",
			"shared/onehost/sqlite/bell.go", "if !b.due.IsZero() && !at.Before(b.due) {", "if false {",
			"./shared/onehost/sqlite", "TestBellRingsAtTheEarlier",
		},
		{
			"what was in flight at the end stays hidden at the start",
			"cmd/relay/serve/onehost/relay.go", "r.db.ReleaseInFlight(ctx)", "error(nil)",
			"./cmd/relay/serve/onehost", "TestRelayTakesUpWhatWasInFlight",
		},
	}
}

// ofTheDisk are safeguards of files.
func ofTheDisk() []mutation {
	return []mutation{
		{
			"a long line of the audit log hides which text it is about",
			"shared/onehost/jsonlines/parts.go", "p.isOdd = true // The field may be in two pieces.", "_ = err",
			"./shared/onehost/jsonlines", "TestTrailReadsLongLines",
		},
		{
			"a new folder is not synced",
			"shared/onehost/durable/durable.go", "	return d.SyncFolder(parent)\n", "	return nil\n",
			"./shared/onehost/sqlite", "TestOpenSyncsFolders",
		},
		{
			"the database's folder is not synced",
			"shared/onehost/sqlite/db.go", "disk.SyncFolder(filepath.Dir(path))", "error(nil)",
			"./shared/onehost/sqlite", "TestOpenSyncsFolders",
		},
		{
			"a file gets its name before its words are synced",
			"shared/onehost/durable/durable.go", "		err = d.syncFile(file)\n", "		err = nil\n",
			"./shared/onehost/durable", "TestWriteFile$",
		},
		{
			"a change is set aside where everybody may read it",
			"shared/onehost/durable/durable.go", "os.Mkdir(path, 0o700)", "os.Mkdir(path, 0o755)",
			"./cmd/relay/serve/onehost", "TestSetAside",
		},
	}
}

// ofTime are safeguards against clocks, and for what is to happen at a time.
func ofTime() []mutation {
	return []mutation{
		{
			"nothing expires",
			"cmd/relay/serve/onehost/expiry.go", "		e.forget(ctx)\n", "",
			"./cmd/relay/serve/onehost", "TestExpiryRuns",
		},
		{
			"the relay does not start the expiry",
			"cmd/relay/serve/onehost/relay.go", "	workers.Go(func() error { return old.run(working) })\n", "	_ = old\n",
			"./cmd/relay/serve/onehost", "TestRelayForgetsOldRecords",
		},
		{
			"the relay does not look after its audit log",
			"cmd/relay/serve/onehost/audit_log.go", "			err = log.Check()\n", "",
			"./cmd/relay/serve/onehost", "TestAuditFilesAreLookedAfter",
		},
		{
			"records expire by a clock that jumped",
			"shared/onehost/sqlite/expire.go", "if steady < expirySteady {", "if false {",
			"./shared/onehost/sqlite", "TestExpireByAClockThatJumps",
		},
		{
			"most records may expire at once",
			"shared/onehost/sqlite/expire.go", "|| due <= all/expiryShare {", "|| true {",
			"./shared/onehost/sqlite", "TestExpireByAClockThatJumps",
		},
		{
			"a clock ahead holds the queues up",
			"shared/onehost/sqlite/writer.go", "t.follow(ctx, w.db.now().UTC().Round(0))", "error(nil)",
			"./shared/onehost/sqlite", "TestQueuesFollowAClockThatIsSetBack",
		},
		{
			"a clock ahead holds the pace up",
			"shared/pace/state.go", "if clock.Ahead(made, now) {", "if clock.Ahead(made, now) && made.IsZero() {",
			"./shared/onehost/sqlite", "TestPace$",
		},
		{
			"a rate's interval is rounded down",
			"shared/pace/limit.go", "(l.Per + time.Duration(l.N-1)) / time.Duration(l.N)", "l.Per / time.Duration(l.N)",
			"./shared/pace", "TestBookOverALongTime",
		},
	}
}

// ofSpeed are safeguards of what is quick because it keeps something for the next one.
func ofSpeed() []mutation {
	return []mutation{
		{
			"a check keeps what the one before it signed",
			"shared/twilio/signature/validator.go", "c.tail = append(c.tail[:0], r.Path...)", "c.tail = append(c.tail, r.Path...)",
			"./shared/twilio/signature", "TestValidateSeveralBaseURLsAndTokens",
		},
		{
			"a parameter that is there twice is signed twice",
			"shared/twilio/signature/form.go", "if i > 0 && !r.before(&r.parameters[i-1], &p) {", "if i > len(r.parameters) {",
			"./shared/twilio/signature", "TestOrderOfSigning",
		},
		{
			"names that begin alike are signed as they come",
			"shared/twilio/signature/form.go", "return r.beforeAlike(p, q)\n", "return false\n",
			"./shared/twilio/signature", "TestOrderOfSigning",
		},
		{
			"a call's header is written before its body",
			"shared/aws/awsclient/whole.go", "r.ContentLength > 0 && r.ContentLength <= maxWhole", "false",
			"./shared/aws/awsclient", "TestShortBodiesAreWrittenWithTheirHeaders",
		},
		{
			"each change is audited on its own",
			"shared/onehost/eventsource/stream.go", "if done < s.BatchSize {", "if done < 0 {",
			"./shared/onehost/eventsource", "TestStreamRestsAfterABatchThatWasNotFull",
		},
		{
			"a request may get a connection that nobody has used for long",
			"shared/aws/awsclient/ahead.go", "if d.now().Sub(one.at).Abs() < maxAhead {", "if true {",
			"./shared/aws/awsclient", "TestNoUseOfAConnectionAhead",
		},
	}
}

// ofTheDoors are safeguards of what talks to the world.
func ofTheDoors() []mutation {
	return []mutation{
		{
			"a MessageSid may be of small letters",
			"functions/ingest/webhook/form.go", `strings.Trim(letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")`,
			`strings.Trim(letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")`,
			"./functions/ingest/webhook", "TestUnparsable",
		},
		{
			"a form may have 100,000 parameters",
			"shared/twilio/signature/form.go", "const maxParameters = 1000\n", "const maxParameters = 100000\n",
			"./shared/twilio/signature", "Form",
		},
		{
			"HTTP/2 is spoken to Twilio",
			"shared/twilio/transport.go", "	protocols.SetHTTP1(true)\n", "	protocols.SetHTTP1(true)\n	protocols.SetHTTP2(true)\n",
			"./shared/twilio", "TestTransportSpeaksHTTP11",
		},
		{
			"a function says who may read its answer",
			"shared/onehost/httpapi/payload.go", `strings.HasPrefix(strings.ToLower(name), "access-control-")`, `name == ""`,
			"./shared/onehost/httpapi", "TestFunctionsSayNothingOfCORS",
		},
		{
			"a failed reading of a secret does not count as one",
			"shared/aws/secrets/kept.go", "	k.readAt = k.now()\n	read, err := k.read(ctx)\n",
			"	read, err := k.read(ctx)\n	if err == nil {\n		k.readAt = k.now()\n	}\n",
			"./shared/aws/secrets", "TestKeptSecretThatCannotBeRead",
		},
		{
			"a blank token is a token",
			"shared/aws/secrets/secrets.go", `t.AccountSid == "" || t.AuthToken == ""`, `t.AccountSid == ""`,
			"./shared/aws/secrets", ".",
		},
		{
			"a client may take for ever",
			"cmd/relay/serve/onehost/door.go", ", ReadTimeout: 15 * time.Second,", ",",
			"./cmd/relay/serve/onehost", "TestSlowClientsAreCut",
		},
	}
}

// ofTheSender are safeguards of the handlers.
func ofTheSender() []mutation {
	return []mutation{
		{
			"a text is parked at the first look after a standstill",
			"functions/sender/delivery/look.go", " || looks(j.record) < leastTries {", " {",
			"./functions/sender/delivery", "TestListIsUnreadableAfterAStandstill",
		},
		{
			"the entry of a change set aside is dated like the change",
			"functions/stream-audit/audit/set_aside.go", "Time: ledger.Stamp(h.config.Now())",
			"Time: ledger.Stamp(record.Change.ApproximateCreationDateTime.Time)",
			"./functions/stream-audit/audit", "TestEntryThatTheLogNeverTakes",
		},
	}
}

// ofAnswers are safeguards of whom an answer is for that the simulation cannot notice.
func ofAnswers() []mutation {
	return []mutation{
		{
			"a further text goes where the one before went, though another customer wrote since",
			"shared/conversation/view.go", "case !e.SentAt.Before(v.LastAt.Add(-bubbleLead - skew)), e.isPending(at):",
			"case e.isPending(at) && bubbleLead == 0:",
			"./shared/conversation", "TestAddress$",
		},
		{
			"answers that wait for a place all go when there is one",
			"functions/sender/delivery/pingpong.go", "if !j.text.Answer.IsUncounted || len(j.text.Attempts) > 0 {", "if true {",
			"./functions/sender/delivery", "TestAnswersBeyondTheBoundGoOneByOne",
		},
		{
			"what a phone writes in a thread goes to its new customer at once",
			"shared/conversation/thread.go", "v.Reassigned && (!v.Confirmed ||", "false && (!v.Confirmed ||",
			"./shared/conversation", "TestAddressInAThread",
		},
		{
			"what follows words that went to nobody goes to whoever is in play",
			"shared/conversation/writing.go", "p.LastTag = w.Leading", "p.LastTag = \"\"",
			"./shared/conversation", "TestAfterWordsThatWentToNobody",
		},
		{
			"what follows a text to a customer of another thread goes to the customer of this one",
			"shared/conversation/answer.go", "!ok || a.View.wroteElsewhere(to, a.ReceivedAt)", "!ok",
			"./shared/conversation", "TestAddressInAThread",
		},
		{
			"what a phone was sent is read as it was a moment ago",
			"shared/aws/dynamo/table.go",
			"Key:            key,\n\t\tConsistentRead: aws.Bool(true),", "Key:            key,\n\t\tConsistentRead: aws.Bool(false),",
			"./shared/aws/dynamo", "TestConversationsOnFake$",
		},
		{
			"a conversation and its phones are read as they were a moment ago",
			"shared/aws/dynamo/table.go", "ConsistentRead: &consistent}}", "ConsistentRead: aws.Bool(consistent && false)}}",
			"./shared/aws/dynamo", "TestConversationsOnFake$",
		},
		{
			"a further bubble does not ask what another customer waits for",
			"shared/conversation/view.go", "bubbleLead - skew)), e.isPending(at):", "bubbleLead - skew)):",
			"./shared/conversation", "TestAddress$",
		},
		{
			"a customer's own header is not taken off what a person has copied",
			"shared/conversation/answer.go", "words = to.withoutHeader(words)", "_ = to.withoutHeader",
			"./shared/conversation", "TestAddress$",
		},
		{
			"words that begin like a reaction are one",
			"shared/sms/reaction.go", `if strings.TrimFunc(rest[end+size:], IsBlank) != "" {`, "if size == 0 {",
			"./shared/sms", "TestReactionOf$",
		},
		{
			"a tag is given to the next customer without a rest",
			"shared/conversation/tag_use.go", "now.Sub(use.UsedAt) >= tagRest {", "now.Sub(use.UsedAt) >= 0 {",
			"./shared/conversation", "TestChooseTag$",
		},
	}
}
