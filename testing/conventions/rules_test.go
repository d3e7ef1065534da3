package conventions

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// The most lines there may be.
const (
	maxFileLines     = 400
	maxFunctionLines = 60
)

func findSizes(s source, report reporter) {
	if lines := strings.Count(s.text, "\n"); lines > maxFileLines {
		report("%s: has %d lines, over %d", s.path, lines, maxFileLines)
	}
	for _, declaration := range s.file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if lines := s.lines(function) - s.rows(function); lines > maxFunctionLines {
			report("%s: %s has %d lines, over %d", s.fset.Position(function.Pos()), function.Name.Name, lines, maxFunctionLines)
		}
	}
}

// rows returns how many lines of a test are its table: what is in lists of structs. A table is read row by row, and
// the next row is no harder for the one before.
func (s source) rows(function *ast.FuncDecl) int {
	if !strings.HasSuffix(s.path, "_test.go") {
		return 0
	}
	rows := 0
	ast.Inspect(function, func(n ast.Node) bool {
		table, ok := n.(*ast.CompositeLit)
		if !ok || !isTable(table.Type) && !hasBareRows(table) {
			return true
		}
		for _, row := range table.Elts {
			rows += s.lines(row)
		}
		return false
	})
	return rows
}

// hasBareRows reports whether all rows of a list are literals that leave out their type, as in a list of a named struct.
func hasBareRows(list *ast.CompositeLit) bool {
	for _, element := range list.Elts {
		row, ok := element.(*ast.CompositeLit)
		if !ok || row.Type != nil {
			return false
		}
	}
	return len(list.Elts) > 0
}

// isTable reports whether a composite literal of that type is a list or map of structs.
func isTable(kind ast.Expr) bool {
	switch t := kind.(type) {
	case *ast.ArrayType:
		_, ok := t.Elt.(*ast.StructType)
		return ok
	case *ast.MapType:
		_, ok := t.Value.(*ast.StructType)
		return ok
	default:
		return false
	}
}

// findDocs looks for package comments. An external test package needs none of its own.
func findDocs(all []source, report reporter) {
	documented := map[string]bool{}
	for _, s := range all {
		folder := path.Dir(s.path)
		documented[folder] = documented[folder] || (s.file.Doc != nil && len(strings.Fields(s.file.Doc.Text())) >= leastDoc)
	}
	for folder, ok := range documented {
		if !ok {
			report("%s: no file says what the package is and what it is not", folder)
		}
	}
}

// leastDoc is how many words a package comment has at least.
const leastDoc = 8

// banned are words that say nothing of what a thing is.
var banned = []string{"util", "utils", "common", "helper", "helpers", "types", "models", "core", "manager", "impl"}

// findWords looks for banned words in names that others see: those of files, folders and exported declarations.
func findWords(s source, report reporter) {
	for _, part := range strings.FieldsFunc(strings.TrimSuffix(s.path, ".go"), func(r rune) bool { return strings.ContainsRune("/_-.", r) }) {
		if slices.Contains(banned, part) {
			report("%s: %q says nothing of what is in there", s.path, part)
		}
	}
	for _, declaration := range s.file.Decls {
		for _, name := range declared(declaration) {
			for _, word := range words(name.Name) {
				if name.IsExported() && slices.Contains(banned, word) {
					report("%s: %q in %s says nothing of what it is", s.fset.Position(name.Pos()), word, name.Name)
				}
			}
		}
	}
	if slices.Contains(banned, s.file.Name.Name) {
		report("%s: package %s says nothing of what it is", s.path, s.file.Name.Name)
	}
}

// declared returns the names that a declaration makes: functions, methods, types with their fields and methods,
// constants and variables.
func declared(declaration ast.Decl) []*ast.Ident {
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		return []*ast.Ident{d.Name}
	case *ast.GenDecl:
		var names []*ast.Ident
		for _, spec := range d.Specs {
			names = append(names, specified(spec)...)
		}
		return names
	default:
		return nil
	}
}

func specified(spec ast.Spec) []*ast.Ident {
	switch s := spec.(type) {
	case *ast.ValueSpec:
		return s.Names
	case *ast.TypeSpec:
		names := []*ast.Ident{s.Name}
		ast.Inspect(s.Type, func(n ast.Node) bool {
			if field, ok := n.(*ast.Field); ok {
				names = append(names, field.Names...)
			}
			return true
		})
		return names
	default:
		return nil
	}
}

// words splits a name in camel case: "HTTPManager" is "http", "manager".
func words(name string) []string {
	var all []string
	runes := []rune(name)
	start := 0
	for i := 1; i < len(runes); i++ {
		endsAcronym := i+1 < len(runes) && unicode.IsUpper(runes[i-1]) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(runes[i]) && (!unicode.IsUpper(runes[i-1]) || endsAcronym) {
			all = append(all, strings.ToLower(string(runes[start:i])))
			start = i
		}
	}
	return append(all, strings.ToLower(string(runes[start:])))
}

var (
	// international finds what may be a number in E.164, also escaped for a URL, or with its digits in groups. What
	// follows a letter, digit or slash is part of something else, such as a signature in base64.
	international = regexp.MustCompile(`(?:^|[^A-Za-z0-9+/=])(?:\+|%2B)([1-9](?:[ .()-]{0,2}[0-9]){6,14})($|[^0-9])`)
	// fictional are the numbers that North America and Britain keep for stories, the latter also with the 0 that is dialled at home,
	// Twilio's magic ones, and those of other countries whose digits are counted off, as numbering plans show them.
	fictional = regexp.MustCompile(`^(?:1(?:[2-9][0-9]{2}55501[0-9]{2}|500555[0-9]{4})|440?7700900[0-9]{3}|` +
		`(?:39|49|52|54)[0-9]*[12]345678[0-9]*)$`)
	// pattern is how people write numbers of a kind.
	pattern = regexp.MustCompile(`\+[0-9A-Z .()-]*x{2,}`)
	// begun is the start of such a number.
	begun = regexp.MustCompile(`^1(?:[2-9][0-9]{2}55501|500555)[0-9]*$`)
)

// findNumbers looks for telephone numbers that someone may have.
func findNumbers(path, text string, report reporter) {
	for i, line := range strings.Split(text, "\n") {
		line = pattern.ReplaceAllString(line, "")
		for _, match := range international.FindAllStringSubmatch(line, -1) {
			if number := digits(match[1]); !isNobodys(number, match[2] == "%") {
				report("%s:%d: +%s may be someone's number: use +1 AAA 555 01xx", path, i+1, number)
			}
		}
	}
}

// northAmerica is how many digits each number there has, its country code 1 among them.
const northAmerica = 11

// isNobodys reports whether no telephone has the number; goesOn says that a verb of fmt fills in more digits.
func isNobodys(number string, goesOn bool) bool {
	if goesOn {
		return begun.MatchString(number)
	}
	malformed := number[0] == '1' && len(number) != northAmerica
	_, canExist := sms.PhoneNumber("+" + number).Canonical()
	return malformed || !canExist || fictional.MatchString(number)
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}
