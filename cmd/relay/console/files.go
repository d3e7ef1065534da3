package console

import (
	"net/http"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"
)

// files are the files that pages load, by their paths below the console's.
type files map[string]file

type file struct{ webfiles.File }

func readFiles() (files, error) {
	all, err := webfiles.Read(Path)
	own := files{}
	for path, one := range all {
		own[path] = file{one}
	}
	return own, err
}

// path returns where a file is.
func (f files) path(name string) string {
	for where, one := range f {
		if one.Name == name {
			return where
		}
	}
	return ""
}

func (f file) serve(w http.ResponseWriter, r *http.Request) { f.Serve(w, r) }
