package simulation_test

// againstWrongPeople are what keeps the answers of people on duty from other customers than those whom they are for, and what is the
// relay's own from all of them. What the simulation cannot notice, because nobody there breaks what is assumed of people, runs out of tags,
// or reads what another machine has not written yet, is in testing/mutations.
func againstWrongPeople() []mutation {
	return []mutation{
		{
			"last sender", "an answer without a tag goes to the customer who wrote last",
			[]edit{{"shared/conversation/answer.go", "if len(inPlay) == 1 && !isLate {", "if len(inPlay) > 0 {"}},
		},
		{
			"others' phones", "what other phones were sent and wrote counts as this phone's own",
			[]edit{{
				"shared/conversation/store.go", "return PrefixPhone + string(k.Sender()) + \"#\" + string(canonical)",
				"_ = canonical\n\treturn PrefixPhone + string(k.Sender())",
			}},
		},
		{
			"entry after the claim", "it is noted only after the POST that a phone was sent a text",
			[]edit{
				{
					"functions/sender/delivery/attempt.go",
					"if v := h.enter(ctx, j, at); v.stops() {\n\t\treturn v\n\t}\n\tif v := h.setTimer", "if v := h.setTimer",
				},
				{"functions/sender/delivery/attempt.go", "if j.head.isStale(h.config.Now()) {", "if false {"},
				{
					"functions/sender/delivery/attempt.go", "\th.relayed(ctx, j.text)\n",
					"\th.relayed(ctx, j.text)\n\t_ = h.enter(ctx, j, hop{p.To, p.Hop, j.from()})\n",
				},
			},
		},
		{
			"YES for START", "YES of a phone that gets texts is taken for START",
			[]edit{{"shared/plan/plan.go", "case mark != nil && way.IsOptedOut(q.Text.Customer):", "case mark != nil:"}},
		},
		{
			"unclaimed notices", "what a phone is told is posted without a claim",
			[]edit{{
				"functions/sender/delivery/attempt.go", "if _, v := h.claim(ctx, j, at); v.stops() {",
				"if j.text.Notice {\n\t\tunclaimed := ledger.Attempt{Number: 1, To: p.To}\n" +
					"\t\t_, _ = h.config.Messages.Create(ctx, h.outbound(j.text, unclaimed, p.Validity))\n\t\treturn done()\n\t}\n" +
					"\tif _, v := h.claim(ctx, j, at); v.stops() {",
			}},
		},
		{
			"a copied notice", "a customer reads what the relay has told a phone",
			[]edit{{
				"shared/conversation/answer.go",
				"if looksInternal(words) || a.View.quotesHeader(words) || elsewhere.quotesHeader(words) {", "if false {",
			}},
		},
		{
			"a reaction to a notice", "a customer reads the reaction to what the relay has told a phone",
			[]edit{{"functions/sender/delivery/answer.go", ", conversation.QuotesOurs(reaction.Quote):", ":"}},
		},
		{
			"an answer lost", "a phone is not told that its answer came to nothing",
			[]edit{{"functions/sender/delivery/notice.go", "if !r.IsAnswer() || r.Destination == \"\" || !isLost(r.State) {", "if true {"}},
		},
		{
			"words that end", "a phone is not told that held words were not sent",
			[]edit{{
				"functions/sender/delivery/carry_out.go", "if err == nil && a.Verdict == ledger.AnswerHeld {", "if err != nil {",
			}},
		},
		{
			"a thread at once", "a thread is given to another customer though something went back and forth there an hour ago",
			[]edit{{"shared/conversation/thread.go", "now.Sub(p.idleSince()) >= threadRest", "now.Sub(p.idleSince()) >= 0"}},
		},
		{
			"a thread taken", "two customers whose texts come at once are given the same thread",
			[]edit{{"functions/sender/delivery/introduce.go", "isTaken = j.head.isThread && ", "isTaken = false && j.head.isThread && "}},
		},
	}
}

// againstCuriosity are what keeps pictures, names and times right where people answer.
func againstCuriosity() []mutation {
	return []mutation{
		{
			"words for a picture", "the words of a text wait for a picture for ever",
			[]edit{{"functions/sender/delivery/attachments.go", "case h.mayWaitForMedia(j.since()):", "case true:"}},
		},
		{
			"a copy that is none", "a picture counts as kept though the store did not say so",
			[]edit{{"shared/media/keep.go", "return item, k.Store.Put(ctx, item, read)", "_ = k.Store.Put(ctx, item, read)\n\treturn item, nil"}},
		},
		{
			"a name over a tag", "a name is written over what others wrote about the customer meanwhile",
			[]edit{{
				"shared/auditlog/seal_conversation.go", "stored, err := PutConversation(ctx, store, c, edited, now())",
				"latest, _ := store.Get(ctx, number, customer)\n\t\tc.Version = latest.Version\n" +
					"\t\tstored, err := PutConversation(ctx, store, c, edited, now())",
			}},
		},
		{
			"an unsealed name", "a name is written without the audit log's hash",
			[]edit{{
				"shared/auditlog/seal_conversation.go", "stored, err := PutConversation(ctx, store, c, edited, now())",
				"stored, err := store.Put(ctx, edited)",
			}},
		},
	}
}
