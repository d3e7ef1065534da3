package backups

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/auditsource"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// Source is what a backup is made of.
type Source struct {
	Database Database
	// Data is the data folder.
	Data string
	// Settings are those in force. Their secrets, and the keys of certificates, are left out unless Secrets is set.
	Settings []Setting
	Secrets  bool
	// Relay is the build.
	Relay string
	// VerifySince leaves older entries out when the copy of the audit log is verified: all of them need memory. Zero leaves out none.
	VerifySince time.Time
	Now         func() time.Time
	// Step, if not nil, is told of each step that is done.
	Step func(what string)
	// Disk is where files are made durable.
	Disk durable.Disk
}

// Steps is how many steps Take has.
const Steps = 4

// Taken is a backup that was made.
type Taken struct {
	Manifest

	// Where names the backup for people, and for Restore.
	Where string `json:"where"`
	// Packed is how many bytes the archive has.
	Packed int64 `json:"packed"`
	// Audit is what the verification of the copied audit log found. A log that is not sound is no reason to have no backup.
	Audit auditlog.Report `json:"-"`
}

// Take makes a backup and puts it in the place. It counts only when it is whole: it was unpacked, compared with its manifest, and its
// database was read to the end; and it is on the disk, or in the bucket, under its own name.
func Take(ctx context.Context, s Source, to Place) (taken Taken, err error) {
	scratch, err := makeScratch(to.scratch(s.Data), s.Disk)
	if err != nil {
		return Taken{}, fmt.Errorf("make a backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	name := to.name(s.Now())
	file := filepath.Join(scratch, "backup")
	taken.Manifest, err = s.pack(ctx, scratch, file, !strings.HasSuffix(name, ".tar"))
	if err != nil {
		return Taken{}, fmt.Errorf("make a backup: %w", err)
	}
	s.step("the audit log and the attachments are packed")
	if taken.Audit, err = s.check(ctx, file, filepath.Join(scratch, "check")); err != nil {
		return Taken{}, fmt.Errorf("check the backup: %w", err)
	}
	s.step("the backup is checked")
	info, err := os.Stat(file)
	if err != nil {
		return Taken{}, err
	}
	taken.Packed = info.Size()
	if err := to.put(ctx, name, file); err != nil {
		return Taken{}, fmt.Errorf("store the backup: %w", err)
	}
	taken.Where = to.whole(name)
	s.step("the backup is stored")
	return taken, nil
}

func (s Source) step(what string) {
	if s.Step != nil {
		s.Step(what)
	}
}

// pack writes the archive.
func (s Source) pack(ctx context.Context, scratch, file string, compressed bool) (m Manifest, err error) {
	m = Manifest{
		Format: format, Relay: s.Relay, Schema: sqlite.SchemaNeeds(), StartedAt: s.Now().UTC().Round(0), Secrets: s.Secrets,
	}
	var log auditLog
	copied := filepath.Join(scratch, databaseName)
	err = s.Database.CopyTo(ctx, copied, func() error {
		m.TakenAt = s.Now().UTC().Round(0)
		return log.freeze(filepath.Join(s.Data, auditName))
	})
	defer func() { err = errors.Join(err, log.close()) }()
	if err != nil {
		return m, err
	}
	s.step("the database is copied")
	err = s.Disk.Write(file, func(out io.Writer) error {
		to := newArchive(out, compressed, m.TakenAt)
		if err := s.fill(ctx, to, copied, &log); err != nil {
			return err
		}
		m.EndedAt = s.Now().UTC().Round(0)
		m, err = to.close(m)
		return err
	})
	return m, errors.Join(err, os.Remove(copied))
}

// wholeFolders are the folders in the data folder that are copied with all that is in them.
func wholeFolders() []string {
	return []string{datafolder.MediaFolder, datafolder.AuditFailures, datafolder.UsersFolder}
}

// fill adds all files.
func (s Source) fill(ctx context.Context, to *archive, database string, log *auditLog) error {
	if err := to.addFile(databaseName, database); err != nil {
		return err
	}
	if err := log.pack(to); err != nil {
		return err
	}
	folders := wholeFolders()
	if s.Secrets {
		folders = append(folders, datafolder.CertificatesFolder)
	}
	for _, folder := range folders {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := packFolder(to, filepath.Join(s.Data, folder), folder); err != nil {
			return err
		}
	}
	text := settingsText(s.Settings, s.Secrets)
	return to.add(settingsFile, strings.NewReader(text), int64(len(text)))
}

// check unpacks the archive as a restore would, and reads what it has.
func (s Source) check(ctx context.Context, file, folder string) (auditlog.Report, error) {
	content, err := os.Open(file) //nolint:gosec // it was just written.
	if err != nil {
		return auditlog.Report{}, err
	}
	_, err = unpack(content, folder, s.Disk)
	if err = errors.Join(err, content.Close()); err != nil {
		return auditlog.Report{}, err
	}
	report, err := verify(ctx, folder, s.VerifySince, s.Now)
	return report, errors.Join(err, os.RemoveAll(folder))
}

// verify reads the database of an unpacked backup to its end, and verifies the audit log with it.
func verify(ctx context.Context, folder string, since time.Time, now func() time.Time) (report auditlog.Report, err error) {
	if err := sqlite.Check(ctx, filepath.Join(folder, databaseName)); err != nil {
		return auditlog.Report{}, err
	}
	source, err := auditsource.Folder(ctx, folder, false)
	if errors.Is(err, os.ErrNotExist) {
		// A relay that got no text yet has no log.
		return auditlog.Report{}, nil
	}
	if err != nil {
		return auditlog.Report{}, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	return auditsource.Verification{Source: source, Since: since, Now: now}.Run(ctx)
}

// scratchPattern names the folders in which backups are made. One that is older than staleScratch was left by a crash.
const (
	scratchPattern = ".backup-*"
	staleScratch   = 24 * time.Hour
)

// makeScratch makes a folder for what is not finished yet, and removes what crashes left.
func makeScratch(in string, disk durable.Disk) (string, error) {
	if err := disk.MakeFolder(in); err != nil {
		return "", err
	}
	left, err := filepath.Glob(filepath.Join(in, scratchPattern))
	if err != nil {
		return "", err
	}
	for _, folder := range left {
		if info, err := os.Stat(folder); err == nil && time.Since(info.ModTime()) > staleScratch {
			if err := os.RemoveAll(folder); err != nil {
				return "", err
			}
		}
	}
	return os.MkdirTemp(in, scratchPattern)
}
