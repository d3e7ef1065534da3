package doctor

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

func accountChecks() []Check {
	return []Check{
		{"relay-open", "Without its tables and queues, the texts cannot be checked.", both, relayOpen},
		{"twilio-credentials", "With wrong credentials Twilio refuses every text that the relay sends: all texts wait.", both, twilioCredentials},
		{
			"auth-token", "Twilio signs webhooks with the Auth Token. If the relay has another token, it refuses every text as a forgery.", both,
			authToken,
		},
		{"account-status", "A suspended account sends nothing, and a trial account sends only to verified phones.", both, accountStatus},
		{"clock-skew", "If this clock is wrong, AWS refuses requests, and the relay gets the age of texts wrong.", both, clockSkew},
	}
}

// relayOpen says why the relay could not be opened.
func relayOpen(_ context.Context, e *exam) Finding {
	switch {
	case e.OpenErr == nil:
		return ok("opened: %s", e.Where)
	case e.AWS != nil:
		return fail("name the stack's profile, region and names with --aws-profile, --aws-region, --queue, --ledger-table, --routing-table",
			"%v", e.OpenErr)
	default:
		return fail("name relay serve's folder with --data, and run this as the same user; if the file is older, start relay serve of this "+
			"version once to update it", "%v", e.OpenErr)
	}
}

const (
	fixCredentials = "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN (or TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET) to relay serve's " +
		"values; Twilio's console shows them under Account, API keys & tokens"
	fixMainKey = "use TWILIO_AUTH_TOKEN or a Main API key: a restricted key may send, but not read the account"
)

// twilioCredentials asks Twilio for the account: that works with any valid credentials.
func twilioCredentials(_ context.Context, e *exam) Finding {
	if e.Twilio == nil {
		return Finding{Status: Skipped, Found: "Twilio's credentials are not set here", Fix: fixCredentials}
	}
	answer := e.account()
	failure, _ := errors.AsType[*fault.Error](answer.err)
	switch {
	case answer.err == nil:
		return ok("Twilio accepts them for %s", answer.account.Sid)
	case failure != nil && failure.HTTPStatus == http.StatusForbidden && !slices.Contains(twilio.SuspendedCodes(), failure.Code):
		return warn(fixMainKey, "Twilio accepts them, but this key may not read the account")
	case failure != nil && failure.Kind == fault.Fatal:
		return fail(fixCredentials, "Twilio refuses them: %v", answer.err)
	default:
		return fail("check that this host can reach api.twilio.com by HTTPS, then look at status.twilio.com", "Twilio did not answer: %v",
			answer.err)
	}
}

var tokenForm = regexp.MustCompile("^[0-9a-f]{32}$")

// authToken asks Twilio with the first token. It must be the account's primary token: Twilio signs with no other.
func authToken(ctx context.Context, e *exam) Finding {
	const fix = "copy the primary Auth Token from Twilio's console (Account, API keys & tokens) into TWILIO_AUTH_TOKEN, or into its secret"
	switch {
	case len(e.AuthTokens) == 0:
		return Finding{Status: Skipped, Found: "the Auth Token is not set here", Fix: fixCredentials}
	case strings.TrimSpace(e.AuthTokens[0]) != e.AuthTokens[0]:
		return fail(fix, "the first Auth Token begins or ends with a space; remove it")
	}
	if e.WithToken != nil {
		_, err := e.WithToken.Account(ctx)
		failure, _ := errors.AsType[*fault.Error](err)
		switch {
		case failure != nil && failure.Kind == fault.Fatal:
			return fail(fix, "Twilio does not accept the first Auth Token: %v", err)
		case err != nil:
			return skipped("Twilio did not answer, see twilio-credentials")
		}
	}
	if e.OwnTwilio && !tokenForm.MatchString(e.AuthTokens[0]) {
		return warn(fix, "the first Auth Token is not 32 hexadecimal digits, as Twilio's tokens are")
	}
	if len(e.AuthTokens) > 2 {
		return warn("remove the tokens that Twilio no longer has from TWILIO_AUTH_TOKEN",
			"%d Auth Tokens are accepted; replacing a token needs only two", len(e.AuthTokens))
	}
	return ok("Twilio accepts the first of %d", len(e.AuthTokens))
}

func accountStatus(_ context.Context, e *exam) Finding {
	account, missing := e.accountOr()
	switch {
	case missing != "":
		return skipped("%s", missing)
	case account.account.Status != "active":
		return fail("see Twilio's console (its first page says why), pay what is due, or ask Twilio's support", "the account is %s",
			account.account.Status)
	case account.account.Type == "Trial":
		return warn("upgrade the account in Twilio's console, Billing",
			"it is a trial account: it sends only to verified phones, and adds words at the start of each text")
	default:
		return ok("the account is active")
	}
}

// accountOr returns what Twilio said about the account, or why that is not known.
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
	const fix = "switch time synchronisation on: timedatectl set-ntp true, then timedatectl status"
	switch {
	case skew.Abs() >= skewFails:
		return fail(fix, "this host's clock is %s off Twilio's", duration.Text(skew))
	case skew.Abs() >= skewWarns:
		return warn(fix, "this host's clock is %s off Twilio's", duration.Text(skew))
	default:
		return ok("this host's clock agrees with Twilio's to %s", duration.Text(max(skew.Abs(), time.Second)))
	}
}
