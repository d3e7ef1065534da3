package main

import "syscall"

// childAttributes has the kernel end the child when this process ends without doing so itself (SIGKILL, a panic).
func childAttributes(in group) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: bool(in), Pdeathsig: syscall.SIGKILL}
}
