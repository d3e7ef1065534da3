package dlq

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/deadletters"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// shownLetter is a dead letter as JSON.
type shownLetter struct {
	operations.DeadLetter

	// Text is what the customer wrote, Raw the body of an unreadable letter. Only show prints them.
	Text string `json:"text,omitempty"`
	Raw  string `json:"raw,omitempty"`
}

type shownLetterList struct {
	Letters  []shownLetter `json:"letters"`
	NotShown int           `json:"not_shown"`
}

func shownLetters(listed deadletters.Found, whole bool) shownLetterList {
	shown := shownLetterList{Letters: make([]shownLetter, len(listed.Letters)), NotShown: listed.NotShown}
	for i, l := range listed.Letters {
		shown.Letters[i] = shownLetterOf(l, whole)
	}
	return shown
}

func shownLetterOf(l deadletters.Letter, whole bool) shownLetter {
	shown := shownLetter{DeadLetter: l.Show()}
	if m := l.Envelope.Message; whole && m != nil {
		shown.Text = m.Body
	}
	if whole && l.Outlook == deadletters.Unreadable {
		shown.Raw = l.Body
	}
	return shown
}

// writeLetters prints the letters for people, one per line.
func writeLetters(out io.Writer, listed deadletters.Found) error {
	if len(listed.Letters) > 0 {
		table := cli.NewTable(out, cli.Column{Title: "SID", ID: true}, cli.Column{Title: "FROM"}, cli.Column{Title: "TO", Drop: 3},
			cli.Column{Title: "RECEIVED", Drop: 4}, cli.Column{Title: "REASON", Drop: 5}, cli.Column{Title: "ATTEMPTS", Drop: 1},
			cli.Column{Title: "LAST ERROR", Text: true, Drop: 2}, cli.Column{Title: "IF MOVED", Text: true})
		for _, l := range listed.Letters {
			s := shownLetterOf(l, false)
			table.Row(l.ID(), string(s.From), string(s.To), cli.When(out, s.ReceivedAt), string(s.Reason), strconv.Itoa(s.Attempts), s.LastError,
				l.Outlook.Meaning())
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	cli.Say(out, "%s", countLine(listed))
	return nil
}

// countLine says how many letters there are, and how many more could not be shown.
func countLine(listed deadletters.Found) string {
	line := cli.Plural(len(listed.Letters), "dead letter")
	if len(listed.Letters) == 0 {
		line = noneOf(listed.Seen)
	}
	if listed.NotShown > 0 {
		line += fmt.Sprintf("; %d more could not be shown: they are behind others of their conversation, or another command has them",
			listed.NotShown)
	}
	return line
}

// noneOf says that no letter matches, and counts the others by reason. "No dead letters" alone would be a false all-clear.
func noneOf(seen map[string]int) string {
	all := 0
	for _, n := range seen {
		all += n
	}
	if all == 0 {
		return "no dead letters"
	}
	return fmt.Sprintf("none of %s matches: the reasons are %s; relay dlq ls lists them", cli.Plural(all, "dead letter"), cli.CountsOf(seen))
}

// writeLetter prints one letter in full.
func writeLetter(out io.Writer, l deadletters.Letter) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	field := func(name, value string) {
		if value != "" {
			cli.Printf(table, "%s\t%s\n", name, value)
		}
	}
	s := shownLetterOf(l, true)
	field("text", s.MessageSid)
	field("letter", s.LetterID)
	field("from", string(s.From))
	field("to", string(s.To))
	field("received", cli.At(out, s.ReceivedAt))
	field("buried", cli.At(out, s.BuriedAt))
	field("reason", string(s.Reason))
	if s.Attempts > 0 {
		field("attempts", fmt.Sprint(s.Attempts))
	}
	field("last error", s.LastError)
	field("state", cli.StateLine(l.Record))
	field("if moved", l.Outlook.Meaning())
	field("says", s.Text)
	field("holds", s.Raw)
	for _, a := range l.Record.Attempts {
		field(fmt.Sprintf("attempt %d", a.Number), attemptLine(out, a))
	}
	_ = table.Flush()
	fmt.Fprintln(out)
}

// attemptLine describes one attempt in a line.
func attemptLine(out io.Writer, a ledger.Attempt) string {
	line := fmt.Sprintf("%s to %s: %s", cli.At(out, a.StartedAt), a.To, cli.OrDash(a.Outcome))
	if a.OutboundSid != "" {
		line += fmt.Sprintf(", %s %s", a.OutboundSid, a.Status)
	}
	if a.ErrorCode != 0 {
		line += fmt.Sprintf(", code %d", a.ErrorCode)
	}
	if a.Error != "" {
		line += ", " + a.Error
	}
	return line
}
