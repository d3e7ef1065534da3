//go:build linux

package contestant

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"quickdumpnow.com/smsrelay/testing/peers/job"
	"quickdumpnow.com/smsrelay/testing/peers/lambda"
)

// python runs the functions by Lambda's own runtime interface client for Python, awslambdaric. Each upload is the function's file and
// all packages.
func (b Builder) python(folder string) (Contestant, error) {
	c := newContestant("Python")
	c.Works = true
	interpreter, packages := filepath.Join(b.Packages, "interpreter", "bin", "python"), filepath.Join(b.Packages, "packages")
	bundle, err := b.trusted(filepath.Join(packages, "certifi", "cacert.pem"))
	if err != nil {
		return c, err
	}
	certificates := filepath.Join(folder, "certifi.pem")
	if err := os.WriteFile(certificates, bundle, 0o600); err != nil {
		return c, err
	}
	environment := append([]string{
		"PYTHONPATH=" + packages + ":" + filepath.Join(b.Packages, "runtime"), "PYTHONDONTWRITEBYTECODE=1",
		"AWS_CA_BUNDLE=" + certificates, "REQUESTS_CA_BUNDLE=" + certificates, "LAMBDA_TASK_ROOT=" + packages,
		"AWS_EXECUTION_ENV=AWS_Lambda_python",
	}, b.Environment...)
	all, err := zipped(packages)
	if err != nil {
		return c, err
	}
	for _, function := range job.Functions() {
		module := strings.ReplaceAll(function, "-", "_")
		file := filepath.Join(b.Packages, "functions", module+".py")
		own, err := zipped(file)
		if err != nil {
			return c, err
		}
		c.Sizes[function] = all + own
		c.Programs[function] = lambda.Program{
			Command: []string{interpreter, "-m", "awslambdaric", module + ".handler"}, Folder: filepath.Dir(file),
			Environment: append([]string{"_HANDLER=" + module + ".handler"}, environment...),
		}
	}
	return c, nil
}

// node runs the bundles of the functions that `make bench-peers` made, by the bootstrap in testing/peers/node.
func (b Builder) node(string) (Contestant, error) {
	c := newContestant("Node")
	c.Works = true
	interpreter, err := exec.LookPath("node")
	if err != nil {
		return c, err
	}
	authority := filepath.Join(b.Root, "build", "peers", "authority.pem")
	if err := os.WriteFile(authority, b.Authority, 0o600); err != nil {
		return c, err
	}
	for _, function := range job.Functions() {
		bundle := filepath.Join(b.Packages, "node", function+".mjs")
		if c.Sizes[function], err = zipped(bundle); err != nil {
			return c, err
		}
		c.Programs[function] = lambda.Program{
			Command: []string{interpreter, filepath.Join(b.Root, "testing", "peers", "node", "bootstrap.mjs"), bundle},
			Folder:  filepath.Dir(bundle),
			Environment: append([]string{
				"NODE_EXTRA_CA_CERTS=" + authority, "_HANDLER=" + function + ".handler", "LAMBDA_TASK_ROOT=" + filepath.Dir(bundle),
				"AWS_EXECUTION_ENV=AWS_Lambda_nodejs",
			}, b.Environment...),
		}
	}
	return c, nil
}

// zipped returns how large the archive of a file or a folder is.
func zipped(root string) (int64, error) {
	var size counter
	archive := zip.NewWriter(&size)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		inside, err := filepath.Rel(filepath.Dir(root), path)
		if err != nil {
			return err
		}
		writer, err := archive.Create(inside)
		if err != nil {
			return err
		}
		file, err := os.Open(path) //nolint:gosec // it packs what it is told to.
		if err != nil {
			return err
		}
		_, err = io.Copy(writer, file)
		_ = file.Close()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("pack %s: %w", root, err)
	}
	if err := archive.Close(); err != nil {
		return 0, err
	}
	return int64(size), nil
}

// counter counts what is written to it.
type counter int64

// Write never fails.
func (c *counter) Write(part []byte) (int, error) {
	*c += counter(len(part))
	return len(part), nil
}
