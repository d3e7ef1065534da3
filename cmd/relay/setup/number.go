package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/webhooks"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

func lookNumber(_ *cobra.Command, j *job) (result, error) {
	wanted, err := webhooks.Wanted(j.bases, "")
	if err != nil {
		return result{}, err
	}
	plan, err := webhooks.PlanOf(j.numbers, j.number, wanted)
	if err != nil {
		return result{}, err
	}
	if len(plan.Changes) == 0 {
		return result{State: done, What: string(j.number) + " posts its texts to " + j.bases[0]}, nil
	}
	return result{
		State: todo, What: "point " + string(j.number) + " at " + j.bases[0] + ", once the relay answers there",
		Changes: changeLines(plan.Changes),
	}, nil
}

func changeLines(changes []webhooks.Change) []string {
	var lines []string
	for _, c := range changes {
		if c.From != "" {
			lines = append(lines, "- "+c.Name+" "+c.From)
		}
		if c.To != "" {
			lines = append(lines, "+ "+c.Name+" "+c.To)
		}
	}
	return lines
}

// pointNumber points the number at the relay if the relay answers: texts that come in before that would be lost.
func pointNumber(cmd *cobra.Command, j *job) (string, error) {
	ctx := cmd.Context()
	if err := j.awaitRelay(ctx); err != nil {
		return "", err
	}
	wanted, err := webhooks.Wanted(j.bases, "")
	if err != nil {
		return "", err
	}
	number, err := webhooks.Find(j.numbers, j.number)
	if err != nil {
		return "", err
	}
	j.record = j.record.pointing(number, wanted)
	if err := j.keepRecord(); err != nil {
		return "", err
	}
	after, err := j.client.ConfigureNumber(ctx, number.Sid, wanted)
	if err == nil {
		err = webhooks.Lost(after.NumberSettings, wanted)
	}
	return string(j.number) + " posts its texts to " + j.bases[0], err
}

// awaitRelay asks for the relay's health, again and again if systemd has just started it.
func (j *job) awaitRelay(ctx context.Context) error {
	until := time.Now()
	if j.started {
		until = until.Add(j.host.patience)
	}
	const pause = 500 * time.Millisecond
	for {
		err := answers(ctx, j.bases[0])
		if err == nil || time.Now().After(until) {
			return err
		}
		select {
		case <-ctx.Done():
			return cli.Interrupted(ctx, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// answers reports whether a relay answers at that URL.
func answers(ctx context.Context, base string) error {
	const enough = 10 * time.Second
	address := strings.TrimSuffix(base, "/") + "/sms/health"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return errors.New("the relay's URL is not valid")
	}
	response, err := (&http.Client{Timeout: enough}).Do(request)
	if err != nil {
		return cli.Hinted(fmt.Errorf("no relay answers at %s, so the number's texts would be lost: %w", base, err),
			"start it (relay serve; journalctl -u "+unitName+" says why it stopped), and check that the domain leads to this host")
	}
	defer response.Body.Close() //nolint:errcheck // it is only read.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	if response.StatusCode != http.StatusOK {
		return cli.Hinted(fmt.Errorf("%s answers the health check with %d, so the number's texts could be lost", base, response.StatusCode),
			"relay doctor says more")
	}
	return nil
}

// elsewhere reports whether a number's texts go elsewhere by now than init said.
func (p pointed) elsewhere(all []twilio.Number) bool {
	found, err := webhooks.Find(all, p.PhoneNumber)
	return err != nil || found.SmsURL != p.After.SmsURL
}

func lookNumberBack(cmd *cobra.Command, j *job) (result, error) {
	if len(j.record.Numbers) == 0 {
		return result{State: done, What: "init pointed no number at this relay"}, nil
	}
	if err := j.signIn(cmd.Context(), j.value(cli.EnvAccountSid), j.value(cli.EnvAuthToken)); err != nil {
		return result{}, err
	}
	r := result{State: todo, What: "give the number back where its texts went before"}
	for _, p := range j.record.Numbers {
		if p.elsewhere(j.numbers) {
			r.Changes = append(r.Changes, "  "+string(p.PhoneNumber)+" posts its texts elsewhere by now, and stays so")
			continue
		}
		r.Changes = append(r.Changes, "  "+string(p.PhoneNumber))
		r.Changes = append(r.Changes, changeLines([]webhooks.Change{
			{Name: "SmsUrl", From: p.After.SmsURL, To: p.Before.SmsURL},
			{Name: "SmsFallbackUrl", From: p.After.SmsFallbackURL, To: p.Before.SmsFallbackURL},
		})...)
	}
	return r, nil
}

func giveNumberBack(cmd *cobra.Command, j *job) (string, error) {
	var back []string
	for _, p := range slices.Clone(j.record.Numbers) {
		if !p.elsewhere(j.numbers) {
			after, err := j.client.RestoreNumber(cmd.Context(), p.Sid, p.Before.settings())
			if err == nil && hookOf(after.NumberSettings) != p.Before {
				err = fmt.Errorf("Twilio accepted the change, but %s still has other settings", p.PhoneNumber) //nolint:staticcheck // a name.
			}
			if err != nil {
				return "", err
			}
			back = append(back, string(p.PhoneNumber))
		}
		j.record.Numbers = slices.DeleteFunc(j.record.Numbers, func(o pointed) bool { return o.Sid == p.Sid })
		if err := j.keepRecord(); err != nil {
			return "", err
		}
	}
	if len(back) == 0 {
		return "no number was changed", nil
	}
	return "the texts of " + strings.Join(back, ", ") + " go where they went before", nil
}

// isSame reports whether the canary went this way already.
func (a *arrived) isSame(number sms.PhoneNumber, base string) bool {
	return a != nil && a.PhoneNumber == number && a.URL == base
}
