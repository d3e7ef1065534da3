package telemetry

import (
	"runtime/debug"
	"strings"
)

// Build says which build a program is. A field is empty if it is not known.
type Build struct {
	// Version is the release's, such as v1.2.3, else the module's version, or the commit's first digits; "unknown" for a build without
	// any of them.
	Version string `json:"version"`
	// Commit is the full commit that it was built from, with "+dirty" if there were changes that were not committed. Date is
	// when that was committed, in RFC 3339, UTC.
	Commit string `json:"commit,omitempty"`
	Date   string `json:"date,omitempty"`
}

// -ldflags set them, for a build that Go does not stamp by itself: those of the Makefile commit and date, as in a git worktree, and those
// of a release all three.
var version, commit, date string //nolint:gochecknoglobals // The linker can set variables alone.

// ReadBuild returns which build this program is.
func ReadBuild() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return buildOf(info, Build{version, commit, date})
}

// String shows the version, and the commit and its date as far as they are known.
func (b Build) String() string {
	known := []string{}
	if b.Commit != "" {
		known = append(known, "commit "+b.Commit)
	}
	if b.Date != "" {
		known = append(known, b.Date)
	}
	if len(known) == 0 {
		return b.Version
	}
	return b.Version + " (" + strings.Join(known, ", ") + ")"
}

// IsSame reports whether two builds have the same source: the same commit, or, if a commit is not known, the same version.
func (b Build) IsSame(other Build) bool {
	if b.Commit != "" && other.Commit != "" {
		return b.Commit == other.Commit
	}
	return b.Version == other.Version
}

// buildOf reads what Go and the linker say. A release's version, commit and date belong together, and go before Go's own.
func buildOf(info *debug.BuildInfo, linked Build) Build {
	if linked.Version != "" {
		return linked
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	b := Build{Version: info.Main.Version, Commit: linked.Commit, Date: linked.Date}
	if revision := settings["vcs.revision"]; revision != "" {
		b.Commit, b.Date = revision, settings["vcs.time"]
		if settings["vcs.modified"] == "true" {
			b.Commit += dirty
		}
	}
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = short(b.Commit)
	}
	return b
}

// dirty marks a commit with changes that were not committed.
const dirty = "+dirty"

// short returns a commit's first digits as a version.
func short(commit string) string {
	const digits = 12
	revision, rest, _ := strings.Cut(commit, "+")
	switch {
	case revision == "":
		return "unknown"
	case rest != "":
		return revision[:min(digits, len(revision))] + "+" + rest
	default:
		return revision[:min(digits, len(revision))]
	}
}
