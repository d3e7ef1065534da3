package simulation_test

import "slices"

// mutation is a safeguard that is taken away.
type mutation struct {
	name   string
	breaks string
	edits  []edit
}

// mutations lists the safeguards that the simulation must miss when they are gone.
func mutations() []mutation {
	return slices.Concat(againstDoubles(), againstLosses(), againstDisorder(), againstWrongRedrives(), againstUnsealed(), againstPeople(),
		againstWrongPeople(), againstWaiting(), againstHolding(), againstCuriosity())
}

// againstDoubles are what keeps texts from being sent twice, or too often.
func againstDoubles() []mutation {
	return []mutation{
		{
			"claim", "who did not get the claim goes on as if it had",
			[]edit{{
				"functions/sender/delivery/store.go", "ok = doubtful && writingOf(j.text, wanted).isOurs(stored)",
				"ok = !doubtful || writingOf(j.text, wanted).isOurs(stored)",
			}},
		},
		{
			"lease", "a claim is taken over while its holder may still post",
			[]edit{{"shared/ledger/step.go", "return r.due(StepDoubt, r.LeaseUntil, now)", "return StepDoubt, time.Time{}"}},
		},
		{
			"known sids", "a message that is known to be another text's is taken for this one's",
			[]edit{{"shared/reconcile/compare.go", "q.Known[a.OutboundSid] = true", "_ = q.Known"}},
		},
		{
			"unknown", "a POST whose answer was lost is repeated blindly",
			[]edit{
				{"shared/retry/retry.go", "case fault.Transient:\n\t\treturn Retry", "case fault.Transient, fault.Unknown:\n\t\treturn Retry"},
				{"shared/retry/retry.go", "case fault.Unknown:\n\t\treturn Unknown\n", ""},
			},
		},
		{
			"hop done", "a phone that was refused is tried again",
			[]edit{{
				"functions/sender/delivery/failed.go", "Reason: ledger.ReasonNextHop, NotBefore: now, HopDone: true}",
				"Reason: ledger.ReasonNextHop, NotBefore: now}",
			}},
		},
		{
			"delivery timeout", "the next phone is texted though Twilio says that the first has it",
			[]edit{{"functions/sender/delivery/timer.go", "if err != nil || !found.Status.Final() {", "if true {"}},
		},
		{
			"attempts", "there is no end to the attempts",
			[]edit{
				{"shared/retry/retry.go", "tried.Spent >= p.MaxAttempts", "tried.Spent > p.MaxAttempts"},
				{
					"functions/sender/delivery/attempt.go", "&& r.AttemptsSpentOn(last.To) >= h.config.Policy.MaxAttempts",
					"&& r.AttemptsSpentOn(last.To) > h.config.Policy.MaxAttempts",
				},
				{"shared/plan/plan.go", "q.Text.AttemptsSpentOn(hop) < q.MaxAttempts", "q.Text.AttemptsSpentOn(hop) <= q.MaxAttempts"},
			},
		},
		{
			"halt", "what an unusable account refuses counts as an attempt",
			[]edit{{"shared/ledger/record.go", "return !a.Spared && !slices.Contains(sparing(), a.Outcome)", "return true"}},
		},
	}
}

// againstLosses are what keeps texts, and what is known of them, from being lost.
func againstLosses() []mutation {
	return []mutation{
		{
			"window", "the list is searched for messages of the wrong time",
			[]edit{{"shared/reconcile/reconcile.go", "startedAt.Add(max(span*3/4, longest))", "startedAt.Add(-span)"}},
		},
		{
			"looks", "one look is enough",
			[]edit{{"functions/sender/delivery/look.go", "if attempt.Looks < h.config.ReconcileLooks {", "if false {"}},
		},
		{
			"dead letter", "a text is dead and has no letter",
			[]edit{{"functions/sender/delivery/dead_letter.go", "err = h.sendDeadLetter(ctx, letter, map", "_, _ = letter, (map"}},
		},
		{
			"timer", "no timer is set",
			[]edit{{
				"functions/sender/delivery/claim.go", "if p.DeliveryTimeout <= 0 || !p.MayGoOn(j.text, to) || h.config.PublicBaseURL == \"\" {",
				"if true {",
			}},
		},
		{
			"timer of the earlier", "a text that waits for an earlier attempt's message waits for ever",
			[]edit{{"functions/sender/delivery/timer.go", "awaited.Number > due.Attempt", "awaited.Number != due.Attempt"}},
		},
		{
			"record", "a text is acknowledged though it was not written down that Twilio has it",
			[]edit{{
				"functions/sender/delivery/attempt.go", "textAttrs(j.text, err)...)\n\t\treturn again(j.text.LeaseUntil.Sub(h.config.Now()))",
				"textAttrs(j.text, err)...)\n\t\treturn done()",
			}},
		},
		{
			"cascade", "a receipt that says undelivered does not lead to the next phone",
			[]edit{{"functions/sender/delivery/receipt.go", "err = h.remind(ctx, r.MessageSid, last.Number, r.NotBefore)", "err = nil"}},
		},
		{
			"acknowledgement", "what has to come back is deleted",
			[]edit{{
				"functions/sender/delivery/handler.go",
				"response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.messageID})\n", "",
			}},
		},
		{
			"front door", "the front door says yes though the queue did not take the text",
			[]edit{{
				"functions/ingest/webhook/accept.go", "o.response, o.unavailable, o.err = plain(http.StatusServiceUnavailable), true, err\n",
				"o.response, o.err = acknowledged(envelope.Kind), err\n",
			}},
		},
		{
			"audit", "lines that the log did not keep are taken for kept",
			[]edit{{
				"functions/stream-audit/audit/handler.go", "err := h.config.Log.Append(ctx, lines[kept:])",
				"err := h.config.Log.Append(ctx, lines[kept:]); err = nil",
			}},
		},
	}
}

