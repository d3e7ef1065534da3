package simulation_test

// againstWaiting are what keeps customers from waiting unseen, and the crew from doing the same thing twice.
func againstWaiting() []mutation {
	return []mutation{
		{
			"claim of another", "a phone takes a customer from the one that has him",
			[]edit{{
				"shared/conversation/claim.go", "case claimer != \"\", !a.At.After(c.Claim.EndedAt),",
				"case !a.At.After(c.Claim.EndedAt),",
			}},
		},
		{
			"timer of a stage", "no timer is set for a customer who waits",
			[]edit{{
				"functions/sender/delivery/spell.go", "\t\treturn nil\n\t}\n\treturn h.remindOfStage(ctx, c.Spell)",
				"\t\treturn nil\n\t}\n\treturn nil",
			}},
		},
		{
			"timer of the next stage", "no timer is set for the stage after the first",
			[]edit{{"functions/sender/delivery/stage.go", "if !c.Spell.DueAt.IsZero() {", "if false {"}},
		},
		{
			"stage after an answer", "a text goes out again though somebody has answered",
			[]edit{{"shared/conversation/spell.go", "step > c.Spell.Before && (claimer", "step > c.Spell.Before || (claimer"}},
		},
		{
			"claim prolonged", "the customer's own texts prolong the claim",
			[]edit{{
				"shared/conversation/spell.go", "\tc.Spell = s\n\treturn c, true\n}\n\n// See returns",
				"\tc.Spell = s\n\tc.Claim.ActedAt = stamp(t.At)\n\treturn c, true\n}\n\n// See returns",
			}},
		},
		{
			"customer not noted", "a customer who waits is not noted once his text was answered before",
			[]edit{{"shared/conversation/spell.go", "case !t.At.After(c.Seen.At.Add(-skew)):", "case !c.Seen.At.IsZero():"}},
		},
		{
			"told again", "the others are told with each answer who has the customer",
			[]edit{{"functions/sender/delivery/spell.go", "c.Claim.MessageSid+hasSuffix", "c.Seen.MessageSid+hasSuffix"}},
		},
		{
			"phone of a ring", "a text that goes on in turn goes to a phone that has a record of its own",
			[]edit{{"shared/ledger/ring.go", "return !g.IsOver && slices.ContainsFunc(", "return g.IsOver && slices.ContainsFunc("}},
		},
		{
			"state of a ring", "what a receipt says of one phone's text is not written down for the text to all",
			[]edit{{
				"functions/sender/delivery/receipt.go", "err = errors.Join(h.tellLoss(ctx, r), h.settleRing(ctx, r))", "err = h.tellLoss(ctx, r)",
			}},
		},
		{
			"off duty", "texts go to phones that are off",
			[]edit{{"shared/route/duty.go", "bool { return r.IsOff(phone, at) }", "bool { return false }"}},
		},
		{
			"give of another's", "a phone gives away a customer whom another one has",
			[]edit{{
				"shared/conversation/claim.go", "case claimer != \"\" && !sms.Same(claimer, a.Phone), !a.At.After(c.Claim.EndedAt), claimer",
				"case !a.At.After(c.Claim.EndedAt), claimer",
			}},
		},
		{
			"owner told again", "the owner is told a fourth time",
			[]edit{{"shared/conversation/spell.go", "if s.OwnerTold == maxOwnerTold ||", "if s.OwnerTold > maxOwnerTold ||"}},
		},
		{
			"unverified phone", "an unverified phone gets customers' words",
			[]edit{{"shared/route/duty.go", "all := slices.DeleteFunc(r.onDuty(at), r.IsUnverified)", "all := r.onDuty(at)"}},
		},
		{
			"auto-answer twice", "the relay itself answers a customer again on the same day",
			[]edit{{
				"shared/conversation/auto_answer.go", "case was.AutoAt.In(a.Now.Location()).Format(time.DateOnly) >= a.Now.Format(time.DateOnly):",
				"case was.AutoAt.After(a.Now):",
			}},
		},
		{
			"auto-answer to a machine", "it is not noted that a customer is written to",
			[]edit{{"functions/sender/delivery/auto_answer.go", "if way.AutoAnswer.Closed+way.AutoAnswer.NoOne == \"\" ||", "if true ||"}},
		},
		{
			"stage of a phone", "a stage texts the phones that had the text before",
			[]edit{{"shared/conversation/spell.go", "return contains(s.Phones, p) })", "return contains(s.Phones, p) && false })"}},
		},
	}
}
