package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// build says what is built. Everything that a release says of itself comes from the commit, so that anybody can build it again.
type build struct {
	// version is the commit's tag, such as v1.2.3. A commit without a tag is no release: its version is the one that Go gives such a
	// commit, which is later than the release before it and earlier than the next one.
	version string
	// commit is the full hash. time is when it was committed, in UTC: all files and packages have this date.
	commit string
	time   time.Time
}

// identify reads which commit is in the folder. It refuses one with changes, because nobody else has them.
func identify(ctx context.Context, folder string) (build, error) {
	changes, err := git(ctx, folder, "status", "--porcelain")
	if err != nil {
		return build{}, err
	}
	if changes != "" {
		return build{}, fmt.Errorf("commit these changes first, because a release is a commit:\n%s", changes)
	}
	// The format of the time would depend on who asks, but for this one.
	said, err := git(ctx, folder, "log", "-1", "--format=%H %ct")
	if err != nil {
		return build{}, err
	}
	var b build
	var seconds int64
	if _, err := fmt.Sscan(said, &b.commit, &seconds); err != nil {
		return build{}, fmt.Errorf("git log says %q: %w", said, err)
	}
	b.time = time.Unix(seconds, 0).UTC()
	b.version, err = versionOf(ctx, folder, b)
	return b, err
}

// versionOf returns the tag of the commit, else what Go would call it.
func versionOf(ctx context.Context, folder string, b build) (string, error) {
	tags, err := git(ctx, folder, "tag", "--list", "v[0-9]*", "--points-at", "HEAD")
	if err != nil {
		return "", err
	}
	if newest := newestOf(tags); newest != "" {
		return newest, nil
	}
	tags, err = git(ctx, folder, "tag", "--list", "v[0-9]*", "--merged", "HEAD")
	if err != nil {
		return "", err
	}
	const digits = 12
	before := newestOf(tags)
	major := "v0"
	if before != "" {
		major = semver.Major(before)
	}
	return module.PseudoVersion(major, before, b.time, b.commit[:digits]), nil
}

// newestOf returns the newest version of the tags, one on each line; empty if none is a version such as v1.2.3.
func newestOf(tags string) string {
	newest := ""
	for tag := range strings.FieldsSeq(tags) {
		if semver.Canonical(tag) == tag && semver.Compare(tag, newest) > 0 {
			newest = tag
		}
	}
	return newest
}

func git(ctx context.Context, folder string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", folder}, args...)...).Output() //nolint:gosec // the arguments are ours.
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		err = errors.New(strings.TrimSpace(string(failed.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}
