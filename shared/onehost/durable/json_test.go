package durable_test

import (
	"os"
	"path/filepath"
	"testing"

	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

func TestJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	var got map[string]int
	if found, err := durable.ReadJSON(path, &got); found || err != nil || got != nil {
		t.Errorf("without a file: found %v, error %v, %v", found, err, got)
	}
	if err := (durable.Disk{}).WriteJSON(path, map[string]int{"texts": 3}); err != nil {
		t.Fatal(err)
	}
	if found, err := durable.ReadJSON(path, &got); !found || err != nil || got["texts"] != 3 {
		t.Errorf("found %v, error %v, %v", found, err, got)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "{\"texts\":3}\n" {
		t.Errorf("the file is %q, error %v", text, err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := durable.ReadJSON(path, &got); found || err == nil {
		t.Errorf("half a file: found %v, error %v", found, err)
	}
	if err := (durable.Disk{}).WriteJSON(path, func() {}); err == nil {
		t.Error("a function was written")
	}
}
