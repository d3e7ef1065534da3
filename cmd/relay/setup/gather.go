package setup

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/webhooks"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/onehost/notify"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// given is what flags, environment and files say. What is empty has to be asked for.
type given struct {
	accountSid, token, number, url string
	phones                         []string
}

// given reads what is known before anybody is asked.
func (j *job) given(stdin io.Reader) (given, error) {
	g := given{
		accountSid: j.flags.accountSid, token: j.value(cli.EnvAuthToken), number: j.flags.number, phones: j.flags.phones,
		url: j.value(cli.EnvDomain),
	}
	if g.accountSid == "" {
		g.accountSid = j.value(cli.EnvAccountSid)
	}
	if g.url == "" {
		g.url = j.value(cli.EnvPublicBaseURL)
	}
	if g.number == "" && len(j.routes) == 1 {
		g.number = string(j.routes[0].TwilioNumber)
	}
	if j.flags.tokenFile == "" {
		return g, nil
	}
	token, err := readToken(j.flags.tokenFile, stdin)
	g.token = token
	return g, err
}

// readToken reads the Auth Token from a file, which has nothing else.
func readToken(path string, stdin io.Reader) (string, error) {
	in := stdin
	if path != "-" {
		file, err := os.Open(path) //nolint:gosec // the operator names the file.
		if err != nil {
			return "", cli.Usage(fmt.Errorf("--auth-token-file: %w", err))
		}
		defer file.Close() //nolint:errcheck // it is only read.
		in = file
	}
	const most = 4 << 10
	text, err := io.ReadAll(io.LimitReader(in, most))
	if err != nil {
		return "", cli.Usage(fmt.Errorf("--auth-token-file: %w", err))
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n=") {
		return "", cli.Usage(errors.New("--auth-token-file: want a file with the Auth Token and nothing else"))
	}
	return token, nil
}

// missing names what is not given. A number that has a route needs no phones.
func (g given) missing(isRouted bool) []string {
	var names []string
	for _, one := range []struct {
		name  string
		isSet bool
	}{
		{"--account-sid", g.accountSid != ""},
		{"the Auth Token (TWILIO_AUTH_TOKEN or --auth-token-file)", g.token != ""},
		{"--number", g.number != ""},
		{"--phone", len(g.phones) > 0 || isRouted},
		{"--domain (or --public-base-url, behind a proxy)", g.url != ""},
	} {
		if !one.isSet {
			names = append(names, one.name)
		}
	}
	return names
}

// gather reads, asks for and checks what the steps need.
func (j *job) gather(cmd *cobra.Command, mayAsk bool) error {
	g, err := j.given(cmd.InOrStdin())
	if err != nil {
		return err
	}
	isRouted := slices.ContainsFunc(j.routes, func(r route.Route) bool { return g.number != "" && string(r.TwilioNumber) == g.number })
	if names := g.missing(isRouted || slices.Contains(j.flags.skip, stepRoutes)); len(names) > 0 && !mayAsk {
		return missing(names)
	}
	for _, ask := range []func(cmd *cobra.Command, g *given) error{j.askAccount, j.askNumber, j.askPhones, j.askURL} {
		if err := ask(cmd, &g); err != nil {
			return err
		}
	}
	// Nobody is asked for it, but what is given has to be right.
	if _, err := notify.Parse(j.value(cli.EnvNotify)); err != nil {
		return cli.SettingsError(fmt.Errorf("%s: %w", cli.EnvNotify, err))
	}
	j.settings = j.wantedSettings(g)
	return nil
}

// askAccount asks for the account and its token until Twilio accepts them. What was given and is wrong is an error.
func (j *job) askAccount(cmd *cobra.Command, g *given) (err error) {
	isGiven := g.accountSid != "" && g.token != ""
	for {
		if g.accountSid == "" {
			if g.accountSid, err = j.Ask(cmd, "Twilio's Account SID, which begins with AC (console.twilio.com shows it):"); err != nil {
				return err
			}
		}
		if g.token == "" {
			if g.token, err = j.AskSecret(cmd, "Its Auth Token (it does not show as you type):"); err != nil {
				return err
			}
		}
		if err = j.signIn(cmd.Context(), g.accountSid, g.token); err == nil || isGiven {
			return err
		}
		j.sayWrong(err)
		g.accountSid, g.token = "", ""
	}
}

// askUntil hands over what was given. Without that it asks until an answer is right.
func (j *job) askUntil(cmd *cobra.Command, given, question string, take func(answer string) error) error {
	if given != "" {
		return take(given)
	}
	for {
		answer, err := j.Ask(cmd, question)
		if err != nil {
			return err
		}
		if err = take(answer); err == nil {
			return nil
		}
		j.sayWrong(err)
	}
}

// sayWrong says what is wrong with an answer, before it is asked for again.
func (j *job) sayWrong(err error) {
	cli.Say(j.Stderr, "  %v", err)
	if hinted, ok := errors.AsType[cli.HintedError](err); ok {
		cli.Say(j.Stderr, "  hint: %s", hinted.Hint)
	}
}

