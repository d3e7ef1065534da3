package templates

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// code is what the template has to agree with.
type code struct {
	// folders maps a function's logical id to its folder under functions/, as the Makefile builds it.
	folders map[string]string
	// mains are the folders under functions/ with a main package that starts a Lambda handler.
	mains []string
	// settings are, for each of mains, the environment variables that its config.go names.
	settings map[string][]string
	// paths are the HTTP paths that handler packages name.
	paths []string
}

// target finds the Makefile's rules that `sam build` calls, and the folder that each compiles.
var target = regexp.MustCompile(`(?m)^build-(\w+):.*\(call compile,([a-z-]+),`)

func readCode(t *testing.T) code {
	t.Helper()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	c := code{folders: map[string]string{}, settings: map[string][]string{}}
	for _, rule := range target.FindAllStringSubmatch(string(makefile), -1) {
		c.folders[rule[1]] = rule[2]
	}
	folders, err := os.ReadDir(filepath.Join(root, "functions"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		files := parseFolder(t, filepath.Join(root, "functions", folder.Name()))
		if !slices.ContainsFunc(files, startsLambda) {
			continue
		}
		c.mains = append(c.mains, folder.Name())
		c.settings[folder.Name()] = settings(t, filepath.Join(root, "functions", folder.Name(), "config.go"))
		c.paths = append(c.paths, paths(t, filepath.Join(root, "functions", folder.Name()))...)
	}
	return c
}

// parseFolder parses the Go files of one folder, tests left out.
func parseFolder(t *testing.T, folder string) []*ast.File {
	t.Helper()
	names, err := fs.Glob(os.DirFS(folder), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") {
			files = append(files, parseFile(t, filepath.Join(folder, name)))
		}
	}
	return files
}

func parseFile(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// startsLambda reports whether a file of a main package calls lambda.Start or one of its kin.
func startsLambda(file *ast.File) bool {
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := selector.X.(*ast.Ident); ok && pkg.Name == "lambda" && strings.HasPrefix(selector.Sel.Name, "Start") {
			found = true
		}
		return true
	})
	return found && file.Name.Name == "main"
}

var (
	settingName = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$`)
	httpPath    = regexp.MustCompile(`^/(sms(/[a-z-]+)+|openapi\.json)$`)
)

// settings returns the names of environment variables that a config.go reads. Those of the runtime itself, AWS_…,
// are not the template's to set.
func settings(t *testing.T, path string) []string {
	t.Helper()
	names := literals(parseFile(t, path), settingName)
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, "AWS_") })
}

// paths returns the HTTP paths that a function's handler package contains.
func paths(t *testing.T, folder string) []string {
	t.Helper()
	packages, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, entry := range packages {
		if !entry.IsDir() {
			continue
		}
		for _, file := range parseFolder(t, filepath.Join(folder, entry.Name())) {
			found = append(found, literals(file, httpPath)...)
		}
	}
	return found
}

// literals returns the strings of a file that match, each once.
func literals(file *ast.File, form *regexp.Regexp) []string {
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		if value, err := strconv.Unquote(literal.Value); err == nil && form.MatchString(value) {
			found = append(found, value)
		}
		return true
	})
	slices.Sort(found)
	return slices.Compact(found)
}
