package telemetry_test

import (
	"runtime/debug"
	"testing"

	"quickdumpnow.com/smsrelay/shared/telemetry"
)

func TestBuild(t *testing.T) {
	const commit, date = "0123456789abcdef0123", "2026-11-28T10:00:00Z"
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: commit}, {Key: "vcs.time", Value: date}, {Key: "vcs.modified", Value: modified}}
	}
	tests := map[string]struct {
		info   debug.BuildInfo
		linked telemetry.Build
		want   telemetry.Build
		shown  string
	}{
		"released": {debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, telemetry.Build{}, telemetry.Build{Version: "v1.2.3"}, "v1.2.3"},
		"from a commit": {
			debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: vcs("false")},
			telemetry.Build{},
			telemetry.Build{Version: "0123456789ab", Commit: commit, Date: date},
			"0123456789ab (commit 0123456789abcdef0123, 2026-11-28T10:00:00Z)",
		},
		"with changes": {
			debug.BuildInfo{Settings: vcs("true")},
			telemetry.Build{},
			telemetry.Build{Version: "0123456789ab+dirty", Commit: commit + "+dirty", Date: date},
			"0123456789ab+dirty (commit 0123456789abcdef0123+dirty, 2026-11-28T10:00:00Z)",
		},
		"stamped by the Makefile": {
			debug.BuildInfo{},
			telemetry.Build{Commit: commit + "+dirty", Date: date},
			telemetry.Build{Version: "0123456789ab+dirty", Commit: commit + "+dirty", Date: date},
			"0123456789ab+dirty (commit 0123456789abcdef0123+dirty, 2026-11-28T10:00:00Z)",
		},
		"stamped by both": {
			debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: vcs("false")},
			telemetry.Build{Commit: "ffff", Date: "2020-01-01T00:00:00Z"},
			telemetry.Build{Version: "v1.2.3", Commit: commit, Date: date},
			"v1.2.3 (commit 0123456789abcdef0123, 2026-11-28T10:00:00Z)",
		},
		"a release, which Go knows by another name": {
			debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-20261128100000-0123456789ab"}, Settings: vcs("true")},
			telemetry.Build{Version: "v1.2.3", Commit: commit, Date: date},
			telemetry.Build{Version: "v1.2.3", Commit: commit, Date: date},
			"v1.2.3 (commit 0123456789abcdef0123, 2026-11-28T10:00:00Z)",
		},
		"without anything": {debug.BuildInfo{}, telemetry.Build{}, telemetry.Build{Version: "unknown"}, "unknown"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := telemetry.BuildOf(&test.info, test.linked)
			if got != test.want || got.String() != test.shown {
				t.Errorf("the build is %+v, shown as %q; want %+v, %q", got, got, test.want, test.shown)
			}
		})
	}
}

func TestSameBuild(t *testing.T) {
	here := telemetry.Build{Version: "v0.0.0-20261128-0123", Commit: "0123"}
	for name, tt := range map[string]struct {
		other telemetry.Build
		want  bool
	}{
		"of the commit, stamped in another way": {telemetry.Build{Version: "0123", Commit: "0123"}, true},
		"of another commit":                     {telemetry.Build{Version: here.Version, Commit: "4567"}, false},
		"older, of the same version":            {telemetry.Build{Version: here.Version}, true},
		"older, of another":                     {telemetry.Build{Version: "v1"}, false},
	} {
		if here.IsSame(tt.other) != tt.want {
			t.Errorf("%s: the same is %v", name, !tt.want)
		}
	}
}
