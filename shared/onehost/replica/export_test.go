package replica

// LetWait sets how many bytes may wait for a place that is away.
func (r *Replica) LetWait(most int64) { r.most = most }
