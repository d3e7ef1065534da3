package auditsource

import (
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// lateness is how old the entry of a removal may be when it reaches the log after the removal was noticed.
const lateness = time.Hour

// Verification recomputes the hash chains of a log, and compares their ends with the tables.
type Verification struct {
	Source *Source
	// Chain is the only text or conversation to verify, empty for all; see [auditlog.ChainOf].
	Chain string
	// Since leaves out older entries; zero leaves out none.
	Since time.Time
	Now   func() time.Time
	// Wait waits, and says so, until the entry of a removal must have reached the log. A log without a Lag needs none.
	Wait func(ctx context.Context, until time.Time, removed int) error
}

// Run reads the ledger first and then the log, so that every change in the ledger is in the log or on its way there.
func (v Verification) Run(ctx context.Context) (auditlog.Report, error) {
	from := v.Since
	if v.Source.Begins.After(from) {
		from = v.Source.Begins
	}
	options := auditlog.Options{Chain: v.Chain, From: from, Ordered: v.Source.Ordered}
	if v.Source.Heads != nil {
		options.HeadsAt = v.Now()
	}
	verifier := auditlog.NewVerifier(options)
	if err := v.expect(ctx, verifier, from); err != nil {
		return auditlog.Report{}, err
	}
	err := v.Source.Read(ctx, Query{From: from, Chain: v.Chain, Segment: verifier.Segment}, func(line auditlog.Line) error {
		verifier.Add(line)
		return nil
	})
	if err != nil {
		return auditlog.Report{}, err
	}
	if err := v.ask(ctx, verifier, options.HeadsAt); err != nil {
		return auditlog.Report{}, err
	}
	return verifier.Report(), nil
}

// expect tells the verifier what the ledger has.
func (v Verification) expect(ctx context.Context, verifier *auditlog.Verifier, from time.Time) error {
	switch {
	case v.Source.Heads == nil:
		return nil
	case v.Chain != "":
		head, err := v.Source.Heads.Head(ctx, v.Chain)
		if err != nil {
			return err
		}
		verifier.Expect(v.Chain, head)
	default:
		err := v.Source.Heads.Each(ctx, func(sid string, head auditlog.Head) {
			if !head.UpdatedAt.Before(from) {
				verifier.Expect(sid, head)
			}
		})
		if err != nil {
			return err
		}
	}
	return v.Source.Heads.Unaudited(ctx, verifier.Await)
}

// ask looks up texts that came in since, and waits until the log must have the records that were just removed.
func (v Verification) ask(ctx context.Context, verifier *auditlog.Verifier, headsAt time.Time) error {
	if v.Source.Heads == nil {
		return nil
	}
	removed, err := verifier.Ask(ctx, v.Source.Heads.Head)
	if err != nil || removed == 0 || v.Source.Lag == 0 {
		return err
	}
	if err := v.Wait(ctx, v.Now().Add(v.Source.Lag), removed); err != nil {
		return err
	}
	return v.Source.Read(ctx, Query{From: headsAt.Add(-lateness), Chain: v.Chain}, func(line auditlog.Line) error {
		verifier.AddLate(line)
		return nil
	})
}
