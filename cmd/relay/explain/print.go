package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/duration"
)

// explanation is all that explain says of one thing. The names are those of its JSON; what does not apply is left out.
type explanation struct {
	// Subject is what kind of thing it is, Name which one.
	Subject string `json:"subject"`
	Name    string `json:"name"`
	// Known is false of a code that is not in the table, and treated as such codes are.
	Known   bool   `json:"known"`
	Meaning string `json:"meaning"`
	// Taken is the answer to a 2xx that names the message, Post to any other end of a POST, Receipt to a receipt. Where an answer
	// without a code of Twilio's is explained, Coded is the answer to the same status with a code that is not in the table.
	Taken   *answered `json:"taken,omitempty"`
	Post    *answered `json:"post,omitempty"`
	Coded   *answered `json:"post_with_unknown_code,omitempty"`
	Receipt *answered `json:"receipt,omitempty"`
	Why     string    `json:"why,omitempty"`
	// Nearest are the known codes next to one that is not, with their meanings.
	Nearest []string `json:"nearest,omitempty"`
	// Of are the states that a reason is given for, Next those that may follow a state.
	Of   []string `json:"states,omitempty"`
	Next []string `json:"next,omitempty"`
	// Advice is what a person may do about it.
	Advice string `json:"advice,omitempty"`
	URL    string `json:"url,omitempty"`
}

// field is one labelled part of what a person reads.
type field struct{ label, text string }

// write prints the explanation for people, within 80 columns.
func (e explanation) write(out io.Writer) error {
	var text strings.Builder
	heading := cli.Wrap(fmt.Sprintf("%s %s: %s", e.Subject, e.Name, e.Meaning), lineWidth)
	text.WriteString(strings.Join(heading, "\n") + "\n\n")
	for _, f := range e.fields() {
		if f.text != "" {
			text.WriteString(f.lines())
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func (e explanation) fields() []field {
	post := "as answer to a POST"
	if e.Taken != nil {
		post = "otherwise"
	}
	if e.Coded != nil {
		post = "without Twilio's code"
	}
	fields := answerFields("if it names a message", e.Taken)
	fields = append(fields, answerFields(post, e.Post)...)
	fields = append(fields, answerFields("with an unknown code", e.Coded)...)
	fields = append(fields, answerFields("in a receipt", e.Receipt)...)
	return append(fields,
		field{"why", e.Why},
		field{"nearest known codes", strings.Join(e.Nearest, ", ")},
		field{"given for", strings.Join(e.Of, ", ")},
		field{"may become", e.next()},
		field{"what to do", e.Advice},
		field{"Twilio's page", e.URL},
	)
}

// next lists what may follow a state, and says so if nothing does.
func (e explanation) next() string {
	if e.Subject == "state" && len(e.Next) == 0 {
		return "nothing (final)"
	}
	return strings.Join(e.Next, ", ")
}

func answerFields(label string, a *answered) []field {
	if a == nil {
		return nil
	}
	return []field{{label, a.summary()}, {"  the text becomes", a.Becomes}}
}

// summary names the answer, with the kind that it comes from and how long it waits.
func (a answered) summary() string {
	text := a.Answer
	if a.RetryAfterSeconds > 0 {
		text += " after " + a.wait()
	}
	if a.Kind != "" && a.Kind != a.Answer {
		text += " (" + a.Kind + ")"
	}
	return text
}

// wait returns the least wait as people write it: 45s, 5m, 2h.
func (a answered) wait() string {
	return duration.Text(time.Duration(a.RetryAfterSeconds) * time.Second)
}

const (
	lineWidth  = 80
	labelWidth = 21
	textWidth  = lineWidth - labelWidth - 4
)

// lines lays out the field: the label, and next to it the text in lines of its own.
func (f field) lines() string {
	var lines strings.Builder
	label := f.label
	for _, line := range cli.Wrap(f.text, textWidth) {
		fmt.Fprintf(&lines, "  %-*s  %s\n", labelWidth, label, line)
		label = ""
	}
	return lines.String()
}

// column is one of a table's columns.
type column struct {
	cli.Column

	of func(e explanation) string
}

// writeTable prints the explanations one a line. A column that is empty in all of them is left out.
func writeTable(out io.Writer, all []explanation) error {
	summary := func(a *answered) string {
		if a == nil {
			return ""
		}
		return a.summary()
	}
	columns := []column{
		{cli.Column{Title: "NAME"}, func(e explanation) string { return e.Name }},
		{cli.Column{Title: "POST", Wrapped: true}, func(e explanation) string { return summary(e.Post) }},
		{cli.Column{Title: "RECEIPT", Wrapped: true, Drop: 2}, func(e explanation) string { return summary(e.Receipt) }},
		{cli.Column{Title: "STATES", Wrapped: true, Drop: 1}, func(e explanation) string { return strings.Join(e.Of, ", ") }},
		{cli.Column{Title: "MAY BECOME", Wrapped: true, Drop: 3}, explanation.next},
		{cli.Column{Title: "MEANING", Wrapped: true}, func(e explanation) string { return e.Meaning }},
	}
	columns = slices.DeleteFunc(columns, func(c column) bool {
		return !slices.ContainsFunc(all, func(e explanation) bool { return c.of(e) != "" })
	})
	titles := make([]cli.Column, len(columns))
	for i, c := range columns {
		titles[i] = c.Column
	}
	table := cli.NewTable(out, titles...)
	for _, e := range all {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = c.of(e)
		}
		table.Row(cells...)
	}
	return table.Flush()
}
