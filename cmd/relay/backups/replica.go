package backups

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/onehost/replica"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// A replica is a copy of a data folder that a relay keeps up to date while it runs. In its place it has a manifest, and below replica/ID/
// the database in parts (ltx), the files that never change (files), and the current segment of the audit log in parts (audit). The manifest
// is written last: what it names is there, and is of one moment. Each data folder has a replica of its own, so that two relays with one
// place do not spoil each other's, and a folder that was restored does not go on where the lost one may still be writing.
const (
	replicaManifest = "sms-relay-replica-"
	manifestEnd     = ".json"
	replicaFolder   = "replica/"
	filesFolder     = "files/"
	auditParts      = "audit/"
)

// replicaFormat is the version of the form of a replica.
const replicaFormat = 1

// abandonedAfter is how old the newest state of a replica is when another relay's, in the same place, removes it.
const abandonedAfter = 7 * 24 * time.Hour

// replicaIs says which state a replica has.
type replicaIs struct {
	Format int    `json:"format"`
	ID     string `json:"id"`
	// Relay and Schema are as in Manifest.
	Relay  string `json:"relay"`
	Schema int    `json:"schema"`
	// TakenAt is the moment whose state it has, in UTC, and Position that of the database.
	TakenAt  time.Time `json:"taken_at"`
	Position uint64    `json:"position"`
	// Closed is the number of the newest closed segment of the audit log at that moment, and Audit the current one.
	Closed int64   `json:"closed,omitempty"`
	Audit  auditIs `json:"audit"`
}

// auditIs is a file that only grows, in parts.
type auditIs struct {
	// Begin is how many bytes Head is the hash of: those with which the file begins. Another file begins in another way.
	Begin int64  `json:"begin,omitempty"`
	Head  string `json:"head,omitempty"`
	Parts []part `json:"parts,omitempty"`
}

// part is one part of it: Size bytes.
type part struct {
	Key  string `json:"key"`
	Size int64  `json:"size"`
}

// size is how many bytes the parts have.
func (a auditIs) size() (bytes int64) {
	for _, p := range a.Parts {
		bytes += p.Size
	}
	return bytes
}

// newReplicaID makes the ID of a replica.
func newReplicaID(now time.Time) string {
	return now.UTC().Format(timeForm) + "-" + strings.ToLower(rand.Text()[:8])
}

func manifestKey(id string) string { return replicaManifest + id + manifestEnd }

// storeOf is where a replica has all but its manifest.
func storeOf(whole replica.Store, id string) replica.Store { //nolint:ireturn // it is one of two kinds.
	return within{whole, replicaFolder + id + "/"}
}

// write stores the manifest.
func (r replicaIs) write(ctx context.Context, to replica.Store) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return to.Put(ctx, manifestKey(r.ID), bytes.NewReader(text), int64(len(text)))
}

// isMissing reports whether an error says that there is no such object.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || err != nil && fault.Of(err).HTTPStatus == http.StatusNotFound
}

// readReplica reads the manifest of that key. The error is fs.ErrNotExist if there is none.
func readReplica(ctx context.Context, from replica.Store, key string) (r replicaIs, err error) {
	content, err := from.Open(ctx, key, 0, 0)
	if isMissing(err) {
		return replicaIs{}, fs.ErrNotExist
	}
	if err == nil {
		err = json.NewDecoder(io.LimitReader(content, maxManifest)).Decode(&r)
		err = errors.Join(err, content.Close())
	}
	if err != nil {
		return replicaIs{}, fmt.Errorf("the manifest %s cannot be read: %w", key, err)
	}
	return r, nil
}

// replicasIn reads the manifests of all replicas in a place.
func replicasIn(ctx context.Context, from replica.Store) (all []replicaIs, err error) {
	var keys []string
	err = from.List(ctx, replicaManifest, func(o replica.Object) error {
		if strings.HasSuffix(o.Key, manifestEnd) {
			keys = append(keys, o.Key)
		}
		return nil
	})
	for _, key := range keys {
		if err != nil {
			break
		}
		var one replicaIs
		if one, err = readReplica(ctx, from, key); errors.Is(err, fs.ErrNotExist) {
			err = nil
			continue
		}
		all = append(all, one)
	}
	return all, err
}

// newestReplica returns the replica with the newest state; found is false if the place has none.
func newestReplica(ctx context.Context, from Place) (newest replicaIs, found bool, err error) {
	store := from.store()
	if store == nil {
		return replicaIs{}, false, nil
	}
	all, err := replicasIn(ctx, store)
	if err != nil {
		return replicaIs{}, false, fmt.Errorf("list the replicas in %s: %w", from, err)
	}
	for _, one := range all {
		if !found || one.TakenAt.After(newest.TakenAt) {
			newest, found = one, true
		}
	}
	return newest, found, nil
}

// checkForm returns an error if this program cannot restore the replica.
func (r replicaIs) checkForm() error {
	if r.Format > replicaFormat || r.Schema > sqlite.SchemaVersion() {
		return ErrNewer
	}
	return nil
}

// removeAbandoned removes the replicas in the place whose relays have not been there for long.
func removeAbandoned(ctx context.Context, whole replica.Store, own string, now time.Time) error {
	all, err := replicasIn(ctx, whole)
	for _, one := range all {
		if one.ID == own || one.ID == "" || now.Sub(one.TakenAt) < abandonedAfter {
			continue
		}
		// The manifest goes last: without it, nobody would find the rest again.
		if err == nil {
			err = removeAll(ctx, storeOf(whole, one.ID), "")
		}
		if err == nil {
			err = whole.Delete(ctx, manifestKey(one.ID))
		}
	}
	return err
}

// removeAll removes each object whose key begins with prefix.
func removeAll(ctx context.Context, from replica.Store, prefix string) error {
	var keys []string
	err := from.List(ctx, prefix, func(o replica.Object) error { keys = append(keys, o.Key); return nil })
	for _, key := range keys {
		if err == nil {
			err = from.Delete(ctx, key)
		}
	}
	return err
}
