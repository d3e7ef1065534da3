package backups

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// CatchUp is how far the relay on a copied or restored folder has come with asking Twilio what came in since the copy was made. It is kept
// in the folder. Times are UTC.
type CatchUp struct {
	// MovedAt is when the relay first started on the copy, Since when the copy was made, or a little earlier.
	MovedAt time.Time `json:"moved_at"`
	Since   time.Time `json:"since"`
	// Queued is how many texts were found that the copy did not have.
	Queued int `json:"queued"`
	// Failure is why Twilio could not be asked the last time, empty if it could.
	Failure string `json:"failure,omitempty"`
	// DoneAt is when all was asked; zero until then.
	DoneAt time.Time `json:"done_at,omitzero"`
}

// ReadCatchUp reads it from a folder; found is false if no relay has started on a copy there.
func ReadCatchUp(data string) (c CatchUp, found bool, err error) {
	text, err := os.ReadFile(filepath.Join(data, datafolder.CatchUpFile)) //nolint:gosec // it is the operator's own folder.
	if errors.Is(err, fs.ErrNotExist) {
		return CatchUp{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	return c, err == nil, err
}

// Write keeps it in the folder.
func (c CatchUp) Write(data string, disk durable.Disk) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return disk.WriteFile(filepath.Join(data, datafolder.CatchUpFile), append(text, '\n'))
}
