package backups

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// archive writes the files of a backup.
type archive struct {
	packed *gzip.Writer
	tar    *tar.Writer
	at     time.Time
	files  []File
}

// newArchive writes to out, compressed or not.
func newArchive(out io.Writer, compressed bool, at time.Time) *archive {
	a := &archive{at: at}
	if compressed {
		// The audit log shrinks to a tenth at any level; the fastest spares the relay.
		a.packed, _ = gzip.NewWriterLevel(out, gzip.BestSpeed)
		out = a.packed
	}
	a.tar = tar.NewWriter(out)
	return a
}

// add adds a file of that many bytes.
func (a *archive) add(name string, content io.Reader, size int64) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: size, ModTime: a.at}
	if err := a.tar.WriteHeader(header); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(a.tar, sum), io.LimitReader(content, size)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if name != manifestName {
		a.files = append(a.files, File{Name: name, Size: size, SHA256: sumOf(sum)})
	}
	return nil
}

// addFile adds a file of the disk as it is now.
func (a *archive) addFile(name, path string) error {
	file, err := os.Open(path) //nolint:gosec // the paths are those of the data folder.
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read.
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return a.add(name, file, info.Size())
}

// close adds the manifest, and ends the archive.
func (a *archive) close(m Manifest) (Manifest, error) {
	m.Files = a.files
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	if err := a.add(manifestName, strings.NewReader(string(text)), int64(len(text))); err != nil {
		return m, err
	}
	err = a.tar.Close()
	if a.packed != nil {
		err = errors.Join(err, a.packed.Close())
	}
	return m, err
}

func sumOf(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)) }

// errCut means that the archive has no manifest: its end is missing.
var errCut = errors.New("its end is missing")

// unpack writes the files of an archive into the folder, on the disk for good, and compares them with the manifest. An empty folder writes
// nothing: then it only compares.
func unpack(content io.Reader, folder string, disk durable.Disk) (Manifest, error) {
	plain := bufio.NewReader(content)
	if magic, _ := plain.Peek(2); string(magic) == "\x1f\x8b" {
		unpacked, err := gzip.NewReader(plain)
		if err != nil {
			return Manifest{}, err
		}
		plain = bufio.NewReader(unpacked)
	}
	var files []File
	for from := tar.NewReader(plain); ; {
		header, err := from.Next()
		switch {
		case errors.Is(err, io.EOF):
			return Manifest{}, errCut
		case err != nil:
			return Manifest{}, err
		case header.Typeflag != tar.TypeReg || !filepath.IsLocal(filepath.FromSlash(header.Name)):
			return Manifest{}, fmt.Errorf("%q has no place in a backup", header.Name)
		case header.Name == manifestName:
			m, err := compare(from, files)
			if err == nil {
				// The end of what is packed has the hash of it all.
				_, err = io.Copy(io.Discard, plain)
			}
			return m, err
		}
		sum := sha256.New()
		write := func(out io.Writer) error {
			_, err := io.Copy(io.MultiWriter(out, sum), from) //nolint:gosec // it is the operator's own backup.
			return err
		}
		if folder == "" {
			err = write(io.Discard)
		} else {
			err = disk.Write(filepath.Join(folder, filepath.FromSlash(header.Name)), write)
		}
		if err != nil {
			return Manifest{}, fmt.Errorf("%s: %w", header.Name, err)
		}
		files = append(files, File{Name: header.Name, Size: header.Size, SHA256: sumOf(sum)})
	}
}

// maxManifest is longer than any manifest.
const maxManifest = 1 << 30

// compare reads the manifest and compares it with the files before it.
func compare(from io.Reader, files []File) (Manifest, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxManifest))
	if err != nil {
		return Manifest{}, err
	}
	m, err := readManifest(text)
	if err != nil {
		return Manifest{}, err
	}
	if len(files) != len(m.Files) {
		return Manifest{}, fmt.Errorf("it has %d files, and its manifest %d", len(files), len(m.Files))
	}
	for i, f := range files {
		if f != m.Files[i] {
			return Manifest{}, fmt.Errorf("%s is not what its manifest says", f.Name)
		}
	}
	if !slices.ContainsFunc(files, func(f File) bool { return f.Name == databaseName }) {
		return Manifest{}, fmt.Errorf("it has no %s", databaseName)
	}
	return m, nil
}
