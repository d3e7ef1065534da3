package typed_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"quickdumpnow.com/smsrelay/cmd/relay/typed"
	"quickdumpnow.com/smsrelay/shared/sms"
)

var update = flag.Bool("update", false, "write countries.txt from libphonenumber's metadata")

// TestCountries: the file has what libphonenumber's metadata has.
func TestCountries(t *testing.T) {
	metadata, err := phonenumbers.MetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range metadata.GetMetadata() {
		if phonenumbers.GetSupportedRegions()[m.GetId()] {
			lines = append(lines, fmt.Sprintf("%s\t%d\t%s\t%s\t%s\t%s\n", m.GetId(), m.GetCountryCode(), m.GetInternationalPrefix(),
				m.GetGeneralDesc().GetNationalNumberPattern(), m.GetNationalPrefixForParsing(), m.GetNationalPrefixTransformRule()))
		}
	}
	slices.Sort(lines)
	want := strings.Join(lines, "")
	if *update {
		if err := os.WriteFile("countries.txt", []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("countries.txt")
	if err != nil || string(got) != want {
		t.Errorf("countries.txt is not what libphonenumber has (%v): run go test ./cmd/relay/typed -update", err)
	}
}

// TestPhoneAgainstLibphonenumber reads numbers of every country and kind as they are written there, abroad, and with the prefix that is
// dialled at home, and some that are no numbers.
func TestPhoneAgainstLibphonenumber(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	tried := 0
	for region := range phonenumbers.GetSupportedRegions() {
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.VOIP} {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			if example == nil {
				continue
			}
			for _, one := range spellings(random, example, region) {
				tried++
				if got, want := typedPhone(one, region), libphonenumber(one, region); got != want {
					t.Errorf("%s in %s: %q; libphonenumber has %q", one, region, string(got), string(want))
				}
			}
		}
	}
	if tried < 8000 {
		t.Errorf("only %d numbers were tried", tried)
	}
}

// spellings of a number and of some with other digits at the end: as they are dialled at home, from there, from the United States and from
// most other countries, with all that is left out or put in.
func spellings(random *rand.Rand, number *phonenumbers.PhoneNumber, region string) []string {
	var all []string
	for range 4 {
		right := phonenumbers.Format(number, phonenumbers.E164)
		national := strings.TrimPrefix(right, fmt.Sprintf("+%d", number.GetCountryCode()))
		all = append(
			all, phonenumbers.Format(number, phonenumbers.NATIONAL), phonenumbers.Format(number, phonenumbers.INTERNATIONAL),
			phonenumbers.FormatOutOfCountryCallingNumber(number, "US"), phonenumbers.FormatOutOfCountryCallingNumber(number, "DE"),
			phonenumbers.FormatOutOfCountryCallingNumber(number, region), national, "0"+national, right[1:], "0"+right[1:],
			national[1:], national[2:], national[min(3, len(national)):], national+"1",
		)
		other := *number.NationalNumber
		other = other - other%1000 + random.Uint64N(1000)
		number = &phonenumbers.PhoneNumber{
			CountryCode: number.CountryCode, NationalNumber: &other, ItalianLeadingZero: number.ItalianLeadingZero,
			NumberOfLeadingZeros: number.NumberOfLeadingZeros,
		}
	}
	return all
}

func typedPhone(text, region string) sms.PhoneNumber {
	number, err := typed.Phone(text, region, false)
	if err != nil {
		return ""
	}
	return number
}

// libphonenumber is how numbers were read while the program had the library.
func libphonenumber(text, region string) sms.PhoneNumber {
	if number, ok := sms.PhoneNumber(text).Canonical(); ok {
		return number
	}
	parsed, err := phonenumbers.Parse(text, region)
	if err != nil || parsed.GetExtension() != "" {
		return ""
	}
	number, ok := sms.PhoneNumber(phonenumbers.Format(parsed, phonenumbers.E164)).Canonical()
	if !ok {
		return ""
	}
	return number
}
