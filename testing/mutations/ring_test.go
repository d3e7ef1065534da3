package mutations_test

// ofRings are safeguards of texts that go to several phones at the same time.
func ofRings() []mutation {
	return []mutation{
		{
			"what is learned while a ring is under way is forgotten at its end",
			"shared/ledger/ring.go", "return r.copy(now), true, nil", "return r, false, nil",
			"./functions/sender/delivery", "TestReceiptsDuringARing",
		},
		{
			"the dead letter of the text to one phone is the whole text",
			"functions/sender/delivery/dead_letter.go", "&& !j.text.SecondPart && j.parent == nil {", "&& !j.text.SecondPart {",
			"./functions/sender/delivery", "TestDeadLettersOfARing",
		},
		{
			"who waits for his turn in a ring is texted though somebody has the customer",
			"functions/sender/delivery/spell.go", "\t\tif isRung {\n", "\t\tif isRung && claimer == \"\" {\n",
			"./functions/sender/delivery", "TestWaitingTextOfARingIsAnswered",
		},
		{
			"the phones of a ring are chosen anew after a crash",
			"functions/sender/delivery/ring.go",
			"\tif v := h.write(ctx, j, \"ring\", wanted, err); v.stops() {\n\t\treturn v\n\t}\n\tj.isNewRing = true",
			"\tif j.text = wanted; err != nil {\n\t\treturn done()\n\t}\n\tj.isNewRing = true",
			"./functions/sender/delivery", "TestSenderDiesInARing",
		},
	}
}
