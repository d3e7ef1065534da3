package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // a format of nfpm's.
	_ "github.com/goreleaser/nfpm/v2/rpm" // another one.
)

// pack makes a package of a program for Linux, as nfpm.yaml says, in the format deb or rpm.
func (b build) pack(source, program, out, format string, p platform) error {
	config, err := nfpm.ParseFileWithEnvMapping(filepath.Join(source, "release", "nfpm.yaml"), func(name string) string {
		return map[string]string{"VERSION": b.number(), "PROCESSOR": p.processor, "PROGRAM": program, "SOURCE": source}[name]
	})
	if err != nil {
		return err
	}
	// Whatever has a date in a package has that of the commit.
	config.MTime = b.time
	scripts := filepath.Join(source, "release", "scripts")
	config.Scripts = nfpm.Scripts{
		PostInstall: filepath.Join(scripts, "postinstall"), PreRemove: filepath.Join(scripts, "preremove"),
		PostRemove: filepath.Join(scripts, "postremove"),
	}
	info, err := config.Get(format)
	if err != nil {
		return err
	}
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	info = nfpm.WithDefaults(info)
	path := filepath.Join(out, packager.ConventionalFileName(info))
	fmt.Println(path)
	file, err := os.Create(path) //nolint:gosec // the path is ours.
	if err != nil {
		return err
	}
	err = packager.Package(info, file)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}
