package setup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// folderPath is where a file is for the relay, which a setting says.
func (j *job) folderPath(name string) string { return filepath.Join(j.folder, name) }

func lookSettings(_ *cobra.Command, j *job) (result, error) {
	_, changes, err := cli.WithSettings(j.envText, j.settings)
	if err != nil {
		return result{}, cli.Usage(err)
	}
	path := j.folderPath(settingsFile)
	if len(changes) == 0 {
		return result{State: done, What: path + " has the settings"}, nil
	}
	j.restart = true
	r := result{State: todo, What: "write " + path + readers()}
	for _, c := range changes {
		r.Changes = append(r.Changes, "+ "+c.Name+"="+masked(c))
	}
	return r, nil
}

// readers says who can read a file that init writes. On Windows the mode of a file does not say it.
func readers() string {
	if runtime.GOOS == "windows" {
		return ", which everybody can read who may read its folder"
	}
	return ", which only its owner can read"
}

// masked is the value of a setting as people may see it: of a secret, the length.
func masked(g cli.Given) string {
	isSecret := slices.ContainsFunc(cli.ServeSettings(), func(s cli.Setting) bool { return s.Env == g.Name && s.Secret })
	if isSecret {
		return fmt.Sprintf("(secret, %d characters)", utf8.RuneCountInString(g.Value))
	}
	return g.Value
}

func writeSettings(_ *cobra.Command, j *job) (string, error) {
	text, _, err := cli.WithSettings(j.envText, j.settings)
	if err != nil {
		return "", err
	}
	if err := j.write(settingsFile, []byte(text)); err != nil {
		return "", err
	}
	return "wrote " + j.folderPath(settingsFile), j.Config.Use(j.path(settingsFile))
}

// wantedRoutes returns the routes that maintenance.json should have, and how the number's differs from the one there. Everything else that
// the route says stays. differences is empty if nothing has to change.
func wantedRoutes(
	routes []route.Route, number sms.PhoneNumber, phones []route.Phone, now time.Time,
) (after []route.Route, differences []routing.Difference, err error) {
	at := slices.IndexFunc(routes, func(r route.Route) bool { return sms.Same(r.TwilioNumber, number) })
	wanted := route.Route{TwilioNumber: number}
	if at >= 0 {
		wanted = routes[at]
	}
	wanted.Active = true
	if len(phones) > 0 {
		wanted = withPhones(wanted, phones)
	}
	plan, err := routing.Import{Force: true, Author: routing.Author{Now: func() time.Time { return now }}}.Plan(routes, []route.Route{wanted})
	if err != nil {
		return nil, nil, err
	}
	if differences = plan[0].Differences; len(differences) == 0 {
		return routes, nil, nil
	}
	after = slices.Clone(routes)
	if at < 0 {
		return append(after, wanted), differences, wanted.Validate()
	}
	// The relay's table may have the route, and takes it only if it is newer.
	wanted.LastUpdated = now.UTC().Truncate(time.Second)
	after[at] = wanted
	return after, differences, wanted.Validate()
}

// withPhones gives a route the phones that get its texts, in their order. Names that the route has for other phones stay.
func withPhones(r route.Route, phones []route.Phone) route.Route {
	r.FallbackCarriers, r.Phones = nil, slices.Clone(r.Phones)
	for i, p := range phones {
		if i == 0 {
			r.DestinationCarrier = p.Number
		} else {
			r.FallbackCarriers = append(r.FallbackCarriers, p.Number)
		}
		if p.Name == "" {
			continue
		}
		at := slices.IndexFunc(r.Phones, func(o route.Phone) bool { return strings.EqualFold(o.Name, p.Name) || sms.Same(o.Number, p.Number) })
		if at < 0 {
			r.Phones = append(r.Phones, p)
		} else {
			r.Phones[at].Name, r.Phones[at].Number = p.Name, p.Number
		}
	}
	return r
}

func lookRoutes(_ *cobra.Command, j *job) (result, error) {
	_, differences, err := wantedRoutes(j.routes, j.number, j.phones, time.Now())
	if err != nil {
		return result{}, cli.Usage(err)
	}
	path := j.folderPath(routesFile)
	if len(differences) == 0 {
		return result{State: done, What: path + " has the route of " + string(j.number)}, nil
	}
	j.restart = true
	r := result{State: todo, What: "write the route of " + string(j.number) + " into " + path}
	for _, d := range differences {
		if d.From != "" {
			r.Changes = append(r.Changes, "- "+d.Field+" "+d.From)
		}
		if d.To != "" {
			r.Changes = append(r.Changes, "+ "+d.Field+" "+d.To)
		}
	}
	return r, nil
}

func writeRoutes(_ *cobra.Command, j *job) (string, error) {
	routes, _, err := wantedRoutes(j.routes, j.number, j.phones, time.Now())
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	if err := route.WriteMaintenance(&text, routes); err != nil {
		return "", err
	}
	return "wrote " + j.folderPath(routesFile), j.write(routesFile, text.Bytes())
}

// lookAside says what becomes of a file of init's when it is undone.
func lookAside(name string) func(*cobra.Command, *job) (result, error) {
	return func(_ *cobra.Command, j *job) (result, error) {
		path := j.folderPath(name)
		if !slices.Contains(j.record.Files, name) {
			return result{State: done, What: "init did not write " + path}, nil
		}
		if _, err := os.Stat(j.path(name)); errors.Is(err, fs.ErrNotExist) {
			return result{State: todo, What: "forget " + path + ", which is no longer there"}, nil
		}
		return result{State: todo, What: "move " + path + " to " + filepath.Base(asideOf(j.path(name)))}, nil
	}
}

// moveAside gives a file another name, and forgets that init wrote it.
func moveAside(name string) func(*cobra.Command, *job) (string, error) {
	return func(_ *cobra.Command, j *job) (string, error) {
		from := j.path(name)
		to := asideOf(from)
		if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err := (durable.Disk{}).SyncFolder(filepath.Dir(from)); err != nil {
			return "", err
		}
		j.record.Files = slices.DeleteFunc(j.record.Files, func(n string) bool { return n == name })
		return "moved " + j.folderPath(name) + " to " + filepath.Base(to), j.keepRecord()
	}
}

// asideOf is a name next to a file that nothing has yet.
func asideOf(path string) string {
	for i, aside := 2, path+".bak"; ; i, aside = i+1, fmt.Sprintf("%s.bak%d", path, i) {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			return aside
		}
	}
}
