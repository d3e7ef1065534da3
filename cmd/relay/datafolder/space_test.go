package datafolder

import (
	"path/filepath"
	"testing"
)

func TestSpace(t *testing.T) {
	free, total, err := Space(t.TempDir())
	if err != nil || free == 0 || total < free {
		t.Errorf("%d of %d bytes are free, error %v", free, total, err)
	}
	if _, _, err := Space(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("the disk of a folder that is missing can be told")
	}
}
