// Package mux carries many streams over one pair of pipes that may break and
// be attached again in the middle of anything.
//
// One side (the daemon) dials sessions, the other (the agent in a replica)
// serves them. The pipes are the attached standard streams of a container: a
// daemon that dies leaves half a frame in them, and its successor finds the
// other half of what the agent was saying. So a session starts with
//
//	daemon → agent   padding, longer than any frame; hello; nonce
//	agent → daemon   hello; the same nonce
//
// The padding ends whatever frame was open on the agent's side; the daemon
// skips everything before the answer that carries its own nonce. A hello ends
// the session before it, with all its streams: neither side keeps anything.
//
// An engine may deliver the last bytes of a daemon that has gone after the first
// ones of the next. Frames carry a piece of their session's nonce, so such bytes
// are told apart: the agent ends the session, says so with a hello without a
// nonce, and looks for the next. The daemon repeats a hello nobody answers.
//
// Frames, all numbers big-endian:
//
//	0            padding, a single byte
//	1            hello: magic, nonce [16]
//	2…9          kind [1], session [2], stream [4], length [2], payload [≤ 32 KiB]
//
// A stream is opened by either side with a request of a few bytes and is
// accepted or refused with a few more. Each direction has a window of bytes in
// flight, so a reader that stalls holds up its own stream and no other, and
// can be closed on its own, so it can carry any TCP conversation.
package mux