// againstDisorder are what keeps texts, receipts and time in order.
func againstDisorder() []mutation {
	return []mutation{
		{
			"rank", "a receipt that comes late moves a message back",
			[]edit{
				{
					"shared/sms/status.go", "if old.Final() {\n\t\treturn old == StatusDelivered && s == StatusRead\n\t}\n\treturn s.rank() > old.rank()",
					"return s != old",
				},
			},
		},
		{
			"order", "a text that has to wait does not hold back those behind it",
			[]edit{{"functions/sender/delivery/handler.go", "\t\tbreak\n\t}\n\treturn results", "\t}\n\treturn results"}},
		},
		{
			"pace", "every moment is free",
			[]edit{{"shared/pace/state.go", "if free.After(now) {", "if free.After(now) && false {"}},
		},
		{
			"age", "a text is sent however old it is",
			[]edit{{"shared/plan/plan.go", "p.Drop = ledger.ReasonExpired", "p.Validity = time.Minute"}},
		},
	}
}

// againstWrongRedrives are what makes it safe to move dead letters back, whenever and however often.
func againstWrongRedrives() []mutation {
	return []mutation{
		{
			"dead and taken", "a dead text that Twilio has after all is sent again",
			[]edit{{
				"shared/ledger/transition.go",
				"ReasonRedrive\n\tswitch {\n\tcase r.Awaited():", "ReasonRedrive\n\tswitch {\n\tcase false:",
			}},
		},
		{
			"buried again", "a letter that is moved back before its death is recorded is dropped as a repeat of itself",
			[]edit{{"functions/sender/delivery/dead_letter.go", "deduplicationID += \".\" + j.record.MessageId\n", ""}},
		},
		{
			"attempts after a redrive", "the attempts before a redrive count after it",
			[]edit{{
				"shared/ledger/record.go", "sms.Same(a.To, to) && a.spent() && a.Number > r.RedrivenAfter {",
				"sms.Same(a.To, to) && a.spent() {",
			}},
		},
		{
			"kept after a redrive", "the record of a redriven text is forgotten while a queue has its message",
			[]edit{{"functions/sender/delivery/redrive.go", "r = r.Kept(h.config.Now().Add(h.config.Retention))", "_ = h.config.Retention"}},
		},
		{
			"kept with its letter", "the record of a dead text is forgotten while its letter lies there",
			[]edit{{
				"functions/sender/delivery/dead_letter.go", "return r.Kept(h.config.Now().Add(h.config.Retention)), true, err",
				"return r, true, err",
			}},
		},
		{
			"age after a redrive", "a redriven text is as old as when it came",
			[]edit{{"shared/ledger/record.go", "r.Answer.ReleasedAt, r.RedrivenAt}", "r.Answer.ReleasedAt}"}},
		},
	}
}

// againstPeople are what keeps operators, changed routes, crowds and wrong clocks from doing harm.
func againstPeople() []mutation {
	return []mutation{
		{
			"an order twice", "an operator's order has a text sent again however often it comes",
			[]edit{{"shared/ledger/decision.go", "|| !r.RedrivenAt.Equal(o.RedrivenAt) {", "{"}},
		},
		{
			"route remembered", "a route that was changed is remembered for ever",
			[]edit{{"shared/route/cache.go", "return age >= 0 && age < MaxCacheAge", "return true || age < 0"}},
		},
		{
			"an operator's phone", "a manual text goes along the route, and not to the phone that the operator chose",
			[]edit{{"shared/plan/plan.go", "if r.Destination != \"\" {", "if false {"}},
		},
		{
			"refused by the book", "a text goes at once if the book of the pace limits refuses it a moment",
			[]edit{{
				"functions/sender/delivery/attempt.go", "return again(time.Duration(float64(f.RetryAfter) * (1 + h.config.Spread())))",
				"return verdict{}",
			}},
		},
		{
			"a booking of another day", "what a clock that was ahead has booked holds all texts up",
			[]edit{{"shared/pace/state.go", "if clock.Ahead(made, now) {", "if false {"}},
		},
		{
			"a text of another day", "a text that came by a clock that was ahead is delivered a day late",
			[]edit{{"shared/plan/plan.go", "if since.After(q.Now) {", "if false {"}},
		},
	}
}

// againstUnsealed are what lets the audit log and the ledger vouch for each other.
func againstUnsealed() []mutation {
	return []mutation{
		{
			"seal of a change", "a change of a record is written without its seal",
			[]edit{{"shared/auditlog/seal.go", "ledger.Change(ctx, store, r, sealing(edit))", "ledger.Change(ctx, store, r, edit)"}},
		},
		{
			"seal of a claim", "a seal is made of another record than the one that is written",
			[]edit{{
				"shared/auditlog/seal.go", "sealed, err := Seal(before, wanted)",
				"sealed, err := Seal(ledger.Record{Version: before.Version}, wanted)",
			}},
		},
	}
}
