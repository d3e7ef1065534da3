package main

import (
	"errors"
	"syscall"
)

// isAddressInUse reports whether an address could not be listened on because someone else does.
func isAddressInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
