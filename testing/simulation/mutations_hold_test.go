package simulation_test

// againstHolding are what keeps texts that are held while nobody is on duty.
func againstHolding() []mutation {
	return []mutation{
		{
			"timer of a hold", "no timer takes up what is held",
			[]edit{{
				"functions/sender/delivery/closed.go", "if err == nil && !c.Closed.IsSet {", "if err == nil && !c.Closed.IsSet && false {",
			}},
		},
		{
			"timer of a hold, noted early", "it is noted that the timer is set before it is, and the sender dies in between",
			[]edit{{
				"functions/sender/delivery/closed.go",
				"if err = h.remindOfOpening(ctx, c.Closed); err == nil {\n" +
					"\t\t\t_, _, err = h.changeConversation(ctx, key, conversation.Conversation.Remind)\n\t\t}",
				"if _, _, err = h.changeConversation(ctx, key, conversation.Conversation.Remind); err == nil {\n" +
					"\t\t\terr = h.remindOfOpening(ctx, c.Closed)\n\t\t}",
			}},
		},
		{
			"time that comes twice, for From", "of a time that the clocks show twice, a shift begins with the second",
			[]edit{{"shared/route/schedule.go", "isLast || !found.IsZero() && e == begins", "isLast"}},
		},
		{
			"time that comes twice, for To", "of a time that the clocks show twice, a shift ends with the first",
			[]edit{{"shared/route/schedule.go", "!found.IsZero() && e == begins {", "!found.IsZero() {"}},
		},
		{
			"time that is skipped", "a time that the clocks skip comes before they do",
			[]edit{{"shared/route/schedule.go", "return change.UTC()", "return earliest.UTC()"}},
		},
		{
			"age from the opening", "a text that is held grows old meanwhile",
			[]edit{
				{"shared/ledger/record.go", "[]time.Time{r.OpenedAt, r.Answer", "[]time.Time{r.Answer"},
				{"shared/plan/plan.go", "case opens.After(since):\n\t\tsince = opens", "case opens.After(since):"},
			},
		},
		{
			"order of what is held", "a text that comes after the opening goes out before what is held",
			[]edit{{"functions/sender/delivery/closed.go", "\treturn j.text.Version == 0 || slices", "\treturn j.text.Version < 0 || slices"}},
		},
	}
}
