package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// sumsName is the file that says the SHA-256 of all others. `sha256sum --check SHA256SUMS` reads it.
const sumsName = "SHA256SUMS"

func writeSums(folder string) error {
	var lines strings.Builder
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == sumsName {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		sum, err := sumOf(path)
		fmt.Fprintf(&lines, "%x  %s\n", sum, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, sumsName), []byte(lines.String()), 0o644) //nolint:gosec // it is for everybody.
}

func sumOf(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // the path is ours.
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it is only read.
	sum := sha256.New()
	_, err = io.Copy(sum, file)
	return sum.Sum(nil), err
}
