package doctor

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

func accountChecks() []Check {
	return []Check{
		{"relay-open", "Without its tables and queues nothing can be said of the texts.", Both, relayOpen},
		{"twilio-credentials", "Twilio refuses every text that is sent with credentials that do not hold: all texts wait.", Both, twilioCredentials},
		{"auth-token", "Webhooks are signed with the Auth Token. With another one, every text is refused as a forgery.", Both, authToken},
		{"account-status", "A suspended account sends nothing, and a trial account sends to verified phones alone.", Both, accountStatus},
		{"clock-skew", "AWS refuses requests whose time is off, and a text's age and Twilio's list are reckoned by this clock.", Both, clockSkew},
	}
}

// relayOpen tells what kept the relay from being opened.
func relayOpen(_ context.Context, e *exam) Finding {
	switch {
	case e.OpenErr == nil:
		return ok("opened: %s", e.Where)
	case e.AWS != nil:
		return fail("name the stack's profile, region and names with --aws-profile, --aws-region, --queue, --ledger-table, --routing-table", "%v", e.OpenErr)
	default:
		return fail("name the folder that relay serve works on with --data, and ask as the user that it runs as; an older file is brought up to date by starting relay serve of this version", "%v", e.OpenErr)
	}
}

const (
	//nolint:gosec // the names of settings, no credentials.
	mendCredentials = "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN (or TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET) as relay serve has them; Twilio's console shows them under Account, API keys & tokens"
	mendMainKey     = "ask with TWILIO_AUTH_TOKEN, or with a Main API key: a restricted one may send, but not look"
)

// twilioCredentials asks for the account, which needs no more than that they hold.
func twilioCredentials(_ context.Context, e *exam) Finding {
	if e.Twilio == nil {
		return Finding{Status: Skipped, Found: "Twilio's credentials are not known here", Mend: mendCredentials}
	}
	answer := e.account()
	failure, _ := errors.AsType[*fault.Error](answer.err)
	switch {
	case answer.err == nil:
		return ok("Twilio takes them for %s", answer.account.Sid)
	case failure != nil && failure.HTTPStatus == http.StatusForbidden && !slices.Contains(twilio.SuspendedCodes(), failure.Code):
		return warn(mendMainKey, "Twilio knows them, but this key may not read the account")
	case failure != nil && failure.Kind == fault.Fatal:
		return fail(mendCredentials, "Twilio refuses them: %v", answer.err)
	default:
		return fail("look whether this host reaches api.twilio.com by HTTPS, then at status.twilio.com", "Twilio did not answer: %v", answer.err)
	}
}

var tokenForm = regexp.MustCompile("^[0-9a-f]{32}$")

// authToken asks with the first token, which has to be the account's primary one: Twilio signs with no other.
func authToken(ctx context.Context, e *exam) Finding {
	const mend = "copy the primary Auth Token from Twilio's console (Account, API keys & tokens) into TWILIO_AUTH_TOKEN, or into its secret"
	switch {
	case len(e.AuthTokens) == 0:
		return Finding{Status: Skipped, Found: "the Auth Token is not known here", Mend: mendCredentials}
	case strings.TrimSpace(e.AuthTokens[0]) != e.AuthTokens[0]:
		return fail(mend, "the first Auth Token has blanks at its ends, which belong to no token")
	}
	if e.WithToken != nil {
		_, err := e.WithToken.Account(ctx)
		failure, _ := errors.AsType[*fault.Error](err)
		switch {
		case failure != nil && failure.Kind == fault.Fatal:
			return fail(mend, "Twilio does not take the first Auth Token: %v", err)
		case err != nil:
			return skipped("Twilio did not answer, see twilio-credentials")
		}
	}
	if e.OwnTwilio && !tokenForm.MatchString(e.AuthTokens[0]) {
		return warn(mend, "the first Auth Token is not 32 hexadecimal digits, as Twilio's are")
	}
	if len(e.AuthTokens) > 2 {
		return warn("take tokens that Twilio no longer has out of TWILIO_AUTH_TOKEN", "%d Auth Tokens are accepted; a rotation has two", len(e.AuthTokens))
	}
	return ok("Twilio takes the first of %d", len(e.AuthTokens))
}

func accountStatus(_ context.Context, e *exam) Finding {
	account, missing := e.accountOr()
	switch {
	case missing != "":
		return skipped("%s", missing)
	case account.account.Status != "active":
		return fail("see Twilio's console (its first page says why), pay what is due, or ask Twilio's support", "the account is %s", account.account.Status)
	case account.account.Type == "Trial":
		return warn("upgrade the account in Twilio's console, Billing", "it is a trial account: it sends only to verified phones, and puts words before each text")
	default:
		return ok("the account is active")
	}
}

// accountOr returns what Twilio said of the account, or why that is not known.
func (e *exam) accountOr() (answer answered, missing string) {
	if e.Twilio == nil {
		return answered{}, errNoCredentials.Error()
	}
	if answer = e.account(); answer.err != nil {
		return answered{}, "Twilio did not show the account, see twilio-credentials"
	}
	return answer, ""
}

// Clocks that run by NTP are well within a second; Twilio's Date is exact to one.
const (
	skewWarns = 5 * time.Second
	skewFails = time.Minute
)

func clockSkew(_ context.Context, e *exam) Finding {
	answer, missing := e.accountOr()
	switch {
	case missing != "":
		return skipped("%s", missing)
	case answer.account.Date.IsZero():
		return skipped("Twilio's answer had no date")
	}
	skew := answer.at.Sub(answer.account.Date).Round(time.Second)
	const mend = "switch time synchronisation on: timedatectl set-ntp true, then timedatectl status"
	switch {
	case skew.Abs() >= skewFails:
		return fail(mend, "this host's clock is %s off Twilio's", skew)
	case skew.Abs() >= skewWarns:
		return warn(mend, "this host's clock is %s off Twilio's", skew)
	default:
		return ok("this host's clock agrees with Twilio's to %s", max(skew.Abs(), time.Second))
	}
}
