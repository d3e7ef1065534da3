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
			"order of what is held", "a text that comes after the opening goes out before what is held",
			[]edit{{"functions/sender/delivery/closed.go", "\treturn j.text.Version == 0 || slices", "\treturn j.text.Version < 0 || slices"}},
		},
	}
}
