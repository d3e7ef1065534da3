package backups

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/forgetting"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// KeepForgotten adds the customers to the list beside the backups in the place, so that a restore of an older one does not bring them back.
func KeepForgotten(ctx context.Context, to Place, list forgetting.List) error {
	there, _, err := readForgotten(ctx, to)
	if err != nil {
		return err
	}
	text, err := json.Marshal(there.With(list))
	if err != nil {
		return err
	}
	return to.keep(ctx, datafolder.ForgottenFile, append(text, '\n'))
}

// ShareForgotten does that in each of the places; one that is empty is none.
func ShareForgotten(ctx context.Context, places []string, access awsprofile.Config, list forgetting.List) error {
	slices.Sort(places)
	for _, to := range slices.Compact(places) {
		if to == "" {
			continue
		}
		place, err := Open(ctx, to, access)
		if err != nil {
			return err
		}
		if err := KeepForgotten(ctx, place, list); err != nil {
			return err
		}
	}
	return nil
}

// readForgotten reads that list; found is false if there is none.
func readForgotten(ctx context.Context, from Place) (list forgetting.List, found bool, err error) {
	content, err := from.open(ctx, datafolder.ForgottenFile)
	if errors.Is(err, fs.ErrNotExist) || err != nil && fault.Of(err).HTTPStatus == http.StatusNotFound {
		return list, false, nil
	}
	if err == nil {
		err = json.NewDecoder(content).Decode(&list)
		_, _ = io.Copy(io.Discard, content) // The connection can be used again.
		err = errors.Join(err, content.Close())
	}
	if err != nil {
		return list, false, fmt.Errorf("read the list of forgotten customers, %s: %w", from.whole(datafolder.ForgottenFile), err)
	}
	return list, true, nil
}

// forgetAgain erases in an unpacked backup what it has of customers who were forgotten since, and returns how many they are. If the
// database has to be brought up to date first, the list is left in the folder for relay serve.
func forgetAgain(ctx context.Context, from Place, folder string, now time.Time) (customers int, err error) {
	list, found, err := readForgotten(ctx, from)
	if err != nil || !found {
		return 0, err
	}
	customers, isLate, err := forgetting.RestoredFolder(ctx, folder, list, func() time.Time { return now })
	if err == nil && isLate {
		err = durable.Disk{}.WriteJSON(filepath.Join(folder, datafolder.ForgottenFile), list)
	}
	if err != nil {
		return 0, fmt.Errorf("erase the customers who were forgotten since: %w", err)
	}
	return customers, nil
}
