package conventions

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is where the import paths begin, relay the program for people.
const (
	module = "quickdumpnow.com/smsrelay/"
	relay  = module + "cmd/relay"
)

// importsOf returns what each of the module's packages imports, its tests left out, as the go command says it.
func importsOf(t *testing.T) map[string][]string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	command.Dir = root
	list, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(list)) {
		words := strings.Fields(line)
		imports[words[0]] = words[1:]
	}
	if len(imports[relay]) == 0 {
		t.Fatalf("%d packages, and no imports of %s", len(imports), relay)
	}
	return imports
}

func TestPackagesImportWhatTheyMay(t *testing.T) {
	imports := importsOf(t)
	findImportsAgainstTheGrain(imports, t.Errorf)
	findVerbImports(imports, t.Errorf)
}

// findImportsAgainstTheGrain looks for a package of the module that imports one it may not know.
func findImportsAgainstTheGrain(imports map[string][]string, report reporter) {
	for path, all := range imports {
		for _, imported := range all {
			from, to := strings.TrimPrefix(path, module), strings.TrimPrefix(imported, module)
			if to != imported && !mayImport(from, to) {
				report("%s imports %s", from, to)
			}
		}
	}
}

// mayImport reports whether the code of one folder may import another package. Tests may import anything.
func mayImport(from, to string) bool {
	room := func(folder string, depth int) string {
		parts := strings.Split(folder, "/")
		return strings.Join(parts[:min(depth, len(parts))], "/")
	}
	switch room(from, 1) {
	case "shared":
		return room(to, 1) == "shared"
	case "functions":
		return room(to, 1) == "shared" || room(to, 2) == room(from, 2)
	case "cmd":
		return slices.Contains([]string{"shared", "functions", "cmd"}, room(to, 1))
	default:
		return true
	}
}

// findVerbImports looks for a package of relay that imports a verb. The verbs are the rooms that main imports, cli left out; what is
// below a room belongs to it. Only demo imports other verbs, because it runs them.
func findVerbImports(imports map[string][]string, report reporter) {
	var verbs []string
	for _, path := range imports[relay] {
		if strings.HasPrefix(path, relay+"/") && path != relay+"/cli" {
			verbs = append(verbs, path)
		}
	}
	verbOf := func(path string) string {
		i := slices.IndexFunc(verbs, func(verb string) bool { return path == verb || strings.HasPrefix(path, verb+"/") })
		if i < 0 {
			return ""
		}
		return verbs[i]
	}
	for from, all := range imports {
		if from == relay || from == relay+"/demo" || !strings.HasPrefix(from, relay+"/") {
			continue
		}
		for _, to := range all {
			if verb := verbOf(to); verb != "" && verb != verbOf(from) {
				report("%s imports %s: what two verbs share is in cmd/relay/cli, or in a package of its own", from, to)
			}
		}
	}
}

func TestWrongImportsAreFound(t *testing.T) {
	imports := map[string][]string{
		relay:                          {relay + "/cli", relay + "/route", relay + "/text", relay + "/demo", module + "shared/route"},
		relay + "/cli":                 {relay + "/typed"},
		relay + "/route":               {relay + "/cli", relay + "/route/routing", module + "shared/route"},
		relay + "/demo":                {relay + "/text", relay + "/route/routing"},
		relay + "/text":                {relay + "/cli"},
		module + "testing/relaytest":   {relay + "/typed"},
		module + "testing/lambdahost":  {module + "testing/relaytest"},
		module + "functions/sender":    {module + "shared/route"},
		module + "shared/route":        {"testing/fstest"},
		relay + "/route/routing":       {module + "shared/route"},
		relay + "/textbook":            nil,
		module + "cmd/relay/routebook": {relay + "/textbook"},
	}
	for _, tt := range []struct {
		from, to string
		wrong    bool
	}{
		{relay + "/text", relay + "/textbook", false},
		{relay + "/text", relay + "/route", true},
		{relay + "/text", relay + "/route/routing", true},
		{relay + "/route/routing", relay + "/text", true},
		{relay + "/cli", relay + "/text", true},
		{relay + "/text", module + "testing/lambdahost", true},
		{module + "functions/sender", module + "testing/relaytest", true},
		{module + "shared/route", module + "testing/relaytest", true},
	} {
		before, found := imports[tt.from], 0
		imports[tt.from] = append(slices.Clone(before), tt.to)
		count := func(string, ...any) { found++ }
		findImportsAgainstTheGrain(imports, count)
		findVerbImports(imports, count)
		imports[tt.from] = before
		if (found > 0) != tt.wrong {
			t.Errorf("%s that imports %s: %d findings", tt.from, tt.to, found)
		}
	}
}

func TestMayImport(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		want     bool
	}{
		{"shared/plan", "shared/ledger", true},
		{"shared/plan", "functions/sender/delivery", false},
		{"shared/plan", "cmd/relay/twiliofake", false},
		{"shared/plan", "testing/relaytest", false},
		{"functions/sender", "functions/sender/delivery", true},
		{"functions/sender/delivery", "functions/ingest/webhook", false},
		{"functions/sender/delivery", "cmd/relay/twiliofake", false},
		{"functions/sender/delivery", "testing/relaytest", false},
		{"cmd/relay", "functions/sender/delivery", true},
		{"cmd/relay/doctor", "testing/lambdahost", false},
		{"testing/e2e", "cmd/relay/twiliofake", true},
	} {
		if got := mayImport(tt.from, tt.to); got != tt.want {
			t.Errorf("%s imports %s: %t, want %t", tt.from, tt.to, got, tt.want)
		}
	}
}
