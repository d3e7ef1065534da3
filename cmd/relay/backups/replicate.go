package backups

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/onehost/replica"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// AuditLog is what a replication needs of the audit log.
type AuditLog interface {
	// Freeze calls do with how many bytes of the current segment count, while nothing is appended, see jsonlines.Log.
	Freeze(do func(size int64) error) error
}

// ReplicaSource is what a replica is made of.
type ReplicaSource struct {
	// Data is the data folder, whose database this process has opened with sqlite.OpenReplicated.
	Data  string
	Audit AuditLog
	// Settings are those in force; a replica has them without their secrets.
	Settings []Setting
	// Relay is the build.
	Relay string
	Now   func() time.Time
}

// Replication keeps one replica up to date. Its methods are for one goroutine.
type Replication struct {
	source   ReplicaSource
	whole    replica.Store
	store    replica.Store
	database *replica.Replica
	// is is the manifest in the place; its TakenAt is zero before there is one.
	is replicaIs
	// files are those in the place that never change, by their names in the folder, with their sizes.
	files map[string]int64
	// gone are the keys of what the place has and the next manifest does not need.
	gone []string
	// looked says how the folders were when their files were listed, seen how the files were at the last copy, and read when that began.
	looked []time.Time
	seen   []time.Time
	read   time.Time
	// tidied is when the place was last put in order.
	tidied time.Time
}

// manifestEvery is how often a manifest is written while nothing changes: a restore wants to know how old it is.
const manifestEvery = time.Minute

// Replicate begins to keep a replica of the folder in the place, or goes on with the one of that ID. If that is not there, or id is
// empty, it is a new one, whose ID is another.
func Replicate(ctx context.Context, source ReplicaSource, to Place, id string) (r *Replication, newID string, err error) {
	whole := to.store()
	if whole == nil {
		return nil, "", errors.New("a replica needs a folder or s3://bucket/prefix, and this is a file")
	}
	r = &Replication{source: source, whole: whole}
	state := filepath.Join(source.Data, datafolder.ReplicaFolder)
	if id != "" {
		r.is, err = readReplica(ctx, whole, manifestKey(id))
	}
	switch {
	case id == "" || errors.Is(err, fs.ErrNotExist) || err == nil && r.is.checkForm() != nil:
		if err := os.RemoveAll(state); err != nil {
			return nil, "", err
		}
		r.is = replicaIs{ID: newReplicaID(source.Now())}
	case err != nil:
		return nil, "", err
	}
	r.is.Format, r.is.Relay, r.is.Schema = replicaFormat, source.Relay, sqlite.SchemaNeeds()
	r.store = storeOf(whole, r.is.ID)
	if r.files, err = filesIn(ctx, r.store); err != nil {
		return nil, "", err
	}
	r.database, err = replica.Open(ctx, replica.Config{
		Database: filepath.Join(source.Data, databaseName), State: state, Store: r.store,
	})
	return r, r.is.ID, err
}

// filesIn lists the files of a replica that never change.
func filesIn(ctx context.Context, store replica.Store) (map[string]int64, error) {
	files := map[string]int64{}
	err := store.List(ctx, filesFolder, func(o replica.Object) error {
		files[strings.TrimPrefix(o.Key, filesFolder)] = o.Size
		return nil
	})
	return files, err
}

// moment is what the folder had at one moment.
type moment struct {
	at       time.Time
	position uint64
	closed   []jsonlines.Segment
	// audit is the current segment, of which the first size bytes count; nil if there is none.
	audit *os.File
	size  int64
}

// freeze notes what the folder has. The audit log waits meanwhile: each change that the database does not have in its outbox any more is
// in the log then. Texts do not wait.
func (r *Replication) freeze(ctx context.Context) (m moment, err error) {
	// What there is to read is read before, so that the log waits for milliseconds.
	if _, err := r.database.Read(ctx); err != nil {
		return moment{}, err
	}
	path := filepath.Join(r.source.Data, auditName)
	err = r.source.Audit.Freeze(func(size int64) (err error) {
		m.at, m.size = r.source.Now().UTC().Round(0), size
		if m.closed, err = jsonlines.ClosedSegments(path); err != nil {
			return err
		}
		if m.audit, err = os.Open(path); errors.Is(err, fs.ErrNotExist) { //nolint:gosec // the path is in the data folder.
			m.audit, m.size, err = nil, 0, nil
		}
		if err == nil {
			m.position, err = r.database.Read(ctx)
		}
		return err
	})
	if err != nil && m.audit != nil {
		err = errors.Join(err, m.audit.Close())
	}
	return m, err
}

