package twiliofake

import "context"

// receipts posts the callbacks of one message in order, but for what Faults.BeforeCallback does to it.
type receipts struct {
	server *Server
	// held are those that wait for the turn of the next one to be over, the latest first.
	held []receipt
}

// receipt is one callback with what goes wrong with it.
type receipt struct {
	message Message
	fault   CallbackFault
}

// turn is a callback's turn to be posted; last says that the message has no other coming.
func (r *receipts) turn(ctx context.Context, message Message, last bool) {
	next := receipt{message: message, fault: r.server.beforeCallback(message)}
	if next.fault.AfterNext && !next.fault.Drop && !last {
		r.held = append([]receipt{next}, r.held...)
		return
	}
	for _, due := range append([]receipt{next}, r.held...) {
		r.server.deliver(ctx, due)
	}
	r.held = nil
}

// deliver posts a callback as often as it is to be, at once or on its own after a delay.
func (s *Server) deliver(ctx context.Context, due receipt) {
	if due.fault.Drop {
		return
	}
	if due.fault.Delay <= 0 {
		s.postTimes(ctx, due)
		return
	}
	s.pending.add()
	go func() {
		defer s.pending.done()
		if pause(ctx, due.fault.Delay) {
			s.postTimes(ctx, due)
		}
	}()
}

func (s *Server) postTimes(ctx context.Context, due receipt) {
	s.callBack(ctx, due.message)
	if due.fault.Duplicate {
		s.callBack(ctx, due.message)
	}
}
