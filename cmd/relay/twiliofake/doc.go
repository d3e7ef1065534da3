// Package twiliofake is a Twilio that runs on the same machine: its Messages API, its numbers with the webhooks that they are given, its
// Messaging Services with their campaigns, its signed status callbacks and its signed incoming-message webhooks, behaving as Twilio's do,
// with Twilio's own error codes. `relay fake-twilio` and `relay demo` run it and every test may: it is an http.Handler with workers behind
// it that really post.
//
// It is not a recorder of calls with canned answers, and it is not all of Twilio. It reaches no phone, keeps
// everything in memory, and has no updating of messages but their redaction, no deleting but of attachments, no scheduling, no link
// shortening, no <Redirect> in TwiML and no limit of pace. Unlike Twilio it takes http URLs and local hosts as webhooks,
// it repeats a failed post at once, and its loop guard (14107) is off unless Misbehaviour.LoopGuard says otherwise.
//
// # Faults
//
// A network and a Twilio that always answer try nobody. Faults makes the API slow, failing, silent after it took a
// message, or late with its list, and loses, doubles and reorders callbacks; RandomFaults does so by chance, from a seed.
//
// Misbehaviour is what people set of that, also while the server runs.
//
// # For people
//
// Outside of Twilio's namespace, and without credentials, openapi.json describes what is under /fake/: text a number as a phone would, wait
// for messages and assert on them, see every request and callback with its verdict (if Config.Exchanges keeps them), set what goes wrong,
// what numbers are registered as and who has opted out, and start anew. The pages that show it are in cmd/relay/fakepages.
//
// # Magic numbers
//
// Twilio's own, refused when the message is created. As To: +15005550001 (21211), +15005550002 (21612), +15005550003
// (21408), +15005550004 (21610), +15005550009 (21614). As From: +15005550001 (21212), +15005550007 (21606),
// +15005550008 (21611); +15005550006 is always ours.
//
// And as To, numbers of this package's own for what fails only after Twilio took the message: magic.go lists them.
// A number that texted STOP to one of ours is refused (21610) until it texts START; with Config.KeywordReplies it gets the reply that
// Twilio itself has for such a word.
package twiliofake
