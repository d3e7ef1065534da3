package phone

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func (p program) verifyCommand() *cobra.Command {
	var f cli.ChangeFlags
	cmd := &cobra.Command{
		Use:   "verify NUMBER PHONE|NAME",
		Short: "Text a code to a phone that has yet to be verified",
		Long: `verify texts six digits to a phone of a number. Its person answers with them within ten minutes, and the phone gets customers'
texts from then on. After five wrong answers, or ten minutes, text it another code: that ends the one before.

A phone that a command brings into a route has to be verified, unless the route says that none has to (relay route set
--verify-phones=false). The route keeps only a hash of the code, but the text with the code is in the ledger, as every text is.`,
		Example:           `  relay phone verify +18585550100 Bo`,
		Args:              cli.Arguments("the number", "the phone"),
		ValidArgsFunction: p.Number,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.verify(cmd, args, f) },
	}
	f.Add(cmd, "what was done, and the phone")
	return cmd
}

// namedPhone returns the phone of the route that an argument names.
func namedPhone(numbers cli.NumberFlags, r route.Route, text string) (sms.PhoneNumber, error) {
	if named, ok := r.PhoneNamed(route.PhoneName(text)); ok {
		return named.Number, nil
	}
	number, err := numbers.Read(text)
	switch {
	case err != nil && strings.ContainsFunc(text, unicode.IsLetter), err == nil && !r.IsPhone(number):
		return "", cli.NoPhone(r, text)
	case err != nil:
		return "", err
	}
	return r.PhoneOf(number), nil
}

// shownCode is what verify did, as JSON.
type shownCode struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Phone        sms.PhoneNumber `json:"phone"`
	// ValidUntil is until when the code counts.
	ValidUntil time.Time `json:"valid_until"`
	// DryRun: nothing was changed or sent.
	DryRun bool `json:"dry_run,omitempty"`
}

func (p program) verify(cmd *cobra.Command, args []string, f cli.ChangeFlags) error {
	number, err := f.Numbers.Read(args[0])
	if err != nil {
		return err
	}
	digits, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return fmt.Errorf("make a code: %w", err)
	}
	code, salt, now := fmt.Sprintf("%06d", digits), rand.Text(), time.Now()
	var phone sms.PhoneNumber
	edit := routing.Edit{
		Number: number, Author: routing.Author{Name: p.Operator(""), Now: time.Now},
		Change: routing.OfRoute(func(r route.Route) (route.Route, error) {
			if phone, err = namedPhone(f.Numbers, r, args[1]); err != nil {
				return r, err
			}
			changed, ok := r.PutCode(phone, code, salt, now)
			if !ok {
				return r, cli.Hinted(fmt.Errorf("%s need not be verified", string(phone)), "relay phone ls "+string(number)+" shows who has to be")
			}
			return changed, nil
		}),
	}
	_, mode, err := p.EditRoute(cmd, edit, f.Consent, f.AsJSON)
	if err != nil {
		return err
	}
	if mode != cli.Show {
		to := conversation.PhoneKey{TwilioNumber: number, Phone: phone}
		message, err := delivery.NoticeOf(to, "verify."+salt, conversation.CodeText(code), now).Outgoing()
		if err == nil {
			err = p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error { return d.Queue.Send(cmd.Context(), message) })
		}
		if err != nil {
			return fmt.Errorf("send the code: %w", err)
		}
	}
	until := now.Add(route.CodeTime).UTC().Truncate(time.Second)
	shown := shownCode{TwilioNumber: number, Phone: phone, ValidUntil: until, DryRun: mode == cli.Show}
	if f.AsJSON {
		return json.NewEncoder(p.Stdout).Encode(shown)
	}
	verb := "is"
	if shown.DryRun {
		verb = "would be"
	}
	cli.Say(p.Stdout, "A code %s texted to %s. It counts until %s.", verb, string(phone), cli.When(p.Stdout, shown.ValidUntil))
	return nil
}
