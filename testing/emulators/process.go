//go:build linux || darwin

package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// stopGrace is how long a process has between the polite signal and the one it cannot refuse.
const stopGrace = 10 * time.Second

// group says which process group a child lives in.
type group bool

const (
	// ownGroup gives the child a group of its own, so that its children can be stopped with it.
	ownGroup group = true
	// ourGroup leaves it in ours: a command at a terminal can then read from it and gets its Ctrl-C from there.
	ourGroup group = false
)

// process is a child that was started here and ends with us: through its context, and on Linux also by the kernel.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	// err is how it ended; it is set before done is closed.
	err error
}

// start starts a command that was made with a context. When that context ends, the child gets SIGTERM and, if it does
// not heed it, SIGKILL.
func start(cmd *exec.Cmd, in group) (*process, error) {
	cmd.SysProcAttr = childAttributes(in)
	cmd.WaitDelay = stopGrace
	cmd.Cancel = func() error { return signalChild(cmd, in, syscall.SIGTERM) }
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go p.supervise(in, started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// supervise starts the child and waits for it on one thread of its own. Linux sends the parent-death signal when the
// thread that started the child ends, so this thread must live as long as the child.
func (p *process) supervise(in group, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	if in == ownGroup {
		// What the child left behind. The group's number cannot be given away while one of them lives.
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
	close(p.done)
}

// wait waits for the child's end and returns how it ended.
func (p *process) wait() error {
	<-p.done
	return p.err
}

// ended reports whether the child is gone.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// reason is how a child that has ended did so, never nil.
func (p *process) reason() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}

// signalChild signals the child, or its whole group where it has one.
func signalChild(cmd *exec.Cmd, in group, signal syscall.Signal) error {
	pid := cmd.Process.Pid
	if in == ownGroup {
		pid = -pid
	}
	err := syscall.Kill(pid, signal)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// tryLock takes the exclusive lock on an open file if nobody has it.
func tryLock(file *os.File) bool {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
