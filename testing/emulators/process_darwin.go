package main

import "syscall"

// childAttributes sets the group alone: macOS has no parent-death signal, so a SIGKILL of this process leaves the
// emulators running.
func childAttributes(in group) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: bool(in)}
}
