// Package mediafolder keeps pictures and other attachments on one host: a folder with one file for each, readable by its owner only. It
// implements package media's contract; it does not fetch or serve anything.
package mediafolder

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// DefaultQuota is how many bytes a folder may hold.
const DefaultQuota = 2_000_000_000

// Config is what a Folder is made of.
type Config struct {
	// Path is the folder. It is made with the first item.
	Path string
	// Quota is how many bytes of attachments it may hold; 0 means DefaultQuota.
	Quota int64
	Now   func() time.Time
	// Disk is where files are made durable.
	Disk durable.Disk
}

// Folder is a media.Store. One process writes to it; others may read.
type Folder struct {
	config Config

	mu sync.Mutex
	// used is how many bytes its items have, those that are being written among them.
	used int64
}

// New returns the folder, and counts what is in it.
func New(config Config) (*Folder, error) {
	if config.Quota == 0 {
		config.Quota = DefaultQuota
	}
	f := &Folder{config: config}
	err := f.each(func(_ string, item media.Item) error {
		f.used += item.Size
		return nil
	})
	return f, err
}

// header is the first line of a file. The content follows it.
type header struct {
	ContentType string
	Size        int64
	Name        string
	ExpiresAt   time.Time
}

// maxHeader bounds a header's line, in bytes.
const maxHeader = 1 << 10

func (f *Folder) path(token media.Token) string { return filepath.Join(f.config.Path, string(token)) }

// Put implements media.Store.
func (f *Folder) Put(ctx context.Context, item media.Item, content io.Reader) error {
	if err := ctx.Err(); err != nil {
		return transient(err)
	}
	line, err := json.Marshal(header{item.ContentType, item.Size, item.Name, item.ExpiresAt.UTC()})
	if err != nil || !item.Token.IsValid() || len(line) >= maxHeader {
		return &fault.Error{Kind: fault.Permanent, Err: errors.New("an attachment that cannot be kept")}
	}
	if !f.reserve(item.Size) {
		return &fault.Error{Kind: fault.Quota, Err: fmt.Errorf("the folder of attachments is full: it may hold %d bytes", f.config.Quota)}
	}
	exact := media.Exactly(content, item.Size)
	err = f.config.Disk.Write(f.path(item.Token), func(file io.Writer) error {
		if _, err := file.Write(append(line, '\n')); err != nil {
			return err
		}
		_, err := io.Copy(file, exact)
		return err
	})
	if err == nil {
		return nil
	}
	f.release(item.Size)
	if exact.Err() != nil {
		return exact.Err()
	}
	return transient(err)
}

// reserve reports whether there is room for so many bytes, which are then taken.
func (f *Folder) reserve(size int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.used+size > f.config.Quota {
		return false
	}
	f.used += size
	return true
}

// Used returns how many bytes its items have.
func (f *Folder) Used() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.used
}

func (f *Folder) release(size int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used -= size
}

// Look implements media.Store.
func (f *Folder) Look(ctx context.Context, token media.Token) (media.Item, error) {
	item, content, err := f.Open(ctx, token)
	if err != nil {
		return media.Item{}, err
	}
	return item, content.Close()
}

// Open implements media.Store.
func (f *Folder) Open(ctx context.Context, token media.Token) (media.Item, io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return media.Item{}, nil, transient(err)
	}
	if !token.IsValid() {
		return media.Item{}, nil, media.ErrNotFound
	}
	item, content, err := f.open(token)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return media.Item{}, nil, media.ErrNotFound
	case err != nil:
		return media.Item{}, nil, transient(err)
	case !f.config.Now().Before(item.ExpiresAt):
		return media.Item{}, nil, errors.Join(media.ErrNotFound, content.Close())
	default:
		return item, content, nil
	}
}

// open reads an item's file up to the content, whether it has expired or not.
func (f *Folder) open(token media.Token) (media.Item, io.ReadCloser, error) {
	file, err := os.Open(f.path(token))
	if err != nil {
		return media.Item{}, nil, err
	}
	content := bufio.NewReaderSize(file, maxHeader)
	line, err := content.ReadSlice('\n')
	var h header
	if err == nil {
		err = json.Unmarshal(line, &h)
	}
	if err != nil {
		return media.Item{}, nil, errors.Join(fmt.Errorf("read the header of an attachment: %w", err), file.Close())
	}
	item := media.Item{Token: token, ContentType: h.ContentType, Size: h.Size, Name: h.Name, ExpiresAt: h.ExpiresAt}
	return item, struct {
		io.Reader
		io.Closer
	}{content, file}, nil
}

// Sweep removes what has expired, and what a crash left unfinished, and returns how many files that were. Nothing else may be removing
// files from the folder.
func (f *Folder) Sweep(ctx context.Context) (removed int, err error) {
	now := f.config.Now()
	err = f.each(func(path string, item media.Item) error {
		if ctx.Err() != nil || now.Before(item.ExpiresAt) {
			return ctx.Err()
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		removed++
		f.release(item.Size)
		return nil
	})
	return removed, err
}

// Remove removes one item, whether it has expired or not; removed is false if there was none.
func (f *Folder) Remove(token media.Token) (removed bool, err error) {
	if !token.IsValid() {
		return false, nil
	}
	item, content, err := f.open(token)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = errors.Join(content.Close(), os.Remove(f.path(token)))
	}
	if err != nil {
		return false, transient(err)
	}
	f.release(item.Size)
	return true, nil
}

// unfinishedFor is how old an unfinished file is when its writer is taken for gone.
const unfinishedFor = time.Hour

// each calls do for each item's file, and removes what is unfinished. It passes over a file that is not an item's, or cannot be read: that
// must not keep the relay from starting.
func (f *Folder) each(do func(path string, item media.Item) error) error {
	entries, err := os.ReadDir(f.config.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list the attachments: %w", err)
	}
	for _, entry := range entries {
		path := filepath.Join(f.config.Path, entry.Name())
		if durable.IsUnfinished(entry.Name()) {
			if err := f.removeUnfinished(path, entry); err != nil {
				return err
			}
			continue
		}
		token := media.Token(entry.Name())
		if !token.IsValid() {
			continue
		}
		item, content, err := f.open(token)
		if err != nil {
			continue
		}
		if err := errors.Join(content.Close(), do(path, item)); err != nil {
			return err
		}
	}
	return nil
}

// removeUnfinished removes a file that nobody writes any longer.
func (f *Folder) removeUnfinished(path string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) || err == nil && f.config.Now().Sub(info.ModTime()) < unfinishedFor {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Remove(path)
}

// transient marks an error of the disk: a later try may succeed.
func transient(err error) error { return &fault.Error{Kind: fault.Transient, Err: err} }