// askNumber asks for one of the account's numbers.
func (j *job) askNumber(cmd *cobra.Command, g *given) error {
	texting := slices.DeleteFunc(slices.Clone(j.numbers), func(n twilio.Number) bool { return !n.SMS })
	if g.number == "" {
		if len(texting) == 0 {
			return cli.Hinted(errors.New("the account has no number that can text"), "buy one in Twilio's console, Phone Numbers")
		}
		fmt.Fprintln(j.Stderr, "The account's numbers:")
		for i, n := range texting {
			cli.Printf(j.Stderr, "  %d  %s  %s\n", i+1, n.PhoneNumber, n.FriendlyName)
		}
	}
	return j.askUntil(cmd, g.number, "Which one do customers text?", func(answer string) error {
		if i, err := strconv.Atoi(answer); err == nil && i >= 1 && i <= len(texting) {
			answer = string(texting[i-1].PhoneNumber)
		}
		number, err := j.flags.numbers.Read(answer)
		if err != nil {
			return err
		}
		found, err := webhooks.Find(j.numbers, number)
		if err == nil && !found.SMS {
			err = cli.Hinted(fmt.Errorf("%s cannot text", number), "use a number of the account that can do SMS: relay number ls")
		}
		j.number = found.PhoneNumber
		return err
	})
}

// askPhones asks for the phones that get the texts, in the order in which they are tried. A number that has a route may keep its own.
func (j *job) askPhones(cmd *cobra.Command, g *given) error {
	for _, text := range g.phones {
		if err := j.addPhone(text); err != nil {
			return err
		}
	}
	if _, isRouted := j.routed(j.number); len(g.phones) > 0 || isRouted || slices.Contains(j.flags.skip, stepRoutes) {
		return nil
	}
	question := "Name and number of the phone that gets the texts, such as Ann +16195550123:"
	for {
		ended := false
		if err := j.askUntil(cmd, "", question, func(answer string) error {
			if ended = answer == "" && len(j.phones) > 0; ended {
				return nil
			}
			return j.addPhone(answer)
		}); err != nil || ended {
			return err
		}
		question = "The phone to try next, or nothing if that is all:"
	}
}

// addPhone reads a phone as people write it: a name, and a number behind an equals sign or a space. The name may be missing.
func (j *job) addPhone(text string) error {
	name, number, found := strings.Cut(text, "=")
	if !found {
		at := max(0, strings.IndexAny(text, "+(0123456789"))
		name, number = text[:at], text[at:]
	}
	phone, err := j.flags.numbers.Read(number)
	_, notOurs := webhooks.Find(j.numbers, phone)
	switch {
	case err != nil:
		return err
	case sms.Same(phone, j.number):
		return cli.Usage(fmt.Errorf("%s is the number that customers text: a phone is another one", phone))
	case notOurs == nil:
		return cli.Usage(fmt.Errorf("%s is a number of the account, not a phone: texts to it reach nobody", phone))
	case slices.ContainsFunc(j.phones, func(p route.Phone) bool { return sms.Same(p.Number, phone) }):
		return cli.Usage(fmt.Errorf("the phone %s is there twice", phone))
	}
	j.phones = append(j.phones, route.Phone{Name: route.PhoneName(name), Number: phone})
	return nil
}

// askURL asks where Twilio reaches the relay.
func (j *job) askURL(cmd *cobra.Command, g *given) error {
	const question = "The domain of this host, such as relay.example.com (behind a proxy: its whole URL, such as https://relay.example.com):"
	return j.askUntil(cmd, g.url, question, func(answer string) error {
		name := cli.EnvDomain
		if strings.Contains(answer, "://") {
			name = cli.EnvPublicBaseURL
		}
		r := env.New(func(n string) (string, bool) {
			if n == name {
				return answer, true
			}
			return j.lookup(n)
		})
		j.bases = cli.PublicBaseURLs(r)
		if err := r.Err(); err != nil {
			return cli.SettingsError(err)
		}
		if _, err := webhooks.Wanted(j.bases, ""); err != nil {
			return err
		}
		g.url = answer
		for _, domain := range cli.Domains(r) {
			if err := j.host.resolve(cmd.Context(), domain); err != nil {
				cli.Say(j.Stderr, "relay: warning: %s leads nowhere yet: give it an A record with this host's address", domain)
			}
		}
		return nil
	})
}

// wantedSettings are those that relay.env should have: what was said now, and what the environment has of relay serve's settings.
func (j *job) wantedSettings(g given) []cli.Given {
	said := map[string]string{cli.EnvAccountSid: g.accountSid, cli.EnvAuthToken: g.token, cli.EnvRoutes: j.folderPath(routesFile)}
	switch {
	case strings.Contains(g.url, "://"):
		said[cli.EnvPublicBaseURL] = g.url
	default:
		said[cli.EnvDomain] = g.url
	}
	if j.isSystem() && j.value(cli.EnvData) == "" {
		said[cli.EnvData] = systemData
	}
	var settings []cli.Given
	for _, s := range cli.ServeSettings() {
		value := said[s.Env]
		if value == "" {
			value = j.value(s.Env)
		}
		if value != "" {
			settings = append(settings, cli.Given{Name: s.Env, Value: value})
		}
	}
	return settings
}
