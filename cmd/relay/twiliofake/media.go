package twiliofake

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxMediaBytes is how much the attachments of one message may weigh together, in bytes.
const maxMediaBytes = 5 << 20

// codeMediaTooLarge is Twilio's error code of a message whose attachments are too large. Those that it cannot fetch fail with
// codeRetrieval, those of another type than first announced with codeContentType.
const codeMediaTooLarge = 11751

// File is one attachment with what is in it.
type File struct {
	ContentType string
	Content     []byte
}

// mediaStore has the attachments of messages, in memory.
type mediaStore struct {
	mu sync.Mutex
	// bySid are the attachments by their Sid ("ME…"), ofMessage are those Sids by MessageSid, in order.
	bySid     map[string]File
	ofMessage map[string][]string
	// links are the addresses at the CDN that were given out: random, and good for whoever has them.
	links map[string]string
}

func newMediaStore() *mediaStore {
	return &mediaStore{bySid: map[string]File{}, ofMessage: map[string][]string{}, links: map[string]string{}}
}

func (m *mediaStore) add(messageSid, mediaSid string, file File) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bySid[mediaSid] = file
	m.ofMessage[messageSid] = append(m.ofMessage[messageSid], mediaSid)
}

// link returns a new address at the CDN for an attachment; ok is false if the message has no such one.
func (m *mediaStore) link(messageSid, mediaSid, key string) (ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, sid := range m.ofMessage[messageSid] {
		if sid == mediaSid {
			m.links[key] = mediaSid
			return true
		}
	}
	return false
}

func (m *mediaStore) linked(key string) (File, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	file, ok := m.bySid[m.links[key]]
	return file, ok
}

func (m *mediaStore) sidsOf(messageSid string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.ofMessage[messageSid]...)
}

func (m *mediaStore) file(mediaSid string) File {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bySid[mediaSid]
}

// MediaOf returns the attachments of a message: those that came in with it, or that Twilio fetched to send it.
func (s *Server) MediaOf(messageSid string) []File {
	var files []File
	for _, sid := range s.media.sidsOf(messageSid) {
		files = append(files, s.media.file(sid))
	}
	return files
}

// mediaURL is the address that webhooks have for an attachment: Twilio's own, wherever this server is.
func mediaURL(message Message, mediaSid string) string {
	return "https://api.twilio.com" + message.uri() + "/Media/" + mediaSid
}

// receiveFiles keeps the files of an inbound message, once, and returns them as its webhook names them.
func (s *Server) receiveFiles(message Message, files []File) []sms.Media {
	if len(s.media.sidsOf(message.Sid)) == 0 {
		for _, file := range files {
			s.media.add(message.Sid, s.cfg.NewSid("ME"), file)
		}
	}
	var media []sms.Media
	for _, sid := range s.media.sidsOf(message.Sid) {
		media = append(media, sms.Media{URL: mediaURL(message, sid), ContentType: s.media.file(sid).ContentType})
	}
	return media
}

// cdnPath is where the redirects lead. On Twilio's side it is another host, which wants no credentials.
const cdnPath = "/fake/cdn/"

// fetchMedia serves an attachment by a redirect to the CDN, as Twilio does.
func (s *Server) fetchMedia(w http.ResponseWriter, r *http.Request) {
	key := s.cfg.NewSid("ME")
	if !s.media.link(r.PathValue("message"), r.PathValue("media"), key) {
		s.serveNotFound(w, r)
		return
	}
	w.Header().Set("Location", cdnPath+key)
	s.writeJSON(w, http.StatusTemporaryRedirect, map[string]string{"redirect_to": cdnPath + key})
}

// serveCDN serves an attachment to whoever has its address. Like Twilio's CDN it refuses credentials next to that.
func (s *Server) serveCDN(w http.ResponseWriter, r *http.Request) {
	file, ok := s.media.linked(r.PathValue("key"))
	switch {
	case r.Header.Get("Authorization") != "":
		http.Error(w, "Only one auth mechanism allowed", http.StatusBadRequest)
	case !ok:
		http.Error(w, "Access denied", http.StatusForbidden)
	default:
		w.Header().Set("Content-Type", file.ContentType)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.Content))
	}
}

