// Package zone knows how far the clocks of each place are ahead, from 2026 on. The standard library's own data (time/tzdata) has every
// change since the nineteenth century, in 0.45 MB; of what comes, the rules are enough: a line for each place.
package zone

import (
	_ "embed" // the rules.
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// rules has a line for each place: its name in the IANA database, a tab, and the rule of its clocks as POSIX writes TZ, such as
// "PST8PDT,M3.2.0,M11.1.0". Behind "=" it is a whole file of the database in base64: of places whose clocks go by no such rule.
// `go test ./shared/zone -update` writes it.
//
//go:embed rules.txt
var rules string

// Load returns the place with that name of the IANA database, such as "America/Los_Angeles"; the empty name is UTC. What its clocks showed
// before 2026 may be wrong. The host's own data plays no part, so that all machines agree.
func Load(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	_, rest, found := strings.Cut(rules, "\n"+name+"\t")
	if !found && strings.HasPrefix(rules, name+"\t") {
		rest, found = rules[len(name)+1:], true
	}
	if !found || strings.ContainsAny(name, "\t\n") {
		return nil, fmt.Errorf("unknown time zone %s", name)
	}
	rule, _, _ := strings.Cut(rest, "\n")
	data, err := dataOf(rule)
	if err != nil {
		return nil, err
	}
	return time.LoadLocationFromTZData(name, data)
}

var errNoRule = errors.New("time zone without a rule")

// dataOf returns the file of the database (RFC 8536, version 2) that says what the rule does.
func dataOf(rule string) ([]byte, error) {
	if encoded, ok := strings.CutPrefix(rule, "="); ok {
		return base64.StdEncoding.DecodeString(encoded)
	}
	if rule == "" {
		return nil, errNoRule
	}
	// Of each of the two blocks, a header with six counts: one kind of time, with a name of one byte, and no changes.
	block := append([]byte("TZif2"), make([]byte, 15)...)
	for _, count := range []uint32{0, 0, 0, 0, 1, 1} {
		block = binary.BigEndian.AppendUint32(block, count)
	}
	block = append(block, make([]byte, 6+1)...)
	return append(append(block, block...), "\n"+rule+"\n"...), nil
}
