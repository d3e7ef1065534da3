package datafolder

import "golang.org/x/sys/windows"

// Space returns how many bytes are free for this user on a folder's disk, and how many it has.
func Space(folder string) (free, total uint64, err error) {
	path, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return 0, 0, err
	}
	err = windows.GetDiskFreeSpaceEx(path, &free, &total, nil)
	return free, total, err
}
