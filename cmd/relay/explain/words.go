package explain

import (
	"quickdumpnow.com/smsrelay/cmd/relay/meaning"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

func allStates() []explanation {
	var all []explanation
	for _, state := range ledger.States() {
		all = append(all, explainState(state))
	}
	return all
}

func explainState(state ledger.State) explanation {
	w, known := meaning.OfState(state)
	e := explanation{Subject: "state", Name: string(state), Known: known, Meaning: w.Meaning, Advice: w.Advice}
	for _, next := range ledger.States() {
		if state.MayBecome(next) {
			e.Next = append(e.Next, string(next))
		}
	}
	return e
}

func findState(name string) (explanation, error) { return named("state", name, allStates()) }

func allReasons() []explanation {
	var all []explanation
	for _, r := range meaning.Reasons() {
		e := explanation{Subject: "reason", Name: string(r.Name), Known: true, Meaning: r.Meaning, Advice: r.Advice}
		for _, state := range r.States {
			e.Of = append(e.Of, string(state))
		}
		all = append(all, e)
	}
	return all
}

func findReason(name string) (explanation, error) { return named("reason", name, allReasons()) }
