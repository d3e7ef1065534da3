package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// list writes which modules, in which versions, are in a program: a list in the form of CycloneDX, next to it. It is read from the program,
// and so has what is linked, and nothing else.
func (b build) list(ctx context.Context, source, program string) error {
	path := program + ".cdx.json"
	fmt.Println(path)
	//nolint:gosec // the arguments are ours.
	command := exec.CommandContext(ctx, "go", "tool", "cyclonedx-gomod", "bin", "-json", "-std", "-noserial", "-notimestamp",
		"-version", b.version, "-output", path, program)
	command.Dir = filepath.Join(source, "release")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("cyclonedx-gomod: %w\n%s", err, out)
	}
	return os.Chmod(path, 0o644) //nolint:gosec // it is for everybody.
}
