package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// ErrNewerSchema means that the file needs a newer version of this program.
var ErrNewerSchema = errors.New("the database is of a newer version of relay than this one")

// SchemaVersion is the version of the schema of this program.
func SchemaVersion() int { return len(steps()) }

// SchemaNeeds is the least version of the schema that a program has to know to use a file that this program has brought up to date.
func SchemaNeeds() int { return steps()[SchemaVersion()-1].needs }

// Schema says which version of the schema a file has, and what [Open] of this program would do to it.
type Schema struct {
	// Version is the last step that was made. It may be later than this program's: a newer one opened the file. It is 0 for an empty file.
	Version int
	// Needs is the least version that a program has to know to use the file as it is.
	Needs int
	// Steps are what is left to do. If there are any, and the file is not empty, Open copies it first.
	Steps []Step
	// NeedsThen is what the file needs after the steps.
	NeedsThen int
	// Bytes is how many bytes such a copy has, Unused how many of them are in free pages, and Surplus in those that are not needed. GivesBack
	// reports whether a relay gives them back to the disk; a file that an older release made does so once it was rebuilt, see [Rebuild].
	Bytes, Unused, Surplus int64
	GivesBack              bool
}

// Step is one step of the schema: the version that it leads to, and what it does, such as "makes the table of the pace".
type Step struct {
	Version int
	What    string
}

// TooNew reports whether this program must leave the file alone.
func (s Schema) TooNew() bool { return s.Needs > SchemaVersion() }

func (s Schema) tooNew() error {
	return fmt.Errorf("%w: it needs version %d of the schema, and this program knows up to %d", ErrNewerSchema, s.Needs, SchemaVersion())
}

// Inspect reads the schema of the database at path, which must exist, also while a relay has it open. It changes nothing, and the file may
// be of any version.
func Inspect(ctx context.Context, path string) (schema Schema, err error) {
	path, pool, err := openToRead(path)
	if err != nil {
		return Schema{}, err
	}
	r := &reader{statements: newStatements(pool), pool: pool}
	schema, err = r.schema(ctx)
	if err = errors.Join(err, r.close()); err != nil {
		return Schema{}, fmt.Errorf("read database %s: %w", path, err)
	}
	return schema, nil
}

// schema reads the file's versions.
func (s *statements) schema(ctx context.Context) (schema Schema, err error) {
	var tables int
	if _, err := s.get(ctx, []any{&schema.Needs}, "PRAGMA user_version"); err != nil {
		return Schema{}, err
	}
	if _, err := s.get(ctx, []any{&tables}, "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_steps'"); err != nil {
		return Schema{}, err
	}
	schema.Version = schema.Needs
	if tables > 0 {
		if _, err := s.get(ctx, []any{&schema.Version}, "SELECT coalesce(max(version), ?) FROM schema_steps", schema.Needs); err != nil {
			return Schema{}, err
		}
	}
	p, err := s.pages(ctx)
	if err != nil {
		return Schema{}, err
	}
	schema.Bytes, schema.Unused, schema.Surplus = p.count*p.size, p.free*p.size, surplus(p.count, p.free)*p.size
	schema.GivesBack, schema.NeedsThen = p.givesBack(), schema.Needs
	if schema.TooNew() {
		return schema, nil
	}
	for i, one := range steps() {
		if version := i + 1; version > schema.Version {
			schema.Steps = append(schema.Steps, Step{Version: version, What: one.what})
			schema.NeedsThen = one.needs
		}
	}
	return schema, nil
}

// Upgrade says what Open did to the schema.
type Upgrade struct {
	// From and To are the versions before and after. They are the same if there was nothing to do, and From is 0 for a new file.
	From, To int
	// Copy is the path of the copy that was made before; empty if none was needed.
	Copy string
}

// Upgraded returns what Open did to the schema.
func (db *DB) Upgraded() Upgrade { return db.upgraded }

// upgrade brings the schema up to date, all in one transaction: a crash leaves the file as it was. Before it, a file that is not empty is
// copied, see [CopiesFolder]. Commands of the version before may have the file open; they wait meanwhile.
func (c *connection) upgrade(ctx context.Context, path string, now time.Time, disk durable.Disk) (up Upgrade, err error) {
	schema, err := c.schema(ctx)
	if err != nil {
		return Upgrade{}, err
	}
	up = Upgrade{From: schema.Version, To: schema.Version}
	switch {
	case schema.TooNew():
		return Upgrade{}, schema.tooNew()
	case len(schema.Steps) == 0:
		return up, nil
	}
	if err := c.run(ctx, "BEGIN IMMEDIATE"); err != nil {
		return Upgrade{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.run(context.WithoutCancel(ctx), "ROLLBACK"))
		}
	}()
	if schema.Version > 0 {
		if up.Copy, err = copyBefore(ctx, path, schema.Version, now, disk); err != nil {
			return Upgrade{}, fmt.Errorf("copy the database before its schema is changed: %w", err)
		}
	}
	if up.To, err = c.migrate(ctx, schema.Version, now); err != nil {
		return Upgrade{}, err
	}
	if err := c.run(ctx, "COMMIT"); err != nil {
		return Upgrade{}, err
	}
	return up, nil
}

// migrate makes the steps after version, within a transaction.
func (c *connection) migrate(ctx context.Context, version int, now time.Time) (to int, err error) {
	all := steps()
	for i := version; i < len(all); i++ {
		if err := c.run(ctx, all[i].script); err != nil {
			return 0, fmt.Errorf("bring the schema to version %d: %w", i+1, err)
		}
	}
	for i := max(version+1, stepsVersion); i <= len(all); i++ {
		if err := c.run(ctx, "INSERT INTO schema_steps (version, done_at) VALUES (?, ?)", i, now.UnixMilli()); err != nil {
			return 0, err
		}
	}
	return len(all), c.run(ctx, fmt.Sprint("PRAGMA user_version = ", all[len(all)-1].needs))
}
