package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/route"
)

// Host is the relay on this host: its folder and database.
type Host struct {
	// Folder is RELAY_DATA; Database and AuditLog are files in it.
	Folder, Database, AuditLog string
	// Disk returns how many bytes are free on a folder's disk, and how many it has.
	Disk func(folder string) (free, total uint64, err error)
	// OldestChange returns the time of the oldest change that is not in the audit log yet; found is false if all are in it. Nil if
	// the database could not be opened.
	OldestChange func(ctx context.Context) (at time.Time, found bool, err error)
	// QuickCheck reads the whole database and returns what is damaged. Nil if the database could not be opened.
	QuickCheck func(ctx context.Context) (findings []string, err error)
	// Schema says what the database file is. It can be read also if the database could not be opened.
	Schema func(ctx context.Context) (sqlite.Schema, error)
	// Moved returns when relay serve first noticed that the folder was copied or restored; zero if it never did. unopened means that it
	// was copied or restored, and relay serve has not started on it since. Nil if the database could not be opened.
	Moved func(ctx context.Context) (at time.Time, unopened bool, err error)
	// CatchUp says how far relay serve has come with asking Twilio what the copied folder does not have; found is false if it has not begun.
	CatchUp func() (state backups.CatchUp, found bool, err error)
	// Backups says how it stands with the backups; found is false if none was ever made, and relay serve makes none.
	Backups func() (state backups.State, found bool, err error)
	// Replica says how it stands with the replica; found is false if relay serve never kept one.
	Replica func() (state backups.ReplicaState, found bool, err error)
}

func hostChecks() []Check {
	return []Check{
		{
			"disk-space", "If the disk is full, the relay accepts no texts: they wait at Twilio for seconds, and are then lost.", onOneHost,
			diskSpace,
		},
		{"wal-size", "If the database's log only grows, it fills the disk and makes the next start slow.", onOneHost, walSize},
		{"database-room", "A database that does not give back what it no longer needs fills the disk.", onOneHost, databaseRoom},
		{
			"database-integrity", "A damaged database loses texts or sends them twice. This check finds the damage before a text does.", onOneHost,
			databaseIntegrity,
		},
		{"folder-moved", "A copy of the folder holds the same texts. If both run, a text can be sent twice.", onOneHost, folderMoved},
		{"backup", "If this host is lost, a backup or a replica is all that is left of its texts.", onOneHost, backup},
		{"data-permissions", "The folder holds customers' texts and numbers. Only the relay's user should read it.", onOneHost, dataPermissions},
		{"audit-file", "The audit log records what happened to each text.", onOneHost, auditFile},
		{"iterator-age", "Nobody can look up a change that is not in the audit log yet.", both, iteratorAge},
	}
}

const (
	mega = 1 << 20
	giga = 1 << 30
)

func diskSpace(_ context.Context, e *exam) Finding {
	free, total, err := e.Host.Disk(e.Host.Folder)
	fix := fmt.Sprintf("free space on the disk of %s, or stop relay serve and move the folder", e.Host.Folder)
	switch {
	case err != nil:
		return skipped("the disk of %s could not be checked: %v", e.Host.Folder, err)
	case free < 200*mega || free < total/50:
		return fail(fix, "%d MB of %d MB are free", free/mega, total/mega)
	case free < giga || free < total/10:
		return warn(fix, "%d MB of %d MB are free", free/mega, total/mega)
	default:
		return ok("%d MB of %d MB are free", free/mega, total/mega)
	}
}

// The relay merges the log into the database every few megabytes, unless someone reads for a long time.
const (
	walWarns = 64 * mega
	walFails = 512 * mega
)

