// Package backups makes backups of the data folder of a relay on one host while the relay runs, keeps them in a place, and restores one
// into an empty folder. A backup is one file, a tar archive with a manifest. `relay backup`, `relay restore` and `relay serve` use it; it
// decides nothing about texts.
package backups

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// format is the version of the form of a backup. A program refuses backups of later forms.
const format = 1

// manifestName is the archive's last file, which says what is in the others.
const manifestName = "manifest.json"

// Manifest says what a backup is of, and what is in it.
type Manifest struct {
	Format int `json:"format"`
	// Relay is the build that made the backup, Schema the version of the database's schema that a program has to know to restore it.
	Relay  string `json:"relay"`
	Schema int    `json:"schema"`
	// TakenAt is the moment whose state the backup has. StartedAt and EndedAt are when its making began and ended. UTC.
	TakenAt   time.Time `json:"taken_at"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
	// Secrets is whether the settings have their secrets, and whether the keys of certificates are in it.
	Secrets bool `json:"secrets"`
	// Forgotten is how many customers a restore erased again, because they were forgotten since.
	Forgotten int `json:"forgotten_again,omitempty"`
	// Replica is whether it was restored from a replica, and not from a backup.
	Replica bool   `json:"replica,omitempty"`
	Files   []File `json:"files"`
}

// File is one file of a backup.
type File struct {
	// Name is the file's path in the data folder, with slashes.
	Name string `json:"name"`
	Size int64  `json:"size"`
	// SHA256 is the hash of its content, in hexadecimal digits.
	SHA256 string `json:"sha256"`
}

// Size is how many bytes the files have.
func (m Manifest) Size() (bytes int64) {
	for _, f := range m.Files {
		bytes += f.Size
	}
	return bytes
}

// ErrNewer means that a later version of this program made the backup.
var ErrNewer = errors.New("a later version of relay made it: use that one")

func readManifest(text []byte) (m Manifest, err error) {
	if err := json.Unmarshal(text, &m); err != nil {
		return Manifest{}, fmt.Errorf("its manifest cannot be read: %w", err)
	}
	if m.Format > format {
		return Manifest{}, ErrNewer
	}
	return m, nil
}
