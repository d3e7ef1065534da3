package backups

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/onehost/replica"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// fetchReplica writes into the folder what a replica has, as of the moment of its manifest, and reads its database to the end.
func fetchReplica(ctx context.Context, whole replica.Store, is replicaIs, folder string) (Manifest, error) {
	if err := is.checkForm(); err != nil {
		return Manifest{}, err
	}
	disk := durable.Disk{}
	if err := disk.MakeFolder(folder); err != nil {
		return Manifest{}, err
	}
	m := Manifest{
		Format: format, Relay: is.Relay, Schema: is.Schema, TakenAt: is.TakenAt, StartedAt: is.TakenAt, EndedAt: is.TakenAt, Replica: true,
	}
	store, database := storeOf(whole, is.ID), filepath.Join(folder, databaseName)
	if err := replica.Restore(ctx, store, is.Position, database); err != nil {
		return Manifest{}, err
	}
	if err := errors.Join(sqlite.MarkCopied(ctx, database), sqlite.Check(ctx, database)); err != nil {
		return Manifest{}, err
	}
	names := []string{databaseName}
	if len(is.Audit.Parts) > 0 {
		if err := writeAudit(ctx, store, is.Audit, filepath.Join(folder, auditName), disk); err != nil {
			return Manifest{}, fmt.Errorf("restore the audit log: %w", err)
		}
		names = append(names, auditName)
	}
	files, err := filesIn(ctx, store)
	if err != nil {
		return Manifest{}, err
	}
	for name, size := range files {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return Manifest{}, fmt.Errorf("%q has no place in a replica", name)
		}
		if err := fetchFile(ctx, store, name, size, folder, disk); err != nil {
			return Manifest{}, fmt.Errorf("restore %s: %w", name, err)
		}
		names = append(names, name)
	}
	if err := dropLater(folder, is.Closed); err != nil {
		return Manifest{}, err
	}
	m.Files, err = describe(folder, names)
	return m, err
}

// dropLater removes segments that were closed after the moment: the current one of that moment has what they begin with.
func dropLater(folder string, newest int64) error {
	closed, err := jsonlines.ClosedSegments(filepath.Join(folder, auditName))
	for _, s := range closed {
		if err == nil && s.Number > newest {
			err = os.Remove(s.Path)
		}
	}
	return err
}

// fetchFile writes one of the files that never change.
func fetchFile(ctx context.Context, from replica.Store, name string, size int64, folder string, disk durable.Disk) error {
	content, err := from.Open(ctx, filesFolder+name, 0, 0)
	if isMissing(err) && strings.HasPrefix(name, "media/") {
		return nil // The relay that still runs has removed it: it was too old.
	}
	if err != nil {
		return err
	}
	err = disk.Write(filepath.Join(folder, filepath.FromSlash(name)), func(out io.Writer) error {
		_, err := io.CopyN(out, content, size)
		return err
	})
	return errors.Join(err, content.Close())
}

// describe lists files as a manifest does. One that is not there is left out.
func describe(folder string, names []string) (files []File, err error) {
	for _, name := range names {
		file, err := os.Open(filepath.Join(folder, filepath.FromSlash(name))) //nolint:gosec // it was just written.
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sum := sha256.New()
		size, err := io.Copy(sum, file)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
		files = append(files, File{Name: name, Size: size, SHA256: sumOf(sum)})
	}
	return files, nil
}
