package backups

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/onehost/replica"
)

// copyFiles brings the files that are copied whole to the place: closed segments, attachments and changes that were set aside, which never
// change, users, and the settings. Those that the folder no longer has are gone with the next manifest. Nothing happens while the folders
// are as they were.
func (r *Replication) copyFiles(ctx context.Context, m moment) (changed bool, err error) {
	looked := r.look(m)
	if slices.Equal(looked, r.looked) {
		return false, nil
	}
	wanted, err := r.wanted(m)
	if err != nil {
		return false, err
	}
	for name, size := range wanted {
		if there, ok := r.files[name]; ok && there == size && !strings.HasPrefix(name, datafolder.UsersFolder+"/") {
			continue
		}
		changed = true
		if err := r.copyFile(ctx, name); err != nil {
			return true, err
		}
	}
	settings := settingsText(r.source.Settings, false)
	if there, ok := r.files[settingsFile]; !ok || there != int64(len(settings)) || r.looked == nil {
		if err := r.store.Put(ctx, filesFolder+settingsFile, strings.NewReader(settings), int64(len(settings))); err != nil {
			return true, fmt.Errorf("copy the settings: %w", err)
		}
		r.files[settingsFile] = int64(len(settings))
	}
	for name := range r.files {
		if _, ok := wanted[name]; !ok && name != settingsFile {
			delete(r.files, name)
			r.gone = append(r.gone, filesFolder+name)
		}
	}
	r.looked = looked
	return changed, nil
}

// look says how the folders of these files are. A folder changes when a file is made in it, or removed.
func (r *Replication) look(m moment) (looked []time.Time) {
	for _, folder := range wholeFolders() {
		var at time.Time
		if info, err := os.Stat(filepath.Join(r.source.Data, folder)); err == nil {
			at = info.ModTime()
		}
		looked = append(looked, at)
	}
	for _, s := range m.closed {
		looked = append(looked, time.Unix(s.Number, int64(len(s.Path))))
	}
	return looked
}

// wanted lists the files, with their sizes, by their names in the folder, with slashes.
func (r *Replication) wanted(m moment) (map[string]int64, error) {
	wanted := map[string]int64{}
	add := func(name string, info fs.FileInfo) { wanted[filepath.ToSlash(name)] = info.Size() }
	for _, s := range m.closed {
		if info, err := os.Stat(s.Path); err == nil {
			add(filepath.Base(s.Path), info)
		}
	}
	for _, folder := range wholeFolders() {
		err := filepath.WalkDir(filepath.Join(r.source.Data, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() || durable.IsUnfinished(entry.Name()) {
				if errors.Is(err, fs.ErrNotExist) {
					err = nil
				}
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return nil //nolint:nilerr // it is gone meanwhile.
			}
			name, err := filepath.Rel(r.source.Data, path)
			add(name, info)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return wanted, nil
}

// copyFile brings one of them to the place. One that is gone meanwhile is not needed.
func (r *Replication) copyFile(ctx context.Context, name string) error {
	file, err := os.Open(filepath.Join(r.source.Data, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it is only read.
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := r.store.Put(ctx, filesFolder+name, file, info.Size()); err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	r.files[name] = info.Size()
	return nil
}

// maxParts is how many parts the current segment may have until they are put together.
const maxParts = 100

// copyAudit brings what the current segment has more to the place, as a part of its own. Many parts become one. It returns what the
// manifest has to say, and the parts that are not needed any more then.
func (r *Replication) copyAudit(ctx context.Context, m moment) (next auditIs, stale []part, err error) {
	was := r.is.Audit
	if m.audit == nil || m.size == 0 {
		return auditIs{}, was.Parts, nil
	}
	head := ""
	if was.Begin > 0 && m.size >= was.size() {
		if head, err = headOf(m.audit, was.Begin); err != nil {
			return auditIs{}, nil, err
		}
	}
	next = auditIs{Begin: was.Begin, Head: was.Head, Parts: slices.Clone(was.Parts)}
	if was.Begin == 0 || head != was.Head || len(was.Parts) >= maxParts {
		// It is another file, or there are too many parts.
		stale, next = was.Parts, auditIs{Begin: min(m.size, headSize)}
		if next.Head, err = headOf(m.audit, next.Begin); err != nil {
			return auditIs{}, nil, err
		}
	}
	from := next.size()
	if from == m.size {
		return next, stale, nil
	}
	p := part{Key: path.Join(auditParts, fmt.Sprintf("%s-%s-%012d", m.at.Format(timeForm), next.Head[:8], from)), Size: m.size - from}
	p.Key = fmt.Sprintf("%s-%012d", p.Key, m.size)
	if err := r.store.Put(ctx, p.Key, io.NewSectionReader(m.audit, from, p.Size), p.Size); err != nil {
		return auditIs{}, nil, fmt.Errorf("copy the audit log: %w", err)
	}
	next.Parts = append(next.Parts, p)
	return next, slices.DeleteFunc(slices.Clone(stale), func(s part) bool { return s.Key == p.Key }), nil
}

// forgetParts removes parts of the audit log that no manifest names: a crash left them.
func (r *Replication) forgetParts(ctx context.Context) error {
	var stray []string
	err := r.store.List(ctx, auditParts, func(o replica.Object) error {
		if !slices.ContainsFunc(r.is.Audit.Parts, func(p part) bool { return p.Key == o.Key }) {
			stray = append(stray, o.Key)
		}
		return nil
	})
	for _, key := range stray {
		if err == nil {
			err = r.store.Delete(ctx, key)
		}
	}
	return err
}

// writeAudit writes the current segment of a replica to a file.
func writeAudit(ctx context.Context, from replica.Store, audit auditIs, file string, disk durable.Disk) error {
	return disk.Write(file, func(out io.Writer) error {
		for _, p := range audit.Parts {
			content, err := from.Open(ctx, p.Key, 0, 0)
			if err == nil {
				_, err = io.CopyN(out, content, p.Size)
				err = errors.Join(err, content.Close())
			}
			if err != nil {
				return fmt.Errorf("%s: %w", p.Key, err)
			}
		}
		return nil
	})
}
