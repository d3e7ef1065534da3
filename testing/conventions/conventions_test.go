package conventions

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the module's folder.
var root = filepath.Join("..", "..")

// reporter gets one finding.
type reporter func(format string, args ...any)

// source is one Go file.
type source struct {
	// path is from the module's folder, with slashes.
	path string
	text string
	file *ast.File
	fset *token.FileSet
}

func parseSource(path, text string) (source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	return source{path: path, text: text, file: file, fset: fset}, err
}

// lines returns how many lines a node has.
func (s source) lines(n ast.Node) int {
	return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line + 1
}

// walk calls visit with each of the module's own files that has one of the extensions. Folders that git, a build or a
// tool made are left out.
func walk(t *testing.T, visit func(path, text string), extensions ...string) {
	t.Helper()
	module := os.DirFS(root)
	err := fs.WalkDir(module, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if isForeign(name) {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.Contains(extensions, path.Ext(name)) {
			return nil
		}
		text, err := fs.ReadFile(module, name)
		visit(name, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// isForeign reports whether what lies in the folder is not the module's source.
func isForeign(folder string) bool {
	if base := path.Base(folder); folder != "." && strings.HasPrefix(base, ".") && folder != ".ci" {
		return true
	}
	return slices.Contains([]string{"bin", "build", "relay-data"}, folder)
}

// sources returns the module's Go files, generated ones left out.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	walk(t, func(path, text string) {
		s, err := parseSource(path, text)
		if err != nil {
			t.Error(err)
			return
		}
		if !ast.IsGenerated(s.file) {
			all = append(all, s)
		}
	}, ".go")
	if len(all) < 10 {
		t.Fatalf("found %d Go files: this is not the module", len(all))
	}
	return all
}

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	for _, s := range sources(t) {
		findSizes(s, t.Errorf)
	}
}

func TestEachPackageSaysWhatItIs(t *testing.T) {
	findDocs(sources(t), t.Errorf)
}

func TestNamesSayWhatThingsAre(t *testing.T) {
	for _, s := range sources(t) {
		findWords(s, t.Errorf)
	}
}

func TestTelephoneNumbersAreNobodys(t *testing.T) {
	walk(t, func(path, text string) { findNumbers(path, text, t.Errorf) }, ".go", ".json", ".md", ".txtar", ".txt", ".yaml")
}
