package conventions

import (
	"encoding"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
)

// TestStoredFields holds the fields of all items and messages that are stored against a list of those of the last release. The release
// before writes an item without the fields that it does not know: docs/decisions/0021-versions-of-the-data.md says what that means for a
// new one.
func TestStoredFields(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "stored-fields.txt"))
	if err != nil {
		t.Fatal(err)
	}
	listed, released, count := map[string]bool{}, 0, -1
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if of, found := strings.CutPrefix(line, "# fields of the last release: "); found {
			if count, err = strconv.Atoi(of); err != nil {
				t.Fatal(err)
			}
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, ifLost, isNew := strings.Cut(line, ": ")
		if listed[name] = true; !isNew {
			released++
		} else if len(strings.Fields(ifLost)) < 3 {
			t.Errorf("%s: say what happens if the last release writes the item without it", name)
		}
	}
	if released != count {
		t.Errorf("%d fields are listed without what happens if they are lost, and the last release had %d", released, count)
	}
	there := map[string]bool{}
	for _, kind := range []reflect.Type{
		reflect.TypeFor[ledger.Record](),
		reflect.TypeFor[conversation.Conversation](),
		reflect.TypeFor[conversation.Phone](),
		reflect.TypeFor[conversation.TagUse](),
		reflect.TypeFor[conversation.Action](),
		reflect.TypeFor[route.Route](),
		reflect.TypeFor[queue.Envelope](),
	} {
		for _, field := range fieldsOf(kind) {
			there[kind.String()+"."+field] = true
		}
	}
	for _, name := range sorted(there) {
		if !listed[name] {
			t.Errorf("%s is not listed: is it one that may be lost, and what happens then?", name)
		}
	}
	for _, name := range sorted(listed) {
		if !there[name] {
			t.Errorf("%s is listed, and gone: the last release reads it", name)
		}
	}
}

func sorted(names map[string]bool) []string {
	var all []string
	for name := range names {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// fieldsOf returns the names that a struct's fields have in JSON, with those of the structs in it.
func fieldsOf(kind reflect.Type) (names []string) {
	for kind.Kind() == reflect.Slice || kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Map {
		kind = kind.Elem()
	}
	isOwn := kind.Implements(reflect.TypeFor[json.Marshaler]()) || kind.Implements(reflect.TypeFor[encoding.TextMarshaler]())
	if kind.Kind() != reflect.Struct || isOwn {
		return nil
	}
	for i := range kind.NumField() {
		field := kind.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		inner := fieldsOf(field.Type)
		switch {
		case name == "-" || !field.IsExported():
			continue
		case field.Anonymous && name == "":
			names = append(names, inner...)
			continue
		case name == "":
			name = field.Name
		}
		names = append(names, name)
		for _, one := range inner {
			names = append(names, name+"."+one)
		}
	}
	return names
}
