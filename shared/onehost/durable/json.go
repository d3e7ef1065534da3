package durable

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
)

// ReadJSON reads the JSON file at path into v. found is false if there is no such file, or an error.
func ReadJSON(path string, v any) (found bool, err error) {
	text, err := os.ReadFile(path) //nolint:gosec // it is the operator's own folder.
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	return err == nil, err
}

// WriteJSON is WriteFile for v as a line of JSON.
func (d Disk) WriteJSON(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return d.WriteFile(path, append(text, '\n'))
}
