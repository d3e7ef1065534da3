package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
)

// Quota is how many bytes the owner wants the folder to have at most; 0 is no limit. Nothing is refused and nothing is deleted because of
// it: people are told in time.
type Quota int64

// minQuota is the least quota.
const minQuota = 100_000_000

// ParseQuota reads "500MB", "20GB" or "1TB"; the empty text is no limit.
func ParseQuota(text string) (Quota, error) {
	if text == "" {
		return 0, nil
	}
	for unit, bytes := range map[string]int64{"MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000} {
		number, found := strings.CutSuffix(strings.TrimSpace(text), unit)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 32)
		if err != nil || n*bytes < minQuota {
			break
		}
		return Quota(n * bytes), nil
	}
	return 0, errors.New("want a size of 100MB or more, such as 500MB, 20GB or 1TB")
}

// Fullness is 2 if so many bytes are as much as the quota, 1 if they are four fifths of it, and 0 otherwise.
func (q Quota) Fullness(used int64) int {
	switch {
	case q <= 0 || used < int64(q)/5*4:
		return 0
	case used < int64(q):
		return 1
	default:
		return 2
	}
}

// Words says how much of the quota is used.
func (q Quota) Words(used int64) string {
	return fmt.Sprintf("the data folder has %d MB of the %d MB of RELAY_DISK_QUOTA", used/1_000_000, int64(q)/1_000_000)
}

// Used returns how many bytes the files in the folder have. Those of attachments can be very many: without is a folder in it that is left
// out, empty for none.
func Used(folder, without string) (bytes int64, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != folder {
			return nil // it was removed meanwhile.
		}
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if without != "" && path == filepath.Join(folder, without) {
				return fs.SkipDir
			}
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}