func walSize(_ context.Context, e *exam) Finding {
	const fix = "stop the program that keeps the database open (a backup, a shell), then restart relay serve"
	info, err := os.Stat(filepath.Join(e.Host.Folder, e.Host.Database+"-wal"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ok("there is no log: no program has the database open, or the log was merged into it")
	case err != nil:
		return skipped("the log could not be checked: %v", causeOf(err))
	case info.Size() >= walFails:
		return fail(fix, "the log has %d MB", info.Size()/mega)
	case info.Size() >= walWarns:
		return warn(fix, "the log has %d MB", info.Size()/mega)
	default:
		return ok("the log has %d kB", info.Size()>>10)
	}
}

func databaseRoom(ctx context.Context, e *exam) Finding {
	if e.Host.Schema == nil {
		return skipped(errNotOpened)
	}
	schema, err := e.Host.Schema(ctx)
	if err != nil {
		return skipped("how much of %s is used could not be read: %v", e.Host.Database, causeOf(err))
	}
	unused, all := schema.Unused/mega, schema.Bytes/mega
	if schema.GivesBack || schema.Surplus == 0 {
		return ok("%d MB of %d MB in %s are not used", unused, all, e.Host.Database)
	}
	fix := fmt.Sprintf("stop relay serve, run relay upgrade, and start it again; relay upgrade needs %d MB on the disk for that",
		schema.RebuildBytes()/mega+1)
	return warn(fix, "%d MB of %d MB in %s are not used, and the disk does not get them back: an older release made the file", unused, all,
		e.Host.Database)
}

// causeOf removes the path, which the finding already has.
func causeOf(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

func databaseIntegrity(ctx context.Context, e *exam) Finding {
	if e.Host.QuickCheck == nil {
		return skipped(errNotOpened)
	}
	findings, err := e.Host.QuickCheck(ctx)
	switch {
	case err != nil:
		return skipped("the database could not be read to the end: %v", err)
	case len(findings) > 0:
		return fail("stop relay serve, save a copy of the folder, and restore it from the backup; docs/runbook.md says how to find the texts "+
			"that came since then", "%s is damaged: %s", e.Host.Database, strings.Join(findings, "; "))
	default:
		return ok("every page of %s is whole", e.Host.Database)
	}
}

// movedLately is how long doctor warns about a move: after that time, no text from before the move is sent.
const movedLately = route.MaxMaxAge

func folderMoved(ctx context.Context, e *exam) Finding {
	if e.Host.Moved == nil {
		return skipped(errNotOpened)
	}
	const fix = "make sure that no relay serve runs on the other folder, and that Twilio's webhooks reach only one of them"
	at, unopened, err := e.Host.Moved(ctx)
	switch {
	case err != nil:
		return skipped("the database could not say where it was before: %v", err)
	case unopened:
		return warn(fix, "%s was copied or restored, and relay serve has not started on it yet; it will ask Twilio about each queued text "+
			"before it sends it",
			e.Host.Folder)
	}
	isLate := !at.IsZero() && e.Now().Sub(at) < movedLately
	state, found, err := e.Host.CatchUp()
	where := fmt.Sprintf("%s was copied or restored, and relay serve started on it at %s", e.Host.Folder, at.Format(time.RFC3339))
	since := state.Since.Format(time.RFC3339)
	switch {
	case err != nil:
		return skipped("%s could not be read: %v", datafolder.CatchUpFile, causeOf(err))
	case found && !at.IsZero() && state.Failure != "":
		return fail("correct what it says. relay serve asks again by itself; docs/runbook.md, folder-moved",
			"%s; Twilio cannot be asked which texts came in since %s, and nobody gets those: %s", where, since, state.Failure)
	case found && !at.IsZero() && state.DoneAt.IsZero():
		return warn(fix, "%s; it is asking Twilio which texts came in since %s: so far %d are not in the folder, and were queued",
			where, since, state.Queued)
	case isLate && found:
		return warn(fix, "%s; Twilio was asked which texts came in since %s: %d were not in the folder, and were queued. Twilio is asked about "+
			"each older text before it is sent", where, since, state.Queued)
	case isLate:
		return warn(fix, "%s; it asks Twilio about each older text before it sends it", where)
	default:
		return ok("the folder was not moved")
	}
}

func dataPermissions(_ context.Context, e *exam) Finding {
	var findings []Finding
	for _, name := range []string{"", e.Host.Database, e.Host.Database + "-wal", e.Host.AuditLog} {
		path := filepath.Join(e.Host.Folder, name)
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			findings = append(findings, skipped("%s could not be checked: %v", path, causeOf(err)))
		case info.Mode().Perm()&0o077 != 0:
			findings = append(findings, fail("chmod -R go= "+e.Host.Folder, "other users may read or change %s (%s)", path, info.Mode().Perm()))
		default:
			findings = append(findings, ok("only the owner may use the folder and its files"))
		}
	}
	return together(findings)
}

func auditFile(_ context.Context, e *exam) Finding {
	path := filepath.Join(e.Host.Folder, e.Host.AuditLog)
	whole, err := endsWhole(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail("stop relay serve and restore the file from the backup; otherwise relay serve makes a new one when it starts",
			"%s is missing", path)
	case err != nil:
		return skipped("%s could not be read: %v", path, causeOf(err))
	case !whole:
		return warn("restart relay serve: it removes the incomplete line and writes it again", "the last line of %s is incomplete", path)
	}
	trouble, err := jsonlines.Trouble(path)
	switch {
	case err != nil:
		return skipped("the segments of %s could not be listed: %v", path, causeOf(err))
	case len(trouble) > 0:
		return fail("put the file back under that name, or restore it from the backup; relay audit verify says what is missing", "%s",
			strings.Join(trouble, "; "))
	default:
		return ok("it exists and its last line is complete")
	}
}

// endsWhole reports whether a file is empty or ends with a newline.
func endsWhole(path string) (bool, error) {
	file, err := os.Open(path) //nolint:gosec // the folder is the operator's own.
	if err != nil {
		return false, err
	}
	defer file.Close() //nolint:errcheck // it was only read.
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return true, err
	}
	last := make([]byte, 1)
	_, err = file.ReadAt(last, info.Size()-1)
	return last[0] == '\n', err
}

// Normally the audit log is milliseconds behind; on AWS the alarm of this name fires at five minutes.
const (
	lagWarns = time.Minute
	lagFails = 5 * time.Minute
)

func iteratorAge(ctx context.Context, e *exam) Finding {
	if e.AWS != nil {
		return streamAge(ctx, e)
	}
	if e.Host.OldestChange == nil {
		return skipped(errNotOpened)
	}
	at, found, err := e.Host.OldestChange(ctx)
	if err != nil {
		return skipped("the changes could not be read: %v", err)
	}
	age := e.Now().Sub(at)
	return behind(age, !found, "start relay serve, and look in its log for changes audited with an error: the disk may be full")
}

// behind makes a finding about how far behind the audit log is.
func behind(age time.Duration, none bool, fix string) Finding {
	switch {
	case none:
		return ok("every change is in the audit log")
	case age >= lagFails:
		return fail(fix, "the audit log is %s behind", duration.Text(age.Round(time.Second)))
	case age >= lagWarns:
		return warn(fix, "the audit log is %s behind", duration.Text(age.Round(time.Second)))
	default:
		return ok("the audit log is less than a minute behind")
	}
}
