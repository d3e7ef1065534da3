package backups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Keep says which backups are kept. The zero value keeps all.
type Keep struct {
	// Newest is how many of the newest are kept, Days for how many of the last days one of each is: the last of that day, in UTC.
	Newest, Days int
}

// ParseKeep reads "24,7d": the newest 24, and one of each of the last 7 days.
func ParseKeep(text string) (k Keep, err error) {
	if text == "" {
		return Keep{}, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		count, isDays := strings.CutSuffix(strings.TrimSpace(part), "d")
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || isDays && k.Days > 0 || !isDays && k.Newest > 0 {
			return Keep{}, errors.New(`want how many of the newest, and of how many days one each, such as 24,7d`)
		}
		if isDays {
			k.Days = n
		} else {
			k.Newest = n
		}
	}
	if k.Newest == 0 {
		k.Newest = 1
	}
	return k, nil
}

// expired returns the names of the backups that are not kept. Names without a time are not backups of ours.
func (k Keep) expired(names []string, now time.Time) (expired []string) {
	if k == (Keep{}) {
		return nil
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, ok := timeOf(name); return !ok })
	slices.Sort(names)
	slices.Reverse(names)
	const day = "2006-01-02"
	from := now.UTC().AddDate(0, 0, 1-k.Days).Format(day)
	kept := map[string]bool{}
	for i, name := range names {
		at, _ := timeOf(name)
		of := at.Format(day)
		first := !kept[of] && of >= from && k.Days > 0
		if kept[of] = kept[of] || first; i >= k.Newest && !first {
			expired = append(expired, name)
		}
	}
	return expired
}

// Prune removes the backups that are not kept, and returns how many those were.
func Prune(ctx context.Context, p Place, k Keep, now time.Time) (removed int, err error) {
	if k == (Keep{}) {
		return 0, nil
	}
	names, err := p.list(ctx)
	if err != nil {
		return 0, fmt.Errorf("list the backups in %s: %w", p, err)
	}
	for _, name := range k.expired(names, now) {
		if err := p.remove(ctx, name); err != nil {
			return removed, fmt.Errorf("remove the old backup %s: %w", name, err)
		}
		removed++
	}
	return removed, nil
}
