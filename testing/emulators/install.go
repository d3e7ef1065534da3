//go:build linux || darwin

package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// recipes are the files that pin what is installed.
//
//go:embed dynamodb/pom.xml dynamodb/LoopbackServer.java elasticmq/pom.xml moto/requirements.txt
var recipes embed.FS

const (
	// stampName is the file that is written last: a folder without it is a leftover and is started again.
	stampName = "installed"
	// installTimeout bounds one emulator's installation, which is mostly downloading.
	installTimeout = 15 * time.Minute
	// lockInterval is how often a lock that somebody else holds is tried again.
	lockInterval = 200 * time.Millisecond
)

// installAll returns each chosen emulator's folder by its name. What uses Maven goes one after the other, since Maven's
// own local repository does not bear two writers; Python's runs at the same time.
func installAll(ctx context.Context, opts options, stderr io.Writer) (map[string]string, error) {
	if err := os.MkdirAll(opts.cache, 0o750); err != nil {
		return nil, fmt.Errorf("create the cache folder: %w", err)
	}
	tools := newToolbox(opts.verbose, stderr)
	folders := make([]string, len(opts.chosen))
	group, ctx := errgroup.WithContext(ctx)
	for i, e := range opts.chosen {
		group.Go(func() error {
			folder, err := install(ctx, opts.cache, e, tools)
			folders[i] = folder
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	byName := map[string]string{}
	for i, e := range opts.chosen {
		byName[e.name] = folders[i]
	}
	return byName, nil
}

// install makes sure that an emulator is in the cache and returns its folder, named after what the recipe says, so that
// another version never touches one that may be running.
func install(ctx context.Context, cache string, e emulator, tools toolbox) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	key, err := recipeKey(ctx, e, tools)
	if err != nil {
		return "", fmt.Errorf("install %s: %w", e.product, err)
	}
	folder := filepath.Join(cache, e.name+"-"+key)
	if installed(folder) {
		return folder, nil
	}
	unlock, err := lockFile(ctx, folder+".lock")
	if err != nil {
		return "", fmt.Errorf("install %s: %w", e.product, err)
	}
	defer unlock()
	if installed(folder) { // by the one who had the lock before us
		return folder, nil
	}
	say(tools.stderr, "installing %s into %s", e.product, folder)
	if err := fill(ctx, folder, e, tools); err != nil {
		return "", fmt.Errorf("install %s: %w", e.product, err)
	}
	return folder, nil
}

// fill installs into an empty folder and stamps it. The caller holds the folder's lock.
func fill(ctx context.Context, folder string, e emulator, tools toolbox) error {
	if err := os.RemoveAll(folder); err != nil {
		return fmt.Errorf("remove an unfinished installation: %w", err)
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return fmt.Errorf("create its folder: %w", err)
	}
	for _, name := range e.recipe {
		content, err := recipes.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read the recipe: %w", err)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(name)), content, 0o600); err != nil {
			return fmt.Errorf("write the recipe: %w", err)
		}
	}
	if err := e.install(ctx, tools, folder); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, stampName), nil, 0o600); err != nil {
		return fmt.Errorf("stamp the installation: %w", err)
	}
	return nil
}

// recipeKey is a short hash of all that decides what an installation contains.
func recipeKey(ctx context.Context, e emulator, tools toolbox) (string, error) {
	hash := sha256.New()
	for _, name := range e.recipe {
		content, err := recipes.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read the recipe: %w", err)
		}
		_, _ = fmt.Fprintf(hash, "%s %d\n%s", name, len(content), content) // a hash never fails to take bytes
	}
	if e.platform != nil {
		identity, err := e.platform(ctx, tools)
		if err != nil {
			return "", err
		}
		_, _ = io.WriteString(hash, identity)
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// installed reports whether a folder was filled to the end.
func installed(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, stampName))
	return err == nil
}

// lockFile waits for the exclusive lock on a file, which the kernel frees when this process ends in whatever way.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is made from the cache folder and a hash
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	ticker := time.NewTicker(lockInterval)
	defer ticker.Stop()
	for !tryLock(file) {
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for another installation: %w", context.Cause(ctx)), file.Close())
		case <-ticker.C:
		}
	}
	return func() { _ = file.Close() }, nil // closing frees the lock
}
