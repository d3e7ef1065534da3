package twiliofake

import (
	_ "embed" // openapi.json is part of the program.
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// description is the OpenAPI document of what is under /fake/.
//
//go:embed openapi.json
var description []byte

// controlRoutes are for people and for tests of applications, outside of Twilio's namespace. They ask for no credentials, and no page of
// another site may use them through somebody's browser.
func (s *Server) controlRoutes() {
	cross := http.NewCrossOriginProtection()
	for path, resource := range s.control() {
		s.mux.Handle(path, cross.Handler(s.open(resource)))
	}
}

// control are the resources that the description describes.
func (s *Server) control() map[string]methods {
	return map[string]methods{
		"/fake/inbound":                   {http.MethodPost: s.controlInbound},
		"/fake/reactions":                 {http.MethodPost: s.controlReaction},
		"/fake/messages":                  {http.MethodGet: s.controlMessages},
		"/fake/wait":                      {http.MethodGet: s.controlWait},
		"/fake/assert":                    {http.MethodGet: s.controlAssert},
		"/fake/exchanges":                 {http.MethodGet: s.controlExchanges},
		"/fake/faults":                    {http.MethodGet: s.controlFaults, http.MethodPut: s.controlSetFaults},
		"/fake/numbers":                   {http.MethodGet: s.controlNumbers},
		"/fake/numbers/{number}":          {http.MethodPut: s.controlRegister},
		"/fake/services":                  {http.MethodGet: s.controlServices},
		"/fake/campaigns/{campaign}":      {http.MethodPut: s.controlSetCampaign},
		"/fake/opt-outs":                  {http.MethodGet: s.controlOptOuts},
		"/fake/opt-outs/{number}/{phone}": {http.MethodPut: s.controlOptOut, http.MethodDelete: s.controlOptIn},
		"/fake/media/{media}":             {http.MethodGet: s.controlMedia, http.MethodHead: s.controlMedia},
		"/fake/reset":                     {http.MethodPost: s.controlReset},
		"/fake/openapi.json":              {http.MethodGet: s.controlDescription},
	}
}

func (s *Server) controlDescription(w http.ResponseWriter, _ *http.Request) {
	s.writeJSON(w, http.StatusOK, json.RawMessage(description))
}

func (s *Server) controlReset(w http.ResponseWriter, _ *http.Request) {
	s.Reset()
	w.WriteHeader(http.StatusNoContent)
}

// controlMedia serves an attachment for the page. What a browser would run is only saved.
func (s *Server) controlMedia(w http.ResponseWriter, r *http.Request) {
	file, found := s.media.find(r.PathValue("media"))
	if !found {
		s.serveNotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.ContentType)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if !file.IsPicture() {
		h.Set("Content-Disposition", "attachment")
	}
	_, _ = w.Write(file.Content) // whoever is gone misses nothing.
}

// IsPicture reports whether a browser shows the file as a picture.
func (f File) IsPicture() bool {
	return slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, f.ContentType)
}

// find returns an attachment by its SID.
func (m *mediaStore) find(sid string) (File, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	file, found := m.bySid[sid]
	return file, found
}

// maxControl bounds a request with JSON, in bytes.
const maxControl = 64 << 10

// readJSON reads a request with one JSON value, and knows all its fields.
func readJSON(w http.ResponseWriter, r *http.Request, into any) *refusal {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControl))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return badRequest(codeBadParameter, "The request body is not the JSON that /fake/openapi.json describes: %s", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return badRequest(codeBadParameter, "The request body has more than one JSON value")
	}
	return nil
}

// notOurs refuses what is about a number that the account does not have.
func notOurs(number string) *refusal {
	return refuse(http.StatusNotFound, codeNotFound, fmt.Sprintf("The account has no number %s", number))
}
