package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/upgrades"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// errAddressInUseOnWindows is what Windows says for EADDRINUSE.
const errAddressInUseOnWindows = syscall.Errno(10048)

// isAddressInUse reports whether another program already listens on the address.
func isAddressInUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || (runtime.GOOS == "windows" && errors.Is(err, errAddressInUseOnWindows))
}

// WithTargetHint adds a hint to an error from opening or reading a relay.
func WithTargetHint(err error, onAWS bool) error {
	if !onAWS {
		return withReadHint(err)
	}
	if errors.Is(err, awsprofile.ErrNoRegion) {
		return Hinted(err, "name it with --aws-region, AWS_REGION or in the profile")
	}
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.Kind == fault.Fatal {
		return Hinted(err, "check that --aws-profile and --aws-region belong to the stack, and that the names are those of its parameters")
	}
	return err
}

const newerHint = "use a relay as new as the one that wrote it; to go back to this one, see docs/one-host.md, Upgrades"

const damagedHint = "the database is damaged: stop relay serve, restore a backup into an empty folder, and name it with --data " +
	"(docs/operate.md says how)"

// withReadHint adds a hint to an error from reading a data folder.
func withReadHint(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return Hinted(err, "relay serve makes this file: name its folder with --data or RELAY_DATA")
	case errors.Is(err, os.ErrPermission):
		return Hinted(err, "run this as the user that runs relay serve: only that user may read the folder")
	case sqlite.IsMalformed(err):
		return Hinted(err, damagedHint)
	case errors.Is(err, sqlite.ErrOlderSchema):
		return Hinted(err, "start relay serve of this version once: it updates the file")
	case errors.Is(err, sqlite.ErrNewerSchema):
		return Hinted(err, newerHint)
	default:
		return err
	}
}

// WithStartHint adds a hint to an error at the start.
func WithStartHint(err error) error {
	if err == nil {
		return nil
	}
	_, isNetwork := errors.AsType[*net.OpError](err)
	exported, isExported := errors.AsType[datafolder.ExportedError](err)
	switch {
	case isExported && !exported.Done.IsZero():
		return Hinted(err, "work on it with --aws")
	case isExported:
		return Hinted(err, "end it with relay export --to-aws; relay export --undo goes back as long as no message was moved")
	case isAddressInUse(err):
		return Hinted(err, "another program uses this address: choose another port with --listen")
	case sqlite.IsMalformed(err):
		return Hinted(err, damagedHint)
	case errors.Is(err, sqlite.ErrNewerSchema):
		return Hinted(err, newerHint)
	case errors.Is(err, upgrades.ErrNoRoom):
		return Hinted(err, "make room on the disk of the data folder; relay upgrade --check says how much is needed")
	case errors.Is(err, upgrades.ErrNoRoomToRebuild):
		return Hinted(err, "the relay works as it is; make room on the disk of the data folder, and run relay upgrade again")
	case isNetwork:
		return Hinted(err, "choose an address of this host and a port above 1023 with --listen")
	case errors.Is(err, sqlite.ErrNotReplicable):
		return Hinted(err, "leave RELAY_REPLICATE (--replicate) out here; RELAY_BACKUP makes backups on every system")
	case errors.Is(err, sqlite.ErrInUse):
		return Hinted(err, "another relay serve uses this folder: stop it, or choose another folder with --data")
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.ENOTDIR), errors.Is(err, os.ErrNotExist):
		return Hinted(err, "RELAY_DATA (--data) must be a folder that this user may write to")
	default:
		return err
	}
}

// SettingsError says what is wrong with the settings.
func SettingsError(err error) error {
	return Usage(fmt.Errorf("settings:\n  %s", strings.ReplaceAll(err.Error(), "\n", "\n  ")))
}
