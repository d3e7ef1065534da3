package main

import (
	"regexp"
	"testing"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// Where a page has a row for a setting, its default is the program's; and each setting that has a default has such a row.
func TestPagesHaveTheSettingsDefaults(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| `([^`]+)` \\|")
	fallbacks, written := map[string]string{}, map[string]bool{}
	for _, s := range cli.ServeSettings() {
		fallbacks[s.Env] = s.Fallback
	}
	for _, path := range pages(t) {
		for _, found := range row.FindAllStringSubmatch(readPage(t, path), -1) {
			want, known := fallbacks[found[1]]
			written[found[1]] = true
			if known && want != "" && found[2] != want {
				t.Errorf("%s says that %s is %s by default, it is %s", path, found[1], found[2], want)
			}
		}
	}
	for name, fallback := range fallbacks {
		if fallback != "" && !written[name] {
			t.Errorf("no page has a row for %s, which is %s by default", name, fallback)
		}
	}
}
