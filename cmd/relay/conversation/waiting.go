package conversation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// waiting lists those who wait for an answer: the unanswered first, then the longest waiting first. Whose texts are held waits, too.
func (p program) waiting(ctx context.Context, d *target.Target, a around, number sms.PhoneNumber, limit int) (shownList, error) {
	list := shownList{Conversations: []shownConversation{}}
	err := conversation.Each(ctx, d.Conversations, number, "", func(c conversation.Conversation) bool {
		if c.IsOpen() || len(c.Closed.Texts) > 0 {
			list.Conversations = append(list.Conversations, a.shown(c))
		}
		return true
	})
	slices.SortStableFunc(list.Conversations, func(x, y shownConversation) int {
		return cmp.Or(isLess(x.isUnanswered(), y.isUnanswered()), x.since().Compare(y.since()))
	})
	list.Conversations = list.Conversations[:min(limit, len(list.Conversations))]
	return list, err
}

func (c shownConversation) isUnanswered() bool { return c.Waiting != nil && c.Waiting.Unanswered }

// since is from when on the customer waits.
func (c shownConversation) since() time.Time {
	if c.Waiting == nil {
		return c.Held.Since
	}
	return c.Waiting.Since
}

// texts is how many texts the customer waits with.
func (c shownConversation) texts() int {
	n := 0
	if c.Waiting != nil {
		n += c.Waiting.Texts
	}
	if c.Held != nil {
		n += c.Held.Texts
	}
	return n
}

// isLess orders what is true before what is not.
func isLess(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func (p program) printWaiting(list shownList, number sms.PhoneNumber) error {
	if len(list.Conversations) == 0 {
		cli.Say(p.Stdout, "No customer of %s waits for an answer.", string(number))
		return nil
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "TAG"}, cli.Column{Title: "NAME", Drop: 3}, cli.Column{Title: "CUSTOMER"},
		cli.Column{Title: "WAITS SINCE"}, cli.Column{Title: "TEXTS", Drop: 2}, cli.Column{Title: "WHO HAS THEM"},
		cli.Column{Title: "NEXT", Drop: 1})
	for _, c := range list.Conversations {
		table.Row(string(c.Tag), c.Name, string(c.Customer), p.when(c.since()), cli.Plural(c.texts(), "text"), c.claimer(),
			p.next(c))
	}
	return table.Flush()
}

// claimer names who has the customer.
func (c shownConversation) claimer() string {
	if c.Claimer == nil {
		return ""
	}
	return cmp.Or(c.Claimer.Name, string(c.Claimer.Phone))
}

// next says what happens if nobody answers.
func (p program) next(c shownConversation) string {
	switch {
	case c.Held != nil:
		return "held until " + cli.When(p.Stdout, c.Held.Until)
	case c.Waiting == nil:
		return ""
	case c.Waiting.Unanswered:
		return "unanswered"
	case c.Waiting.NextAt.IsZero():
		return "nothing"
	}
	return "goes out again " + cli.When(p.Stdout, c.Waiting.NextAt)
}

func (p program) doneCommand() *cobra.Command {
	var f cli.ChangeFlags
	cmd := &cobra.Command{
		Use:   "done NUMBER CUSTOMER",
		Short: "Say that nothing more is to be done for a customer who waits",
		Long: `done ends the waiting of a customer whom somebody has seen to in another way, by a call for example: the text does not go
out again, and no phone has the customer any more. The customer's next text begins a new wait. CUSTOMER is a phone number or a tag.
The audit log records it with your name (RELAY_OPERATOR, or else the user name on this host).`,
		Example:           `  relay conversation done +18585550100 A05`,
		Args:              cli.Arguments("the number", "the customer"),
		ValidArgsFunction: p.NumberAndCustomer,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.done(cmd, args, f) },
	}
	f.Add(cmd, "the customer as they are then")
	return cmd
}

func (p program) done(cmd *cobra.Command, args []string, f cli.ChangeFlags) error {
	ctx := cmd.Context()
	number, err := f.Numbers.Read(args[0])
	if err != nil {
		return err
	}
	mode, err := p.Mode(cmd, f.Consent, f.AsJSON)
	if err != nil {
		return err
	}
	return p.WithTarget(ctx, cmd.Flags(), func(d *target.Target) error {
		c, err := f.Numbers.FindCustomer(ctx, d.Conversations, number, args[1])
		if err != nil {
			return err
		}
		a, err := look(ctx, d, number)
		if err != nil {
			return err
		}
		if !c.IsOpen() {
			return p.printDone(a.shown(c), "does not wait for an answer", f.AsJSON)
		}
		if mode == cli.Ask && !p.Confirmed(cmd, fmt.Sprintf("Is nothing more to be done for %s?", string(c.Customer))) {
			return cli.ErrNotConfirmed
		}
		if mode == cli.Show {
			return p.printDone(a.shown(c), "would not wait any more", f.AsJSON)
		}
		if c, err = finish(ctx, d, c, p.Operator("")); err != nil {
			return fmt.Errorf("end the waiting: %w", err)
		}
		return p.printDone(a.shown(c), "does not wait any more", f.AsJSON)
	})
}

// finish writes down that the operator has seen to the customer, as far as the operator has seen the customer's texts.
func finish(ctx context.Context, d *target.Target, seen conversation.Conversation, by string) (conversation.Conversation, error) {
	isNewer := false
	stored, _, err := auditlog.ChangeConversation(ctx, d.Conversations, seen.TwilioNumber, seen.Customer, time.Now,
		func(c conversation.Conversation) (conversation.Conversation, bool) {
			if isNewer = c.Spell.NewestSid != seen.Spell.NewestSid; isNewer || !c.IsOpen() {
				return c, false
			}
			return c.Finish(conversation.Seen{At: time.Now(), By: by})
		})
	if err == nil && isNewer {
		err = cli.Hinted(errors.New("the customer wrote again meanwhile"), "look at it first: relay conversation show --text")
	}
	return stored, err
}

func (p program) printDone(c shownConversation, verb string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(c)
	}
	cli.Say(p.Stdout, "%s %s.", string(c.Customer), verb)
	return nil
}
