package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/typed"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// DefaultCountry is the country of numbers without a country code.
const DefaultCountry = "US"

// NumberFlags are the flags of commands that read phone numbers.
type NumberFlags struct {
	Country string
	// Insist accepts numbers that no phone can have.
	Insist bool
}

// Add makes the flags.
func (f *NumberFlags) Add(flags *pflag.FlagSet) {
	flags.StringVar(&f.Country, "country", DefaultCountry, "country of numbers written without a country code, in two letters")
}

// countryHint is what to do about a number that cannot be read.
const countryHint = "write it with its country code, such as +18585550100, or name its --country"

// Read reads a number as a person writes it.
func (f NumberFlags) Read(text string) (sms.PhoneNumber, error) {
	country, err := f.region()
	if err != nil {
		return "", err
	}
	number, err := typed.Phone(text, country, f.Insist)
	if err != nil {
		return "", Hinted(Usage(err), countryHint)
	}
	return number, nil
}

func (f NumberFlags) region() (string, error) {
	country := strings.ToUpper(f.Country)
	if !typed.IsCountry(country) {
		return "", Usage(fmt.Errorf("--country %q is not a country: want two letters such as US", f.Country))
	}
	return country, nil
}

// ReadFlag reads a number that a flag names; empty stays empty.
func (f NumberFlags) ReadFlag(flag, text string) (sms.PhoneNumber, error) {
	if text == "" {
		return "", nil
	}
	number, err := f.Read(text)
	return number, inFlag(flag, err)
}

// ReadSender reads who texts are from or to: a number, a short code, an address of another channel or a sender's name. Empty stays
// empty. A name may be a typing mistake: if nothing is found for it, [NobodyNamed] says so.
func (f NumberFlags) ReadSender(text string) (address sms.PhoneNumber, isName bool, err error) {
	if text == "" {
		return "", false, nil
	}
	country, err := f.region()
	if err != nil {
		return "", false, err
	}
	if address, isName, err = typed.Sender(text, country); err != nil {
		return "", false, inFlag("number", Hinted(Usage(err), countryHint))
	}
	return address, isName, nil
}

// NobodyNamed refuses a name that no text has: "nothing found" would look like good news.
func NobodyNamed(name sms.PhoneNumber) error {
	return Usage(fmt.Errorf("--number: %q is not a phone number such as +18585550100, and no sender of texts has that name", string(name)))
}

// CheckName refuses a sender's name that the ledger does not know.
func CheckName(ctx context.Context, texts ledger.Lister, name sms.PhoneNumber) error {
	page, err := texts.List(ctx, ledger.Query{Number: name, Limit: 1})
	if err == nil && len(page.Records) == 0 {
		return NobodyNamed(name)
	}
	return err
}

// inFlag says which flag is wrong.
func inFlag(flag string, err error) error {
	if hinted, ok := errors.AsType[HintedError](err); ok {
		return Hinted(Usage(fmt.Errorf("--%s: %w", flag, hinted.Err)), hinted.Hint)
	}
	return err
}

// ReadSIDs reads the SIDs of texts.
func ReadSIDs(texts []string) ([]string, error) {
	var sids []string
	for _, text := range texts {
		sid, err := typed.SID(text)
		if err != nil {
			return nil, Usage(err)
		}
		sids = append(sids, sid)
	}
	return sids, nil
}
