package twiliofake

import (
	"context"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// closeTimeout bounds how long Close waits for posts under way.
const closeTimeout = 5 * time.Second

// Server is the account: its Messages API under /2010-04-01/, its Messaging Services under /v1/ and, outside of Twilio's namespace, a
// control surface under /fake/ that anyone who reaches the listener may use. It is safe for concurrent use.
type Server struct {
	cfg      Config
	mux      *http.ServeMux
	store    *store
	media    *mediaStore
	accepted chan errand   // what the dispatcher has yet to carry to its outcome
	slots    chan struct{} // one for each callback under way
	numbers  *numbers
	services services
	pending  *pending
	bell     *bell
	chance   atomic.Pointer[chance]
	// exchanges are what people look at, era what ends with a reset.
	exchanges *exchanges
	era       *era
	closing   chan struct{}   // closed by Close
	work      context.Context //nolint:containedctx // it ends with closing, for the requests of workers.
	close     func()
}

// New starts the account's workers. The caller serves the Server and closes it. The error names every problem of cfg.
func New(cfg Config) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure the fake Twilio: %w", err)
	}
	cfg = cfg.withDefaults()
	s := &Server{
		cfg:      cfg,
		mux:      http.NewServeMux(),
		store:    newStore(),
		media:    newMediaStore(),
		accepted: make(chan errand),
		slots:    make(chan struct{}, cfg.Posts),
		numbers:  newNumbers(cfg),
		pending:  newPending(),
		closing:  make(chan struct{}),
		bell:     newBell(),
	}
	s.store.bell = s.bell
	s.exchanges = &exchanges{keep: cfg.Exchanges}
	s.chance.Store(&chance{set: cfg.Misbehaviour, faults: cfg.Misbehaviour.Faults()})
	s.routes()
	ctx, cancel := context.WithCancel(context.Background())
	s.work = ctx
	s.era = newEra(ctx)
	s.close = sync.OnceFunc(func() { close(s.closing); cancel() })
	go s.dispatch(ctx)
	return s, nil
}

// Close stops the workers: callbacks not yet delivered never are. It waits a few seconds for those under way and may
// be called more than once. The API then refuses messages with 503.
func (s *Server) Close() {
	s.close()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.pending.wait(ctx); err != nil {
		s.cfg.Logger.WarnContext(ctx, "fake Twilio closed with callbacks still under way")
	}
	s.cfg.Client.CloseIdleConnections()
}

// Wait blocks until every message has reached its last status and every callback was answered or given up, or until
// ctx is done. It returns ctx's error in the latter case. It does not wait for a message that stays queued to the end
// of its validity.
func (s *Server) Wait(ctx context.Context) error {
	if err := s.pending.wait(ctx); err != nil {
		return fmt.Errorf("wait for status callbacks: %w", err)
	}
	return nil
}

// ServeHTTP serves the API and the control surface.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Server) routes() {
	account := "/" + apiVersion + "/Accounts/{account}"
	s.mux.Handle(account+"/Messages.json", s.authenticated(methods{
		http.MethodPost: s.createMessage,
		http.MethodGet:  s.listMessages,
	}))
	s.mux.Handle(account+"/Messages/{file}", s.authenticated(methods{
		http.MethodGet:  s.fetchMessage,
		http.MethodPost: s.updateMessage,
	}))
	s.mux.Handle(account+"/Messages/{message}/Media.json", s.authenticated(methods{http.MethodGet: s.listMedia}))
	s.mux.Handle(account+"/Messages/{message}/Media/{media}", s.authenticated(methods{
		http.MethodGet:    s.fetchMedia,
		http.MethodDelete: s.deleteMedia,
	}))
	s.mux.Handle(cdnPath+"{key}", s.open(methods{http.MethodGet: s.serveCDN, http.MethodHead: s.serveCDN}))
	s.mux.Handle(account+"/IncomingPhoneNumbers.json", s.authenticated(methods{http.MethodGet: s.listNumbers}))
	s.mux.Handle(account+"/IncomingPhoneNumbers/{file}", s.authenticated(methods{
		http.MethodGet:  s.fetchNumber,
		http.MethodPost: s.updateNumber,
	}))
	s.mux.Handle("/"+apiVersion+"/Accounts/{file}", s.authenticated(methods{http.MethodGet: s.fetchAccount}))
	s.mux.Handle("/"+apiVersion+"/", s.authenticated(nil))
	s.serviceRoutes()
	s.controlRoutes()
	s.mux.HandleFunc("/", s.serveNotFound)
}

// methods are what one resource answers to; a nil map is no resource.
type methods map[string]http.HandlerFunc

func (s *Server) open(resource methods) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle, found := resource[r.Method]
		switch {
		case len(resource) == 0:
			s.serveNotFound(w, r)
		case !found:
			s.writeRefusal(w, refuse(http.StatusMethodNotAllowed, codeWrongMethod, "Method not allowed"))
		default:
			handle(w, r)
		}
	})
}

// authenticated asks for credentials before anything else, as Twilio does, and then for the account of the path.
func (s *Server) authenticated(resource methods) http.Handler {
	next := s.open(resource)
	return s.recorded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w = heldBack{ResponseWriter: w, hold: s.holdBack}
		user, password, _ := r.BasicAuth()
		if !s.knows(user, password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
			s.writeRefusal(w, refuse(http.StatusUnauthorized, codeAuthenticate, "Authenticate"))
			return
		}
		if account := r.PathValue("account"); account != "" && account != s.cfg.AccountSid {
			s.serveNotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

func (s *Server) knows(user, password string) bool {
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	if same(user, s.cfg.AccountSid) {
		return same(password, s.cfg.AuthToken)
	}
	return s.cfg.APIKeySid != "" && same(user, s.cfg.APIKeySid) && same(password, s.cfg.APIKeySecret)
}

func (s *Server) serveNotFound(w http.ResponseWriter, r *http.Request) {
	s.writeRefusal(w, notFound(r.URL.Path))
}

func (s *Server) fetchMessage(w http.ResponseWriter, r *http.Request) {
	sid, isJSON := strings.CutSuffix(r.PathValue("file"), ".json")
	message, found := s.store.get(sid)
	if !isJSON || !found {
		s.serveNotFound(w, r)
		return
	}
	s.cfg.Logger.DebugContext(r.Context(), "message fetched", slog.String("message_sid", sid))
	s.writeJSON(w, http.StatusOK, message)
}
