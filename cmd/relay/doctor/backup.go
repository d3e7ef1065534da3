package doctor

import (
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/duration"
)

// backupForgotten is how old a backup that somebody made by hand may be.
const backupForgotten = 7 * duration.Day

func backup(_ context.Context, e *exam) Finding {
	found, kept := backupMade(e), replicaKept(e)
	switch {
	case kept.Status == Skipped:
		return found
	case found.Status == Skipped:
		return kept
	default:
		return together([]Finding{found, kept})
	}
}

// replicaKept says how it stands with the replica.
func replicaKept(e *exam) Finding {
	if e.Host.Replica == nil {
		return skipped(errNotOpened)
	}
	state, found, err := e.Host.Replica()
	problem := state.Problem(e.Now())
	switch {
	case err != nil:
		return skipped("what is known of the replica cannot be read: %v", causeOf(err))
	case !found || state.To == "":
		return skipped("relay serve keeps no replica")
	case problem != "":
		return fail("make room where the replica is, or correct RELAY_REPLICATE; the log of relay serve says more", "%s", problem)
	case state.Last.IsZero():
		return ok("the replica in %s is being made", state.To)
	default:
		return ok("the replica in %s is of %s", state.To, state.Last.Format(time.RFC3339))
	}
}

// backupMade says how it stands with the backups.
func backupMade(e *exam) Finding {
	const fix = "make room where the backups go, or correct RELAY_BACKUP; the log of relay serve says more, and relay backup tries it now"
	if e.Host.Backups == nil {
		return skipped(errNotOpened)
	}
	state, found, err := e.Host.Backups()
	problem := state.Problem(e.Now())
	switch {
	case err != nil:
		return skipped("what is known of the backups cannot be read: %v", causeOf(err))
	case !found || state.Last.IsZero() && state.Every <= 0:
		return skipped("no backup was ever made: set RELAY_BACKUP, or run relay backup")
	case problem != "":
		return fail(fix, "%s", problem)
	case state.Unsound:
		return warn("relay audit verify says what is wrong", "the newest backup is whole, and something is wrong with the audit log in it")
	case state.Last.IsZero():
		return ok("the first backup to %s is not due yet", state.To)
	case state.Every <= 0 && e.Now().Sub(state.Last) > backupForgotten:
		return warn("run relay backup, or set RELAY_BACKUP, and relay serve does it", "the newest backup is of %s",
			state.Last.Format(time.RFC3339))
	default:
		return ok("the newest backup is of %s, in %s", state.Last.Format(time.RFC3339), state.To)
	}
}
