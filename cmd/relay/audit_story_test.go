package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// storyNoon is when the texts of the stories come in.
var storyNoon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// relayTexts writes two texts into the ledger of a data folder, as the sender does: the first is delivered, the second refused.
// relay serve then takes their changes into the audit log.
func relayTexts(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: texts FOLDER")
	}
	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(ts.MkAbs(args[0]), datafolder.DatabaseFile), time.Now)
	ts.Check(err)
	for n := range 2 {
		var before ledger.Record
		for _, after := range storyLife(n+1, storyNoon) {
			after.Version = before.Version
			after, err = auditlog.Seal(before, after)
			ts.Check(err)
			if before.Version == 0 {
				before, err = db.Ledger().Create(ctx, after)
			} else {
				before, err = db.Ledger().Update(ctx, after)
			}
			ts.Check(err)
		}
	}
	ts.Check(db.Close())
}

// storyLife returns the versions of a text's record.
func storyLife(n int, noon time.Time) []ledger.Record {
	at := noon.Add(time.Duration(n) * time.Minute)
	claimed, err := relaytest.Record(n, at).Claim("c1a1", 0, relaytest.Destination, time.Minute, at)
	if err != nil {
		panic(err) // a new record may always be claimed.
	}
	if n == 2 {
		refused := &fault.Error{Kind: fault.Permanent, Code: 21211, HTTPStatus: 400}
		failed, _, err := claimed.End(1, refused, ledger.Onward{To: ledger.Failed, Reason: ledger.ReasonRefused, HopDone: true},
			at.Add(time.Second))
		if err != nil {
			panic(err) // an open attempt may always end.
		}
		return []ledger.Record{claimed, failed}
	}
	sent, _ := claimed.Accept(1, relaytest.MessageSid(9), sms.StatusQueued, at.Add(time.Second))
	delivered, _ := sent.Apply(sms.Receipt{
		CallbackRef: sms.CallbackRef{Attempt: 1}, Sid: relaytest.MessageSid(9),
		Status: sms.StatusDelivered,
	}, ledger.Onward{}, at.Add(2*time.Second))
	return []ledger.Record{claimed, sent, delivered}
}

// relayTalk writes a conversation into a data folder, as the relay does: a tag, a name, then STOP and START. relay serve then takes
// the changes into the audit log.
func relayTalk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: talk FOLDER")
	}
	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(ts.MkAbs(args[0]), datafolder.DatabaseFile), time.Now)
	ts.Check(err)
	before := conversation.Conversation{
		TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer, ID: "AB3DEFGH2JKLMNOPQRSTUVWXYZ",
	}
	at := storyNoon
	put := func(edit func(*conversation.Conversation)) {
		wanted := before
		edit(&wanted)
		sealed, err := auditlog.SealConversation(before, wanted, at)
		ts.Check(err)
		before, err = db.Conversations().Put(ctx, sealed)
		ts.Check(err)
		at = at.Add(time.Minute)
	}
	put(func(c *conversation.Conversation) { c.Tag, c.TagUsedAt, c.TagVersion = "A47", at, 1 })
	put(func(c *conversation.Conversation) { c.Name = "Ann Miller" })
	for n, keyword := range []sms.Keyword{{Type: sms.OptOutStop, Word: "STOP"}, {Type: sms.OptOutStart, Word: "START"}} {
		put(func(c *conversation.Conversation) { *c, _, _ = c.Hear(keyword, relaytest.MessageSid(n+1), at) })
	}
	ts.Check(db.Close())
}
