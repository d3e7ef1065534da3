package mutations_test

// ofTheRare are safeguards that the simulation needs thousands of schedules to miss. A test of its own notices each at once.
func ofTheRare() []mutation {
	return []mutation{
		{
			"a text goes to the phones of the route at once while nobody is on duty, though the route holds texts",
			"shared/plan/plan.go", "if ours.Closed != route.ClosedHold {", "if ours.Closed != \"\" {",
			"./functions/sender/delivery", "TestTextsAreHeldWhileClosed$",
		},
		{
			"a text that is held for its next phone is too old when the number opens",
			"shared/ledger/record.go", "[]time.Time{r.OpenedAt, r.Answer", "[]time.Time{r.Answer",
			"./functions/sender/delivery", "TestNextPhoneWaitsForTheOpening$",
		},
		{
			"a text is held until the number opens, however long that takes",
			"shared/route/hold.go", "if edge.Before(most) && !r.IsClosed(edge) {", "if !r.IsClosed(edge) {",
			"./shared/route", "TestHeldUntil$",
		},
		{
			"texts grow old while they wait for a phone to be verified",
			"shared/plan/plan.go", "\tsince = way.AgesFrom(since, q.Now)\n", "",
			"./functions/sender/delivery", "TestTextsWaitForVerification$",
		},
		{
			"what waits for a phone's code is called up by its timer alone",
			"functions/sender/delivery/verify.go", "\t\tc.isVerified = true\n", "",
			"./functions/sender/delivery", "TestStopBehindATextThatWaitsForVerification$",
		},
		{
			"the timer of what is being taken up comes again at once",
			"functions/sender/delivery/closed.go", "\t\t\tc.Closed.Until = until\n", "",
			"./functions/sender/delivery", "TestClosesAgainBeforeTheTimerComes$",
		},
		{
			"what several phones get is held again once it has begun",
			"functions/sender/delivery/closed.go", " && len(r.Ring.Phones) == 0 {", " {",
			"./functions/sender/delivery", "TestClosesAgainBeforeTheTimerComes$",
		},
		{
			"a held text overtakes one that is held again",
			"functions/sender/delivery/closed.go", "if goesOn && !t.record.IsClosed() {", "if v.isDone() && !t.record.IsClosed() {",
			"./functions/sender/delivery", "TestHeldAgainWhileOthersAreTakenUp$",
		},
		{
			"a receipt that comes during a redrive takes the letter away",
			"functions/sender/delivery/redrive.go", "case !isMine && stored.Version == before:\n\t\treturn verdict{}\n\tcase !isMine:\n",
			"case !isMine && before > 0:\n\t\treturn verdict{}\n\tcase !isMine:\n",
			"./functions/sender/delivery", "TestReceiptThatComesDuringARedrive$",
		},
		{
			"a text that waited for an earlier attempt's message ends when that is lost, and no other phone is tried",
			"shared/ledger/receipt.go", "case (isCurrent || r.State == Sent && to != Uncertain && !r.refusedForGood()) &&",
			"case isCurrent &&",
			"./functions/sender/delivery", "TestTwoMessagesForOnePhone$",
		},
		{
			"an operator's order sends a text again that Twilio has",
			"shared/ledger/decision.go", "case r.Awaited():\n\t\t\tto, reason = r.rest()",
			"case false:\n\t\t\tto, reason = r.rest()",
			"./shared/ledger", "TestOrderForATakenText$",
		},
		{
			"a message that may be another text's is taken for this one's",
			"shared/reconcile/reconcile.go", "case len(candidates) <= rivals:",
			"case rivals < 0:",
			"./functions/sender/delivery", "TestTextsOfTheSameWords$",
		},
		{
			"a message that Twilio took though it refused it is taken for a later attempt's",
			"shared/reconcile/compare.go", "a.Unknown(), a.Refused() && c.about.Number > 0:",
			"a.Unknown():",
			"./functions/sender/delivery", "TestFoundMessageOfARefusedAttempt$",
		},
		{
			"a sender that paused calls a text dead that was redriven since",
			"functions/sender/delivery/dead_letter.go",
			"if r.State != ledger.Queued || now.Number != last.Number || now.Outcome != last.Outcome || " +
				"r.RedrivenAfter != j.text.RedrivenAfter {",
			"if r.State != ledger.Queued || now.Number < 0 {",
			"./functions/sender/delivery", "TestRedriveWhileAnotherSenderIsBuryingTheText$",
		},
		{
			"no timer is set for a message that Twilio took though it refused it",
			"functions/sender/delivery/receipt.go", "isNews, isLast := !r.Attempts[i].Accepted(), i",
			"isNews, isLast := false, i",
			"./functions/sender/delivery", "TestTimeoutOfAnAttemptThatWasRefusedAndTaken$",
		},
		{
			"any letter of a dead text brings it back",
			"shared/ledger/transition.go", "if r.State != Dead || r.Made() != attempts {",
			"if r.State != Dead || attempts < 0 {",
			"./functions/sender/delivery", "TestRedriveOfALetterOfAnEarlierDeath$",
		},
		{
			"the next phone is texted while another message for the phone before may still be delivered",
			"shared/ledger/receipt.go", "func (a Attempt) underWay() bool { return a.awaited() && !a.HopDone }",
			"func (a Attempt) underWay() bool { return false }",
			"./functions/sender/delivery", "TestReceiptOfARefusedAttempt$",
		},
		{
			"words that came while the clock was ahead wait for a picture until that time",
			"functions/sender/delivery/attachments.go", " && !clock.Ahead(since, now)",
			" && !clock.Ahead(now, now)",
			"./functions/sender/delivery", "TestWordsOfATimeToComeDoNotWait$",
		},
		{
			"a tag alone sends held words that were asked about after it",
			"shared/conversation/answer.go", "case held.AskedAt.IsZero(), a.ReceivedAt.Before(held.AskedAt):",
			"case false:",
			"./shared/conversation", "TestAddress$",
		},
		{
			"a tag alone sends held words at once, though the question is another one now",
			"shared/conversation/answer.go", "case held.Replaces && a.ReceivedAt.Sub(held.AskedAt) < readingTime:",
			"case false:",
			"./shared/conversation", "TestAddress$",
		},
		{
			"answers take no place among the texts that go back and forth",
			"functions/sender/delivery/carry_out.go", "case a.Verdict == ledger.AnswerSent:\n\t\treturn 1",
			"case a.Verdict == ledger.AnswerSent:\n\t\treturn 0",
			"./functions/sender/delivery", "TestPingPong$",
		},
		{
			"customers' texts take no place among those that go back and forth",
			"functions/sender/delivery/pingpong.go", "\tif isCounted {\n",
			"\tif false {\n",
			"./functions/sender/delivery", "TestPingPong$",
		},
		{
			"held words are joined though another customer wrote since",
			"shared/conversation/answer.go", "&& !slices.ContainsFunc(a.View.Exchanges, isNew)",
			"&& isNew != nil",
			"./shared/conversation", "TestAddress$",
		},
		{
			"a phone is told whatever there is to tell",
			"functions/sender/delivery/auto_answer.go", "p, ok = take(p, at)",
			"ok = true",
			"./functions/sender/delivery", "TestNoticesOfAPhoneAreBounded$",
		},
		{
			"a code that comes after the right one goes to a customer",
			"shared/route/verify.go", "at.Sub(r.Verifications[i].VerifiedAt) < CodeTime)",
			"at.Before(time.Time{}))",
			"./functions/sender/delivery", "TestTextsWaitForVerification$",
		},
		{
			"a number answers all who write, whoever they are",
			"shared/conversation/auto_answer.go", "p.Notices, ok = p.Notices.Take(now, maxAutoAnswers, autoAnswerInterval)",
			"ok = true",
			"./shared/conversation", "TestTakeAutoAnswer$",
		},
	}
}
