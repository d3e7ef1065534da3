package twiliofake

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"
)

// Misbehaviour is how the fake misbehaves by chance, as people set it: with flags when it starts, or while it runs. It comes on top of
// what Config.Faults says. The zero value behaves well.
type Misbehaviour struct {
	Odds
	// ListLag is how long after its creation a message is first seen in the list of messages.
	ListLag time.Duration
	// LoopGuard is how many messages from one number to another Twilio takes within 30 s for no loop. Those above it are
	// created as any other and then fail with 14107, also the next ones for as long as there are that many in 30 s. Zero:
	// there is no guard.
	LoopGuard int
	// Seed decides what chance brings: the same seed and the same requests in the same order make the same faults.
	Seed uint64
}

// Validate reports every problem at once.
func (m Misbehaviour) Validate() error {
	problems := []error{m.Odds.Validate()}
	if m.ListLag < 0 {
		problems = append(problems, fmt.Errorf("ListLag: %s is negative", m.ListLag))
	}
	if m.LoopGuard < 0 {
		problems = append(problems, fmt.Errorf("LoopGuard: %d is negative", m.LoopGuard))
	}
	return errors.Join(problems...)
}

// Faults are what happens by chance, from the seed's first throw on.
func (m Misbehaviour) Faults() Faults {
	faults := RandomFaults(m.Odds, rand.New(rand.NewPCG(m.Seed, 0)))
	faults.ListLag = m.ListLag
	return faults
}

// chance is the misbehaviour that is set now, with its dice.
type chance struct {
	set    Misbehaviour
	faults Faults
}

// Misbehaviour returns how the fake misbehaves now.
func (s *Server) Misbehaviour() Misbehaviour { return s.chance.Load().set }

// Misbehave sets how the fake misbehaves from now on, and begins at the seed. The error says what of it cannot be: then nothing changes.
func (s *Server) Misbehave(now Misbehaviour) error {
	if err := now.Validate(); err != nil {
		return fmt.Errorf("set the faults: %w", err)
	}
	s.chance.Store(&chance{set: now, faults: now.Faults()})
	s.bell.ring()
	return nil
}

// beforeCreate is what Config.Faults brings, or chance if that brings no answer of its own.
func (s *Server) beforeCreate(params url.Values) Fault {
	given := s.cfg.Faults.beforeCreate(params)
	if given.DropConnection || given.Status != 0 {
		return given
	}
	thrown := s.chance.Load().faults.beforeCreate(params)
	thrown.Delay += given.Delay
	return thrown
}

// beforeCallback is what Config.Faults brings, or chance if that brings nothing.
func (s *Server) beforeCallback(message Message) CallbackFault {
	if given := s.cfg.Faults.beforeCallback(message); given != (CallbackFault{}) {
		return given
	}
	return s.chance.Load().faults.beforeCallback(message)
}

// holdBack passes the time for which an answer is held back.
func (s *Server) holdBack() { s.delay(s.cfg.Faults.latency() + s.chance.Load().faults.latency()) }

// listLag is for how long a new message is missing from the list.
func (s *Server) listLag() time.Duration {
	return max(s.cfg.Faults.ListLag, s.chance.Load().faults.ListLag)
}
