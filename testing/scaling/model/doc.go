// Package model simulates the relay at sizes that no machine here reaches: what comes in, the FIFO queue and its groups, the sender's
// processes, the send times that pacing reserves, the tables' partitions, the stream's shards, and the quotas around them. It is a
// discrete-event simulation in virtual time: nothing is sent and nothing is slept, and one seed has one result. Where the relay decides
// by a pure function (shared/pace, shared/retry), the model asks the very same function.
//
// It is not the simulation of what can go wrong, which is testing/simulation. Here nothing fails but what is full: there are no crashes,
// cold starts or lost answers, every text is one segment, and every phone gets its texts.
package model
