package sqlite

import (
	"fmt"
	"io/fs"

	"golang.org/x/sys/windows"
)

// identityOf reads the volume's serial number, and the number that the file has on it. Where Windows does not say them, the path is the
// file's identity.
func identityOf(path string, _ fs.FileInfo) identity {
	unknown := identity{inode: path}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return unknown
	}
	// Reading the attributes alone gets in nobody's way.
	const shared = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	file, err := windows.CreateFile(name, windows.FILE_READ_ATTRIBUTES, shared, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return unknown
	}
	defer windows.CloseHandle(file) //nolint:errcheck // nothing was written.
	var found windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(file, &found); err != nil {
		return unknown
	}
	const high = 32
	return identity{
		device: fmt.Sprint(found.VolumeSerialNumber),
		inode:  fmt.Sprint(uint64(found.FileIndexHigh)<<high | uint64(found.FileIndexLow)),
	}
}
