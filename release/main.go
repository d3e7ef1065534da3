// Command release makes what people install: the program for each system, packages for Debian and for what uses RPM, images for containers,
// lists of what is in the programs, and the sums of all files. It is a module of its own, so that nothing that it needs is ever a part of
// the relay. `make release` calls it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
)

// toolchain is the Go that releases are built with. Another one makes other files.
const toolchain = "go1.26.8"

// allPlatforms are those that a release is for.
const allPlatforms = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	source := flag.String("source", "..", "the relay's folder, with its history")
	out := flag.String("out", "", "the folder to fill; what is in it is removed")
	platforms := flag.String("platforms", allPlatforms, "systems and processors to build for, separated by commas")
	anyGo := flag.Bool("any-go", false, "build with another Go than "+toolchain+", for trials: the files are not those of the release")
	flag.Parse()
	switch {
	case *out == "" || flag.NArg() > 0:
		return errors.New("want -out FOLDER and no more arguments")
	case runtime.Version() != toolchain && !*anyGo:
		return fmt.Errorf("this is %s, and releases are built with %s, which makes other files", runtime.Version(), toolchain)
	}
	b, err := identify(ctx, *source)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(*out); err != nil {
		return err
	}
	return b.make(ctx, *source, *out, strings.Split(*platforms, ","))
}

// make fills the folder. The source is the relay's folder.
func (b build) make(ctx context.Context, source, out string, platforms []string) error {
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // there is no secret in a release.
		return err
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	var linux []platform
	for _, name := range platforms {
		p, err := parsePlatform(name)
		if err != nil {
			return err
		}
		program := filepath.Join(out, b.programName(p))
		if err := b.compile(ctx, source, program, p); err != nil {
			return err
		}
		if err := b.list(ctx, source, program); err != nil {
			return err
		}
		if p.system != "linux" {
			continue
		}
		linux = append(linux, p)
		for _, format := range []string{"deb", "rpm"} {
			if err := b.pack(source, program, out, format, p); err != nil {
				return fmt.Errorf("%s for %s: %w", format, p.processor, err)
			}
		}
	}
	if err := b.writeImages(out, linux); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	return writeSums(out)
}
