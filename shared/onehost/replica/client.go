package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"strings"
	"time"

	"github.com/benbjohnson/litestream"
	"github.com/superfly/ltx"
)

// client lets Litestream use a Store. Litestream's own clients for buckets bring the SDKs of their services along.
type client struct {
	store Store
	// scratch is a folder for what has a size that is not known before it is written.
	scratch string
}

var _ litestream.ReplicaClient = client{}

func keyOf(level int, from, to ltx.TXID) string { return litestream.LTXFilePath("", level, from, to) }

// Type implements litestream.ReplicaClient.
func (client) Type() string { return "relay" }

// Init implements litestream.ReplicaClient.
func (client) Init(context.Context) error { return nil }

// SetLogger implements litestream.ReplicaClient.
func (client) SetLogger(*slog.Logger) {}

// LTXFiles implements litestream.ReplicaClient.
func (c client) LTXFiles( //nolint:ireturn // Litestream wants it so.
	ctx context.Context, level int, seek ltx.TXID, _ bool,
) (ltx.FileIterator, error) {
	var found []*ltx.FileInfo
	err := c.store.List(ctx, litestream.LTXLevelDir("", level)+"/", func(o Object) error {
		from, to, err := ltx.ParseFilename(path.Base(o.Key))
		if err != nil || from < seek {
			return nil //nolint:nilerr // it is no part of a copy.
		}
		found = append(found, &ltx.FileInfo{Level: level, MinTXID: from, MaxTXID: to, Size: o.Size, CreatedAt: o.At.UTC()})
		return nil
	})
	return ltx.NewFileInfoSliceIterator(found), err
}

// OpenLTXFile implements litestream.ReplicaClient.
func (c client) OpenLTXFile(ctx context.Context, level int, from, to ltx.TXID, offset, size int64) (io.ReadCloser, error) {
	content, err := c.store.Open(ctx, keyOf(level, from, to), offset, size)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, os.ErrNotExist // Litestream compares it.
	}
	return content, err
}

// WriteLTXFile implements litestream.ReplicaClient.
func (c client) WriteLTXFile(ctx context.Context, level int, from, to ltx.TXID, content io.Reader) (*ltx.FileInfo, error) {
	file, isFile := content.(*os.File)
	if !isFile {
		var err error
		if file, err = os.CreateTemp(c.scratch, "whole-*.tmp"); err != nil {
			return nil, err
		}
		defer os.Remove(file.Name()) //nolint:errcheck // Litestream removes such files at the next start.
		defer file.Close()           //nolint:errcheck // nothing needs it after this.
		if _, err = io.Copy(file, content); err == nil {
			_, err = file.Seek(0, io.SeekStart)
		}
		if err != nil {
			return nil, err
		}
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	head, whole, err := ltx.PeekHeader(file)
	if err != nil {
		return nil, fmt.Errorf("a part of a copy: %w", err)
	}
	if err := c.store.Put(ctx, keyOf(level, from, to), whole, info.Size()); err != nil {
		return nil, err
	}
	return &ltx.FileInfo{Level: level, MinTXID: from, MaxTXID: to, Size: info.Size(), CreatedAt: time.UnixMilli(head.Timestamp).UTC()}, nil
}

// DeleteLTXFiles implements litestream.ReplicaClient.
func (c client) DeleteLTXFiles(ctx context.Context, files []*ltx.FileInfo) error {
	for _, f := range files {
		if err := c.store.Delete(ctx, keyOf(f.Level, f.MinTXID, f.MaxTXID)); err != nil {
			return err
		}
	}
	return nil
}

// DeleteAll implements litestream.ReplicaClient.
func (c client) DeleteAll(ctx context.Context) error {
	var keys []string
	err := c.store.List(ctx, litestream.LTXDir("")+"/", func(o Object) error { keys = append(keys, o.Key); return nil })
	for _, key := range keys {
		if err == nil {
			err = c.store.Delete(ctx, strings.TrimPrefix(key, "/"))
		}
	}
	return err
}
