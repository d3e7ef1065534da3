package twiliofake

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// isFinished reports whether a message is not under way any more: only then may its words and attachments be erased.
func (m Message) isFinished() bool {
	return m.Direction == DirectionInbound || m.Status.Final() || m.Status == sms.StatusReceived
}

// notFinished is the refusal for one that still is.
func notFinished() *refusal {
	return refuse(http.StatusConflict, codeNotFinished, "Cannot delete message because delivery hasn't been completed")
}

// updateMessage redacts a message: an empty Body takes its words away. Nothing else can be updated here.
func (s *Server) updateMessage(w http.ResponseWriter, r *http.Request) {
	sid, isJSON := strings.CutSuffix(r.PathValue("file"), ".json")
	message, found := s.store.get(sid)
	if !isJSON || !found {
		s.serveNotFound(w, r)
		return
	}
	params, answer := readParams(w, r)
	if answer != nil {
		s.writeRefusal(w, answer)
		return
	}
	fault := s.cfg.Faults.beforeErase(sid)
	switch {
	case !fault.OnceTaken && s.suffers(w, fault):
	case !params.Has("Body") || params.Get("Body") != "":
		s.writeRefusal(w, badRequest(codeBadParameter, "Body can only be emptied"))
	case !message.isFinished():
		s.writeRefusal(w, notFinished())
	default:
		message, _ = s.store.update(sid, func(m *Message) {
			m.Body, m.DateUpdated = "", s.cfg.Now()
			m.Params.Del("Body")
		})
		s.cfg.Logger.InfoContext(r.Context(), "message redacted", slog.String("message_sid", sid))
		if !fault.OnceTaken || !s.suffers(w, fault) {
			s.writeJSON(w, http.StatusOK, message)
		}
	}
}

// deleteMedia deletes an attachment of a message.
func (s *Server) deleteMedia(w http.ResponseWriter, r *http.Request) {
	messageSid := r.PathValue("message")
	mediaSid, isJSON := strings.CutSuffix(r.PathValue("media"), ".json")
	message, found := s.store.get(messageSid)
	if !isJSON || !found {
		s.serveNotFound(w, r)
		return
	}
	fault := s.cfg.Faults.beforeErase(mediaSid)
	switch {
	case !fault.OnceTaken && s.suffers(w, fault):
	case !message.isFinished():
		s.writeRefusal(w, notFinished())
	case !s.media.remove(messageSid, mediaSid):
		s.serveNotFound(w, r)
	default:
		s.cfg.Logger.InfoContext(r.Context(), "attachment deleted", slog.String("message_sid", messageSid))
		if !fault.OnceTaken || !s.suffers(w, fault) {
			w.WriteHeader(http.StatusNoContent)
		}
	}
}

// remove deletes an attachment, and what leads to it at the CDN; ok is false if the message has no such one.
func (m *mediaStore) remove(messageSid, mediaSid string) (ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := slices.Index(m.ofMessage[messageSid], mediaSid)
	if at < 0 {
		return false
	}
	m.ofMessage[messageSid] = slices.Delete(m.ofMessage[messageSid], at, at+1)
	delete(m.bySid, mediaSid)
	return true
}
