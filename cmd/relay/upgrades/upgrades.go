// Package upgrades says what a new version of this program would do to the data folder of a relay on one host, and whether the disk has
// room for it. `relay upgrade` shows it, and `relay serve` looks before it starts. Package sqlite does the upgrade itself.
package upgrades

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// ErrNoRoom means that the disk has no room for the copy that is made before the schema is changed.
var ErrNoRoom = errors.New("the disk has no room for the copy of the database that is made before the upgrade")

// Space returns how many bytes are free on a folder's disk, and how many it has.
type Space func(folder string) (free, total uint64, err error)

// ErrNoRoomToRebuild means that the disk has no room to write the database anew.
var ErrNoRoomToRebuild = errors.New("the disk has no room to write the database anew")

// spare is what has to be free besides the copy: the steps themselves write, too.
const spare = 32 << 20

// Report is what would be done to a folder.
type Report struct {
	// Data is the folder.
	Data string `json:"data"`
	// Version is the version of the database's schema, Needs the least version that a program has to know to use it, and Program the version
	// that this program knows.
	Version int `json:"version"`
	Needs   int `json:"needs"`
	Program int `json:"program"`
	// Usable is whether this program may use the database.
	Usable bool `json:"usable"`
	// Steps are what is left to do, and NeedsThen what a program has to know afterwards.
	Steps     []Step `json:"steps"`
	NeedsThen int    `json:"needs_then"`
	// CopyBytes is how large the copy is that is made before, 0 if there are no steps. FreeBytes is what is free on the disk, and Room whether
	// that is enough.
	CopyBytes int64  `json:"copy_bytes"`
	FreeBytes uint64 `json:"free_bytes"`
	Room      bool   `json:"room"`
	// Copies are the copies from before earlier upgrades, the newest first.
	Copies []string `json:"copies"`
	// Bytes is how large the database is, UnusedBytes how much of it is free. GivesBack is whether relay serve gives that back to the disk. A
	// database that an older release made does so once relay upgrade has written it anew; RebuildBytes have to be free for that, 0 if it
	// need not be done.
	Bytes        int64 `json:"bytes"`
	GivesBack    bool  `json:"gives_back"`
	UnusedBytes  int64 `json:"unused_bytes"`
	RebuildBytes int64 `json:"rebuild_bytes"`
}

// Step is one step of the schema.
type Step struct {
	Version int    `json:"version"`
	What    string `json:"what"`
}

// Err returns what keeps this program from the folder: nil, [ErrNoRoom], or [sqlite.ErrNewerSchema].
func (r Report) Err() error {
	switch {
	case !r.Usable:
		return fmt.Errorf("%w: it needs version %d of the schema, and this program knows up to %d", sqlite.ErrNewerSchema, r.Needs, r.Program)
	case !r.Room:
		return fmt.Errorf("%w: it needs %d MB, and %d MB are free", ErrNoRoom, (r.CopyBytes+spare)/1_000_000+1, r.FreeBytes/1_000_000)
	default:
		return nil
	}
}

// RebuildErr returns what keeps the database from being written anew: nil, or [ErrNoRoomToRebuild].
func (r Report) RebuildErr() error {
	if r.GivesBack || r.FreeBytes >= uint64(r.RebuildBytes) { //nolint:gosec // a size is not negative.
		return nil
	}
	return fmt.Errorf("%w: it needs %d MB, and %d MB are free", ErrNoRoomToRebuild, r.RebuildBytes/1_000_000+1, r.FreeBytes/1_000_000)
}

// Look reads the folder's database, also while a relay runs. It changes nothing. The error is fs.ErrNotExist if there is no database.
func Look(ctx context.Context, data string, space Space) (Report, error) {
	file := filepath.Join(data, datafolder.DatabaseFile)
	schema, err := sqlite.Inspect(ctx, file)
	if err != nil {
		return Report{}, err
	}
	copies, err := sqlite.Copies(file)
	if err != nil {
		return Report{}, err
	}
	r := Report{
		Data: data, Version: schema.Version, Needs: schema.Needs, Program: sqlite.SchemaVersion(), Usable: !schema.TooNew(),
		Steps: make([]Step, len(schema.Steps)), NeedsThen: schema.NeedsThen, Room: true, Copies: append([]string{}, copies...),
		Bytes: schema.Bytes, GivesBack: schema.GivesBack, UnusedBytes: schema.Unused,
	}
	if !r.GivesBack {
		r.RebuildBytes = schema.RebuildBytes() + spare
	}
	for i, s := range schema.Steps {
		r.Steps[i] = Step(s)
	}
	free, _, err := space(data)
	if err != nil {
		return Report{}, fmt.Errorf("look how much is free on the disk: %w", err)
	}
	r.FreeBytes = free
	if len(r.Steps) > 0 {
		r.CopyBytes = schema.Bytes
		r.Room = free >= uint64(schema.Bytes+spare) //nolint:gosec // a size is not negative.
	}
	return r, nil
}

// Ready returns an error if a relay must not start on the folder, see [Report.Err]. A folder without a database is ready.
func Ready(ctx context.Context, data string, space Space) error {
	r, err := Look(ctx, data, space)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return r.Err()
}
