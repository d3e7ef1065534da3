package backups

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"quickdumpnow.com/smsrelay/shared/aws/s3http"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/onehost/replica"
)

// inFolder keeps objects as files in a folder, and in folders in it.
type inFolder struct{ path string }

var _ replica.Store = inFolder{}

func (f inFolder) file(key string) string { return filepath.Join(f.path, filepath.FromSlash(key)) }

// Put implements replica.Store.
func (f inFolder) Put(_ context.Context, key string, content io.Reader, size int64) error {
	return durable.Disk{}.Write(f.file(key), func(out io.Writer) error {
		_, err := io.CopyN(out, content, size)
		return err
	})
}

// Open implements replica.Store.
func (f inFolder) Open(_ context.Context, key string, offset, size int64) (io.ReadCloser, error) {
	file, err := os.Open(f.file(key))
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if size == 0 {
		return file, nil
	}
	return partOfFile{io.LimitReader(file, size), file}, nil
}

type partOfFile struct {
	io.Reader

	file *os.File
}

// Close closes the file.
func (p partOfFile) Close() error { return p.file.Close() }

// List implements replica.Store.
func (f inFolder) List(_ context.Context, prefix string, visit func(replica.Object) error) error {
	within := filepath.Dir(f.file(prefix + "x"))
	return filepath.WalkDir(within, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // It is gone meanwhile, or was never there.
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(f.path, path)
		key := filepath.ToSlash(name)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != within && !strings.HasPrefix(key, prefix):
			return fs.SkipDir
		case !entry.Type().IsRegular() || durable.IsUnfinished(entry.Name()) || !strings.HasPrefix(key, prefix):
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil //nolint:nilerr // it is gone meanwhile.
		}
		return visit(replica.Object{Key: key, Size: info.Size(), At: info.ModTime()})
	})
}

// Delete implements replica.Store. A folder that is empty afterwards goes, too.
func (f inFolder) Delete(_ context.Context, key string) error {
	path := f.file(key)
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for folder := filepath.Dir(path); err == nil && folder != filepath.Clean(f.path); folder = filepath.Dir(folder) {
		if os.Remove(folder) != nil {
			break // There is something else in it.
		}
	}
	return err
}

// underKey keeps objects in a bucket, below a prefix, which is empty or ends with a slash.
type underKey struct {
	bucket *s3http.Bucket
	prefix string
}

var _ replica.Store = underKey{}

// Put implements replica.Store.
func (u underKey) Put(ctx context.Context, key string, content io.Reader, size int64) error {
	return u.bucket.Put(ctx, u.prefix+key, content, size)
}

// Open implements replica.Store.
func (u underKey) Open(ctx context.Context, key string, offset, size int64) (io.ReadCloser, error) {
	content, err := u.bucket.Open(ctx, u.prefix+key, offset, size)
	if errors.Is(err, s3http.ErrNotFound) {
		return nil, fs.ErrNotExist
	}
	return content, err
}

// List implements replica.Store.
func (u underKey) List(ctx context.Context, prefix string, visit func(replica.Object) error) error {
	return u.bucket.List(ctx, u.prefix+prefix, func(o s3http.Object) error {
		return visit(replica.Object{Key: strings.TrimPrefix(o.Key, u.prefix), Size: o.Size, At: o.LastModified})
	})
}

// Delete implements replica.Store.
func (u underKey) Delete(ctx context.Context, key string) error {
	return u.bucket.Delete(ctx, u.prefix+key)
}

// within is the part of a store whose keys begin with a folder's name, which ends with a slash.
type within struct {
	replica.Store

	folder string
}

// Put implements replica.Store.
func (w within) Put(ctx context.Context, key string, content io.Reader, size int64) error {
	return w.Store.Put(ctx, w.folder+key, content, size)
}

// Open implements replica.Store.
func (w within) Open(ctx context.Context, key string, offset, size int64) (io.ReadCloser, error) {
	return w.Store.Open(ctx, w.folder+key, offset, size)
}

// List implements replica.Store.
func (w within) List(ctx context.Context, prefix string, visit func(replica.Object) error) error {
	return w.Store.List(ctx, w.folder+prefix, func(o replica.Object) error {
		o.Key = strings.TrimPrefix(o.Key, w.folder)
		return visit(o)
	})
}

// Delete implements replica.Store.
func (w within) Delete(ctx context.Context, key string) error {
	return w.Store.Delete(ctx, w.folder+key)
}
