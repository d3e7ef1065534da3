package deadletters

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// shownLetter is a dead letter as JSON.
type shownLetter struct {
	// MessageSid is the text, LetterID the letter on its queue.
	MessageSid string `json:"message_sid,omitempty"`
	LetterID   string `json:"letter_id"`
	// Reason, Attempts, LastError and Hop are what the sender wrote on the letter; absent if the queue made it.
	Reason    ledger.Reason `json:"reason,omitempty"`
	Attempts  int           `json:"attempts,omitempty"`
	LastError string        `json:"last_error,omitempty"`
	Hop       string        `json:"hop,omitempty"`
	Kind      queue.Kind    `json:"kind,omitempty"`
	// From and To are the text's.
	From sms.PhoneNumber `json:"from,omitempty"`
	To   sms.PhoneNumber `json:"to,omitempty"`
	// ReceivedAt is when the text came in, BuriedAt when the letter was put here.
	ReceivedAt time.Time `json:"received_at"`
	BuriedAt   time.Time `json:"buried_at"`
	// State is the ledger's; absent if it has no record of the text.
	State       ledger.State  `json:"state,omitempty"`
	StateReason ledger.Reason `json:"state_reason,omitempty"`
	// Outlook is what would happen to the text if the letter were moved.
	Outlook  Outlook `json:"outlook"`
	Segments int     `json:"segments,omitempty"`
	// Text is what the customer wrote, Raw the body of an unreadable letter. Only show prints them.
	Text string `json:"text,omitempty"`
	Raw  string `json:"raw,omitempty"`
}

type shownLetterList struct {
	Letters  []shownLetter `json:"letters"`
	NotShown int           `json:"not_shown"`
}

func shownLetters(listed letterList, whole bool) shownLetterList {
	shown := shownLetterList{Letters: make([]shownLetter, len(listed.letters)), NotShown: listed.notShown}
	for i, l := range listed.letters {
		shown.Letters[i] = shownLetterOf(l, whole)
	}
	return shown
}

func shownLetterOf(l Letter, whole bool) shownLetter {
	shown := shownLetter{
		MessageSid: l.Envelope.RelayID, LetterID: l.MessageID, Reason: l.Reason, Attempts: l.Attempts, LastError: l.LastError,
		Hop: l.Hop, Kind: l.Envelope.Kind, ReceivedAt: l.receivedAt(), BuriedAt: l.SentAt,
		State: l.Record.State, StateReason: l.Record.Reason, Outlook: l.Outlook, Segments: l.segments(),
	}
	if m := l.Envelope.Message; m != nil {
		shown.From, shown.To = m.From, m.To
		if whole {
			shown.Text = m.Body
		}
	}
	if whole && l.Outlook == Unreadable {
		shown.Raw = l.Body
	}
	return shown
}

// writeLetters prints the letters for people, one per line.
func writeLetters(out io.Writer, listed letterList) error {
	if len(listed.letters) > 0 {
		table := cli.NewTable(out, cli.Column{Title: "SID", ID: true}, cli.Column{Title: "FROM"}, cli.Column{Title: "TO", Drop: 3},
			cli.Column{Title: "RECEIVED", Drop: 4}, cli.Column{Title: "REASON", Drop: 5}, cli.Column{Title: "ATTEMPTS", Drop: 1},
			cli.Column{Title: "LAST ERROR", Text: true, Drop: 2}, cli.Column{Title: "IF MOVED", Text: true})
		for _, l := range listed.letters {
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
func countLine(listed letterList) string {
	line := cli.Plural(len(listed.letters), "dead letter")
	if len(listed.letters) == 0 {
		line = noneOf(listed.seen)
	}
	if listed.notShown > 0 {
		line += fmt.Sprintf("; %d more could not be shown: they are behind others of their conversation, or another command has them",
			listed.notShown)
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
func writeLetter(out io.Writer, l Letter) {
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
