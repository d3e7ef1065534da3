package serve

import (
	"errors"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/serve/onehost"
	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/onehost/certificates"
)

// Lookup finds a setting: on the command line, else in the environment, else its fallback.
func Lookup(flags *pflag.FlagSet, environment func(string) (string, bool)) func(string) (string, bool) {
	return cli.LookupOf(cli.ServeSettings(), flags, environment)
}

// asTyped names the settings in an error as people typed them: by their flags if they were on the command line.
func asTyped(err error, flags *pflag.FlagSet) error {
	words := err.Error()
	for _, s := range cli.ServeSettings() {
		if f := flags.Lookup(s.Flag()); f != nil && f.Changed {
			words = regexp.MustCompile(`\b`+s.Env+`\b`).ReplaceAllLiteralString(words, "--"+s.Flag())
		}
	}
	return errors.New(words)
}

// ownCertificates is how the relay gets those of its own domains. Without a domain it gets none.
func ownCertificates(r *env.Reader) certificates.Config {
	config := certificates.Config{
		Domains: cli.Domains(r), Directory: env.Parsed(r, cli.EnvACMEDirectory, "", parseDirectory), Roots: r.String(cli.EnvACMERoots, ""),
		Email: r.String(cli.EnvACMEEmail, ""), Profile: r.String(cli.EnvACMEProfile, ""), HTTP: r.String(cli.EnvListenHTTP, ""),
	}
	if config.HTTP == "off" {
		config.HTTP = ""
	}
	return config
}

func parseShow(text string) (onehost.Show, error) {
	switch show := onehost.Show(text); show {
	case "", onehost.ShowMasked, onehost.ShowNumbers, onehost.ShowWords:
		return show, nil
	default:
		return "", errors.New("it is none of masked, numbers and words")
	}
}

func parseDirectory(text string) (string, error) {
	if text != "" && text != certificates.Staging && !strings.HasPrefix(text, "https://") {
		return "", errors.New("it is neither a URL that begins with https:// nor the word staging")
	}
	return text, nil
}

// backupsOf is which backups the relay makes.
func backupsOf(r *env.Reader, settings []backups.Setting) onehost.BackupConfig {
	return onehost.BackupConfig{
		To: r.String(cli.EnvBackup, ""), Keep: env.Parsed(r, cli.EnvBackupKeep, "", backups.ParseKeep),
		Every: r.DurationWithin(cli.EnvBackupEvery, 0, onehost.MinBackupInterval, maxBackupInterval), Settings: settings,
	}
}

// settingsOf are those in force, as a backup or a replica has them.
func settingsOf(r *env.Reader) (settings []backups.Setting) {
	for _, s := range cli.ServeSettings() {
		if value := r.String(s.Env, ""); value != "" && value != s.Fallback {
			settings = append(settings, backups.Setting{Name: s.Env, Value: value, Secret: s.Secret})
		}
	}
	return settings
}

// replicaOf is where the relay keeps a replica.
func replicaOf(r *env.Reader, settings []backups.Setting) onehost.ReplicaConfig {
	return onehost.ReplicaConfig{To: env.Parsed(r, cli.EnvReplicate, "", backups.ParseReplicaPlace), Settings: settings}
}

// maxBackupInterval is the longest time between two backups.
const maxBackupInterval = 30 * duration.Day
