package backups

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// ErrNotEmpty means that there is something in the folder that a restore must not replace.
var ErrNotEmpty = errors.New("the folder is not empty")

// Mark is what a restore leaves in the folder.
type Mark struct {
	// Says is the mark for people.
	Says string `json:"says"`
	// From is the backup, TakenAt the moment whose state it has, RestoredAt when it was restored. UTC.
	From       string    `json:"from"`
	TakenAt    time.Time `json:"taken_at"`
	RestoredAt time.Time `json:"restored_at"`
}

// ReadMark reads the mark of a restored folder; found is false if the folder was not restored from a backup.
func ReadMark(data string) (m Mark, found bool, err error) {
	found, err = durable.ReadJSON(filepath.Join(data, datafolder.RestoredFile), &m)
	return m, found, err
}

// scratchOfRestore is the folder in the data folder into which a backup is unpacked.
const scratchOfRestore = ".restore"

// Restore puts the newest backup in the place, or the replica there if that is newer, into the data folder, which has to be empty, and
// compares all of it with its manifest first. The relay that starts on the folder knows that it is a copy. The error is ErrNotEmpty,
// sqlite.ErrInUse if a relay runs there, ErrNone if there is no backup, or says what is wrong with it; then nothing is in the folder.
func Restore(ctx context.Context, from Place, data string, now time.Time) (m Manifest, where string, err error) {
	disk := durable.Disk{}
	if err := disk.MakeFolder(data); err != nil {
		return Manifest{}, "", err
	}
	if err := whetherEmpty(data); err != nil {
		return Manifest{}, "", err
	}
	release, err := sqlite.Hold(filepath.Join(data, databaseName))
	if err != nil {
		return Manifest{}, "", err
	}
	defer func() { err = errors.Join(err, release()) }()
	scratch := filepath.Join(data, scratchOfRestore)
	if err := os.RemoveAll(scratch); err != nil {
		return Manifest{}, "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if m, where, err = fetchNewest(ctx, from, scratch); err != nil {
		return Manifest{}, "", err
	}
	if m.Forgotten, err = forgetAgain(ctx, from, scratch, now); err != nil {
		return Manifest{}, "", err
	}
	if err := leaveMark(scratch, newMark(m, where, now), disk); err != nil {
		return Manifest{}, "", err
	}
	return m, where, moveIn(scratch, data, disk)
}

// fetchNewest unpacks the newest backup into the folder, or the replica if that is newer, and says where it was.
func fetchNewest(ctx context.Context, from Place, folder string) (m Manifest, where string, err error) {
	is, isReplica, err := newestReplica(ctx, from)
	if err != nil {
		return Manifest{}, "", err
	}
	name, err := Newest(ctx, from)
	if err != nil && (!isReplica || !errors.Is(err, ErrNone)) {
		return Manifest{}, "", err
	}
	if taken, ok := timeOf(name); isReplica && (!ok || !is.TakenAt.Before(taken)) {
		name = manifestKey(is.ID)
		m, err = fetchReplica(ctx, from.store(), is, folder)
	} else {
		m, err = fetch(ctx, from, name, folder)
	}
	if err != nil {
		return Manifest{}, "", fmt.Errorf("%s: %w", name, err)
	}
	return m, from.whole(name), nil
}

// fetch unpacks a backup into the folder, and reads what it has.
func fetch(ctx context.Context, from Place, name, folder string) (Manifest, error) {
	content, err := from.open(ctx, name)
	if err != nil {
		return Manifest{}, err
	}
	m, err := unpack(content, folder, durable.Disk{})
	if err = errors.Join(err, content.Close()); err != nil {
		return Manifest{}, err
	}
	if m.Schema > sqlite.SchemaVersion() {
		return Manifest{}, ErrNewer
	}
	return m, sqlite.Check(ctx, filepath.Join(folder, databaseName))
}

// newMark says what a folder is that was restored.
func newMark(m Manifest, where string, now time.Time) Mark {
	return Mark{
		Says: "restored from " + m.What() + " " + m.TakenAt.Format(time.RFC3339), From: where, TakenAt: m.TakenAt,
		RestoredAt: now.UTC().Round(0),
	}
}

// What says what it is of a manifest that a folder was restored from: "a backup taken at", before a time.
func (m Manifest) What() string {
	if m.Replica {
		return "the replica of"
	}
	return "a backup taken at"
}

// leaveMark writes into the folder what it is.
func leaveMark(folder string, mark Mark, disk durable.Disk) error {
	text, err := json.MarshalIndent(mark, "", "  ")
	if err != nil {
		return err
	}
	return disk.WriteFile(filepath.Join(folder, datafolder.RestoredFile), append(text, '\n'))
}

// whetherEmpty returns an error if the folder has something of a relay, or of anybody else. A lock that nobody holds is nothing.
func whetherEmpty(data string) error {
	entries, err := os.ReadDir(data)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := entry.Name(); name != databaseName+".lock" && name != scratchOfRestore {
			return fmt.Errorf("%w: %s has %s", ErrNotEmpty, data, name)
		}
	}
	return nil
}

// moveIn moves everything from the scratch folder into the data folder, the database last: without it, a restore that broke off is seen.
func moveIn(scratch, data string, disk durable.Disk) error {
	entries, err := os.ReadDir(scratch)
	if err != nil {
		return err
	}
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasPrefix(name, databaseName) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range append(names, databaseName) {
		if err := os.Rename(filepath.Join(scratch, name), filepath.Join(data, name)); err != nil {
			return err
		}
	}
	if err := datafolder.GiveToOwner(data, data); err != nil {
		return err
	}
	return disk.SyncFolder(data)
}
