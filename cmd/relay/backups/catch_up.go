package backups

import (
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
	found, err = durable.ReadJSON(filepath.Join(data, datafolder.CatchUpFile), &c)
	return c, found, err
}

// Write keeps it in the folder.
func (c CatchUp) Write(data string, disk durable.Disk) error {
	return disk.WriteJSON(filepath.Join(data, datafolder.CatchUpFile), c)
}