// Reads is false while nobody reads the database's log and nobody folds it, see replica.Replica.
func (r *Replication) Reads() bool { return r.database.Reads() }

// Copy brings to the place what the folder has that the place does not have, and returns the moment whose state the place has then. After
// an error the place has the state that it had before.
func (r *Replication) Copy(ctx context.Context) (at time.Time, err error) {
	now, seen := r.source.Now().UTC().Round(0), r.see()
	if r.isQuiet(now, seen) {
		return now, nil
	}
	if at, err = r.copy(ctx); err == nil {
		r.seen, r.read = seen, now
	}
	return at, err
}

// see says when each of the files and folders that change was last written to.
func (r *Replication) see() (seen []time.Time) {
	for _, name := range append(wholeFolders(), databaseName+"-wal", auditName) {
		var at time.Time
		if info, err := os.Stat(filepath.Join(r.source.Data, name)); err == nil {
			at = info.ModTime()
		}
		seen = append(seen, at)
	}
	return seen
}

// sameTick is within which time a file system may give two writes the same time.
const sameTick = time.Second

// isQuiet reports whether nothing was written since the last copy, so that the place still has what the folder has. At rest, that is all
// that is looked at.
func (r *Replication) isQuiet(now time.Time, seen []time.Time) bool {
	isOld := func(at time.Time) bool { return at.Add(sameTick).Before(r.read) }
	return slices.Equal(seen, r.seen) && !slices.ContainsFunc(seen, func(at time.Time) bool { return !isOld(at) }) &&
		len(r.gone) == 0 && now.Sub(r.is.TakenAt) < manifestEvery
}

// copy does it whether something has changed or not.
func (r *Replication) copy(ctx context.Context) (at time.Time, err error) {
	m, err := r.freeze(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if m.audit != nil {
		defer m.audit.Close() //nolint:errcheck // it is only read.
	}
	isSame := m.position == r.is.Position && m.size == r.is.Audit.size() && m.at.Sub(r.is.TakenAt) < manifestEvery
	changed, err := r.copyFiles(ctx, m)
	if err != nil || isSame && !changed && len(r.gone) == 0 {
		return m.at, err
	}
	next := r.is
	var stale []part
	if next.Audit, stale, err = r.copyAudit(ctx, m); err != nil {
		return time.Time{}, err
	}
	if err := r.database.Send(ctx); err != nil {
		return time.Time{}, err
	}
	next.TakenAt, next.Position, next.Closed = m.at, m.position, 0
	if len(m.closed) > 0 {
		next.Closed = m.closed[len(m.closed)-1].Number
	}
	if err := next.write(ctx, r.whole); err != nil {
		return time.Time{}, fmt.Errorf("store the manifest of the replica: %w", err)
	}
	r.is = next
	for _, p := range stale {
		r.gone = append(r.gone, p.Key)
	}
	for len(r.gone) > 0 {
		if err := r.store.Delete(ctx, r.gone[0]); err != nil {
			return time.Time{}, fmt.Errorf("remove what the replica does not need any more: %w", err)
		}
		r.gone = r.gone[1:]
	}
	return m.at, nil
}

// ErrReplicaGone means that somebody removed the replica from its place.
var ErrReplicaGone = errors.New("the replica was removed from its place")

// Tidy puts the place in order, if that is due: it puts parts together, and removes what is older than it has to be. The error is
// ErrReplicaGone if the replica has to begin again.
func (r *Replication) Tidy(ctx context.Context) error {
	now := r.source.Now()
	if r.is.TakenAt.IsZero() || now.Sub(r.tidied) < replica.TidyEvery {
		return nil
	}
	if _, err := readReplica(ctx, r.whole, manifestKey(r.is.ID)); errors.Is(err, fs.ErrNotExist) {
		return ErrReplicaGone
	}
	if err := r.database.Tidy(ctx); err != nil {
		return err
	}
	if err := r.forgetParts(ctx); err != nil {
		return err
	}
	r.tidied, r.looked = now, nil
	return removeAbandoned(ctx, r.whole, r.is.ID, now)
}

// Close brings the last changes to the place, unless ctx ends before, and ends. It has to come before the database is closed, and after
// everything else that writes to it.
func (r *Replication) Close(ctx context.Context) (at time.Time, err error) {
	at, err = r.Copy(ctx)
	return at, errors.Join(err, r.database.Close(ctx))
}

// headSize is how much of a file tells it from another.
const headSize = 1 << 10

// headOf is the hash of what the file begins with.
func headOf(file io.ReaderAt, size int64) (string, error) {
	sum := sha256.New()
	_, err := io.Copy(sum, io.NewSectionReader(file, 0, size))
	return hex.EncodeToString(sum.Sum(nil)), err
}
