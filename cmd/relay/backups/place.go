package backups

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/shared/aws/s3http"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/onehost/replica"
)

// Place is where backups are kept: one file, a folder with one file for each, or a bucket.
type Place interface {
	// String names the place for people.
	String() string
	// name is what a backup of that time is called in the place, whole what it is called from outside. scratch is a folder in which it may
	// be made.
	name(at time.Time) string
	whole(name string) string
	scratch(data string) string
	// put moves the file into the place, on the disk or in the bucket for good.
	put(ctx context.Context, name, file string) error
	// keep writes a small file beside the backups, which list does not name.
	keep(ctx context.Context, name string, content []byte) error
	list(ctx context.Context) (names []string, err error)
	open(ctx context.Context, name string) (io.ReadCloser, error)
	remove(ctx context.Context, name string) error
	// store is the place as one of replicas; nil if it is one file.
	store() replica.Store
}

// ErrNone means that there is no backup in the place.
var ErrNone = errors.New("there is no backup")

// IsBucket reports whether text names a bucket, and a prefix of keys in it.
func IsBucket(text string) (bucket, prefix string, ok bool) {
	rest, ok := strings.CutPrefix(text, "s3://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	return bucket, strings.Trim(prefix, "/"), ok && bucket != ""
}

// Open returns the place that text names: s3://bucket/prefix, a file, or a folder. A bucket is reached with the access that the profile
// has.
func Open(ctx context.Context, text string, access awsprofile.Config) (Place, error) { //nolint:ireturn // There are two kinds.
	bucket, prefix, ok := IsBucket(text)
	if !ok {
		return PlaceOf(text), nil
	}
	cfg, err := awsprofile.Load(ctx, access)
	if err != nil {
		return nil, err
	}
	return InBucket(s3http.New(cfg, bucket, time.Now), bucket, prefix), nil
}

// ParseReplicaPlace reads where a replica is kept: a folder, or s3://bucket/prefix. Empty is nowhere.
func ParseReplicaPlace(text string) (string, error) {
	if isArchive(text) {
		return "", errors.New("it is a file: a replica needs a folder, or s3://bucket/prefix")
	}
	return text, nil
}

// PlaceOf returns the place on this host's disk that text names: a file if it ends like one, else a folder.
func PlaceOf(text string) Place { //nolint:ireturn // There are two kinds.
	if isArchive(text) {
		return onDisk{folder: filepath.Dir(text), file: filepath.Base(text)}
	}
	return onDisk{folder: filepath.Clean(text)}
}

// InBucket returns the place in a bucket. With a key of a backup for prefix it is that one.
func InBucket(bucket *s3http.Bucket, name, prefix string) Place { //nolint:ireturn // There are two kinds.
	p := inBucket{bucket: bucket, where: "s3://" + name + "/", prefix: prefix}
	if isArchive(prefix) {
		p.file = prefix[strings.LastIndexByte(prefix, '/')+1:]
		p.prefix = strings.TrimSuffix(strings.TrimSuffix(prefix, p.file), "/")
	}
	return p
}

func isArchive(name string) bool {
	return slices.ContainsFunc([]string{".tar", ".tar.gz", ".tgz"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

// timed is the form of the names of backups, by whose times they are kept.
var timed = regexp.MustCompile(`^sms-relay-(\d{8}T\d{6}Z)\.tar\.gz$`)

const (
	backupName = "sms-relay-"
	timeForm   = "20060102T150405Z"
)

func nameAt(at time.Time) string { return backupName + at.UTC().Format(timeForm) + ".tar.gz" }

// timeOf reads when a backup was made from its name.
func timeOf(name string) (time.Time, bool) {
	match := timed.FindStringSubmatch(name)
	if match == nil {
		return time.Time{}, false
	}
	at, err := time.Parse(timeForm, match[1])
	return at, err == nil
}

// Newest returns the name of the newest backup in the place. The error is ErrNone if there is none.
func Newest(ctx context.Context, p Place) (string, error) {
	names, err := p.list(ctx)
	if err != nil {
		return "", fmt.Errorf("list the backups in %s: %w", p, err)
	}
	if len(names) == 0 {
		return "", fmt.Errorf("%w in %s", ErrNone, p)
	}
	return slices.Max(names), nil
}

// onDisk is a folder of backups, or one file in it.
type onDisk struct{ folder, file string }

// String names the folder or the file.
func (d onDisk) String() string { return filepath.Join(d.folder, d.file) }

func (d onDisk) name(at time.Time) string { return cmp.Or(d.file, nameAt(at)) }

func (d onDisk) scratch(string) string { return d.folder }

func (d onDisk) whole(name string) string { return filepath.Join(d.folder, name) }

func (d onDisk) put(_ context.Context, name, file string) error {
	if err := os.Rename(file, d.whole(name)); err != nil {
		return err
	}
	return durable.Disk{}.SyncFolder(d.folder)
}

func (d onDisk) keep(_ context.Context, name string, content []byte) error {
	return durable.Disk{}.WriteFile(d.whole(name), content)
}

func (d onDisk) list(context.Context) (names []string, err error) {
	if d.file != "" {
		if _, err := os.Stat(d.String()); err != nil {
			return nil, err
		}
		return []string{d.file}, nil
	}
	entries, err := os.ReadDir(d.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		if _, ok := timeOf(entry.Name()); ok {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

func (d onDisk) open(_ context.Context, name string) (io.ReadCloser, error) {
	return os.Open(filepath.Join(d.folder, name)) //nolint:gosec // the operator names the place.
}

func (d onDisk) remove(_ context.Context, name string) error {
	return os.Remove(filepath.Join(d.folder, name))
}

func (d onDisk) store() replica.Store { //nolint:ireturn // There are two kinds.
	if d.file != "" {
		return nil
	}
	return inFolder{d.folder}
}

// inBucket is a prefix of keys in a bucket, or one object there.
type inBucket struct {
	bucket              *s3http.Bucket
	where, prefix, file string
}

// String names the bucket and the prefix.
func (b inBucket) String() string { return b.where + b.key(b.file) }

func (b inBucket) key(name string) string { return strings.Trim(b.prefix+"/"+name, "/") }

func (b inBucket) name(at time.Time) string { return cmp.Or(b.file, nameAt(at)) }

func (b inBucket) scratch(data string) string { return data }

func (b inBucket) whole(name string) string { return b.where + b.key(name) }

// put stores the file, and compares what the bucket has with its manifest.
func (b inBucket) put(ctx context.Context, name, file string) error {
	content, err := os.Open(file) //nolint:gosec // it was just written.
	if err != nil {
		return err
	}
	defer content.Close() //nolint:errcheck // it is only read.
	info, err := content.Stat()
	if err != nil {
		return err
	}
	if err := b.bucket.Put(ctx, b.key(name), content, info.Size()); err != nil {
		return err
	}
	stored, err := b.open(ctx, name)
	if err != nil {
		return err
	}
	_, err = unpack(stored, "", durable.Disk{})
	return errors.Join(err, stored.Close())
}

func (b inBucket) keep(ctx context.Context, name string, content []byte) error {
	return b.bucket.Put(ctx, b.key(name), bytes.NewReader(content), int64(len(content)))
}

func (b inBucket) list(ctx context.Context) (names []string, err error) {
	prefix := b.under()
	err = b.bucket.List(ctx, prefix+cmp.Or(b.file, backupName), func(o s3http.Object) error {
		name := strings.TrimPrefix(o.Key, prefix)
		if _, ok := timeOf(name); ok && b.file == "" || name == b.file && name != "" {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

func (b inBucket) open(ctx context.Context, name string) (io.ReadCloser, error) {
	return b.bucket.Open(ctx, b.key(name), 0, 0)
}

func (b inBucket) store() replica.Store { //nolint:ireturn // There are two kinds.
	if b.file != "" {
		return nil
	}
	return underKey{b.bucket, b.under()}
}

// under is what the keys of everything in the place begin with.
func (b inBucket) under() string {
	if key := b.key(""); key != "" {
		return key + "/"
	}
	return ""
}

func (b inBucket) remove(ctx context.Context, name string) error {
	return b.bucket.Delete(ctx, b.key(name))
}