// listMedia serves the list of a message's attachments.
func (s *Server) listMedia(w http.ResponseWriter, r *http.Request) {
	message, found := s.store.get(r.PathValue("message"))
	if !found {
		s.serveNotFound(w, r)
		return
	}
	list := []map[string]any{}
	for _, sid := range s.media.sidsOf(message.Sid) {
		list = append(list, map[string]any{
			"sid": sid, "account_sid": message.AccountSid, "parent_sid": message.Sid, "content_type": s.media.file(sid).ContentType,
			"date_created": dateOrNull(message.DateCreated), "date_updated": dateOrNull(message.DateCreated),
			"uri": message.uri() + "/Media/" + sid + ".json",
		})
	}
	path := message.uri() + "/Media.json"
	s.writeJSON(w, http.StatusOK, map[string]any{
		"media_list": list, "page": 0, "page_size": 50, "start": 0, "end": max(len(list)-1, 0), "uri": path,
		"first_page_uri": path, "previous_page_uri": nil, "next_page_uri": nil,
	})
}

// fetchAttachments asks for what a message names, as Twilio does before it sends it: HEAD, and some time later GET. It returns the error
// code with which the message fails, 0 if it has all of them.
func (s *Server) fetchAttachments(message Message) int {
	room := maxMediaBytes
	for _, address := range message.MediaURLs {
		file, code := s.fetchAttachment(message.Sid, address, room)
		if code != 0 {
			return code
		}
		room -= len(file.Content)
		s.media.add(message.Sid, s.cfg.NewSid("ME"), file)
	}
	return 0
}

func (s *Server) fetchAttachment(messageSid, address string, room int) (File, int) {
	head, code := s.askForMedia(messageSid, http.MethodHead, address, room)
	if code != 0 {
		return File{}, code
	}
	s.delay(s.cfg.MediaDelay)
	got, code := s.askForMedia(messageSid, http.MethodGet, address, room)
	switch {
	case code != 0:
		return File{}, code
	case got.ContentType != head.ContentType, got.ContentType == "":
		return File{}, codeContentType
	default:
		return got, 0
	}
}

// askForMedia makes one request, and returns Twilio's error code if its answer cannot be used.
func (s *Server) askForMedia(messageSid, method, address string, room int) (file File, code int) {
	status := 0
	defer func() { s.keepMediaExchange(messageSid, method, address, status, code) }()
	request, err := http.NewRequestWithContext(s.work, method, address, http.NoBody)
	if err != nil {
		return File{}, codeRetrieval
	}
	request.Header.Set("User-Agent", "TwilioProxy/1.1")
	response, err := s.cfg.Client.Do(request)
	if err != nil {
		return File{}, codeRetrieval
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	status = response.StatusCode
	content, err := io.ReadAll(io.LimitReader(response.Body, int64(room)+1))
	size, _ := strconv.Atoi(response.Header.Get("Content-Length"))
	switch {
	case response.StatusCode != http.StatusOK || err != nil:
		return File{}, codeRetrieval
	case len(content) > room || size > room:
		return File{}, codeMediaTooLarge
	default:
		return File{ContentType: response.Header.Get("Content-Type"), Content: content}, 0
	}
}

// failing are the steps of a message whose attachments Twilio cannot have.
func failing(e errand, code int, delay time.Duration) errand {
	e.steps = []step{{after: delay, status: sms.StatusFailed, code: code}}
	return e
}

// readFiles reads the files of a form that has some, under the name Media.
func readFiles(r *http.Request) ([]File, *refusal) {
	if r.MultipartForm == nil {
		return nil, nil
	}
	var files []File
	for _, header := range r.MultipartForm.File["Media"] {
		part, err := header.Open()
		if err != nil {
			return nil, badRequest(codeBadParameter, "A file could not be read")
		}
		content, err := io.ReadAll(part)
		_ = part.Close() // it was only read
		if err != nil {
			return nil, badRequest(codeBadParameter, "A file could not be read")
		}
		files = append(files, File{ContentType: header.Header.Get("Content-Type"), Content: content})
	}
	if len(files) > maxMedia {
		return nil, badRequest(codeTooManyMedia, "%d files are more than %d", len(files), maxMedia)
	}
	return files, nil
}
