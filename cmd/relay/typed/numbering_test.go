package typed_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// apart are the country codes whose rows are not what libphonenumber does: those where the table says why, Gabon, whose numbers
// had a zero until 2019 that is no prefix, and the Norfolk Island, where a digit is put before old numbers.
var apart = []int{52, 54, 375, 241, 672}

// TestNumberingAgainstLibphonenumber holds the table that functions can afford against the metadata that they cannot: for
// numbers of every country and kind, right ones, with the home prefix, and with digits more or fewer.
func TestNumberingAgainstLibphonenumber(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	tried := 0
	for region := range phonenumbers.GetSupportedRegions() {
		code := phonenumbers.GetCountryCodeForRegion(region)
		main := phonenumbers.GetRegionCodeForCountryCode(code)
		trunk := phonenumbers.GetNddPrefixForRegion(main, true)
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.VOIP} {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			if example == nil {
				continue
			}
			right := phonenumbers.Format(example, phonenumbers.E164)
			national := strings.TrimPrefix(right, fmt.Sprintf("+%d", code))
			for _, one := range variants(random, fmt.Sprintf("+%d", code), trunk, national) {
				tried++
				compare(t, one, code)
			}
		}
	}
	if tried < 5000 {
		t.Errorf("only %d numbers were tried", tried)
	}
}

// variants of a right number: itself, others of its length, one with the prefix, and some that are too short or too long.
func variants(random *rand.Rand, code, trunk, national string) []string {
	var all []string
	for range 5 {
		digits := []byte(national)
		for i := len(digits) - 4; i > 0 && i < len(digits); i++ {
			digits[i] = byte('0' + random.IntN(10))
		}
		all = append(all, code+string(digits), code+trunk+string(digits), code+string(digits[:len(digits)-1]), code+string(digits)+"1")
	}
	return all
}

func compare(t *testing.T, written string, code int) {
	t.Helper()
	if !sms.PhoneNumber(written).IsE164() || slices.Contains(apart, code) {
		return
	}
	got, ok := sms.PhoneNumber(written).Canonical()
	parsed, err := phonenumbers.Parse(written, "")
	if err != nil {
		return
	}
	want := phonenumbers.Format(parsed, phonenumbers.E164)
	switch valid := isPhone(parsed); {
	case !sms.PhoneNumber(want).IsE164():
	case valid && (!ok || string(got) != want):
		t.Errorf("%s: %q, %v; libphonenumber has %s, which is right", written, string(got), ok, want)
	case ok && phonenumbers.IsPossibleNumberWithReason(parsed) != phonenumbers.IS_POSSIBLE && string(got) == want:
		t.Errorf("%s: possible as %q; libphonenumber says that it is not", written, string(got))
	}
}

// isPhone leaves out the numbers of services: most cannot be texted, and they may be shorter.
func isPhone(number *phonenumbers.PhoneNumber) bool {
	return slices.Contains([]phonenumbers.PhoneNumberType{
		phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.VOIP,
	}, phonenumbers.GetNumberType(number))
}
