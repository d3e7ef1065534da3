package conversation

import (
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Command is what a person on duty tells the relay by a text that begins with a slash: "/mine A47".
type Command struct {
	// Verb is what is to be done; empty if there is no such command.
	Verb Verb
	// Tag is the customer's, with Mine, Give, Done and Block; empty if the text has no valid tag.
	Tag Tag
	// Name is whom Give names.
	Name string
	// Time is for how long, or until when, with Off: "2h", "18:00"; empty if the text does not say.
	Time string
}

// Verb is what a command does.
type Verb string

// The commands.
const (
	VerbHelp  Verb = "?"
	VerbOpen  Verb = "open"
	VerbMine  Verb = "mine"
	VerbGive  Verb = "give"
	VerbDone  Verb = "done"
	VerbBlock Verb = "block"
	VerbOff   Verb = "off"
	VerbOn    Verb = "on"
	VerbUndo  Verb = "undo"
)

// commandMark is what a command begins with. What the relay answers begins so, too: neither is ever sent to a customer.
const commandMark = "/"

// CommandOf reads a text of a phone as a command. ok is false if it is none. The case of letters does not matter. A command that lacks
// something, or has too much, is one without a verb.
func CommandOf(body string) (c Command, ok bool) {
	rest, found := strings.CutPrefix(strings.TrimSpace(body), commandMark)
	if !found {
		return c, false
	}
	words := strings.Fields(rest)
	if len(words) == 0 {
		return c, true
	}
	verb, args := Verb(strings.ToLower(words[0])), words[1:]
	switch verb {
	case VerbHelp, VerbOpen, VerbUndo, VerbOn:
		if len(args) > 0 {
			return c, true
		}
	case VerbOff:
		c.Time = strings.ToLower(strings.Join(args, ""))
		for _, word := range []string{"until", "till", "for"} {
			c.Time = strings.TrimPrefix(c.Time, word)
		}
	case VerbMine, VerbDone, VerbBlock, VerbGive:
		tag, after, isTagged := Leading(strings.Join(args, " "))
		if !isTagged || !tag.IsValid() || (after == "") != (verb != VerbGive) {
			return c, true
		}
		c.Tag, c.Name = tag, after
	default:
		return c, true
	}
	c.Verb = verb
	return c, true
}

// codeLength is how many digits a code has that verifies a phone.
const codeLength = 6

// CodeOf reads a text of a phone as the code that verifies it: six digits. Blanks and hyphens do not matter.
func CodeOf(body string) (code string, ok bool) {
	code = strings.NewReplacer(" ", "", "-", "", "\n", "").Replace(body)
	return code, len(code) == codeLength && strings.Trim(code, "0123456789") == ""
}

// CodeText is what a phone is texted with its code.
func CodeText(code string) string {
	return "/verify: answer with " + code + " within 10 minutes, and this phone gets the texts of customers to this number."
}

// Verified tells a phone that it is verified. For some minutes, six digits count as a code that came late.
const Verified = "/verify: done. This phone gets the texts of customers to this number. In the next 10 minutes, begin six digits for a " +
	"customer with the tag."

// Unverified tells a phone that has yet to be verified that its words were not sent.
func Unverified(words string) string {
	return NotSent(words) + " This phone is not verified yet: ask the office for a code, and answer with its six digits."
}

// Undo is the last command of a phone that /undo takes back, for an hour.
type Undo struct {
	Verb     Verb
	Tag      Tag             `json:",omitempty"`
	Customer sms.PhoneNumber `json:",omitempty"`
	// MessageSid is the command, At when it was written.
	MessageSid string
	At         time.Time
}

// undoTime is for how long a command can be taken back.
const undoTime = time.Hour

// IsOver reports whether there is nothing to take back any more at that time.
func (u Undo) IsOver(at time.Time) bool { return u.Verb == "" || at.Sub(u.At) > undoTime+skew }

// CommandHelp explains the commands.
const CommandHelp = "/? Commands: /open who waits. /mine A47 I take A47. /give A47 Bo. /done A47. " +
	"/block A47 no more texts of A47. /off 2h or /off 18:00 no texts for me, /on ends that. " +
	"/undo takes back the last /give, /block or /off of the last hour."

// UnknownCommand explains a text that begins with a slash and is no command.
func UnknownCommand(body string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(body), " ")
	if len(first) > quotedLength {
		first = first[:quotedLength]
	}
	return first + " is no command, or lacks something; it was not sent. " + CommandHelp
}

// Told is the answer to a command: it begins with the command, so that whoever copies it sends it to no customer.
func (c Command) Told(text string) string {
	return commandMark + strings.TrimSpace(string(c.Verb)+" "+string(c.Tag)) + ": " + text
}
