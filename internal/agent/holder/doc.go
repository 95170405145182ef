// Package holder is the program that runs as the first container of a replica:
// it holds the replica's network namespace and works in it for the daemon.
//
// It uses the standard library alone, and little of it, because one copy runs
// per replica.
package holder
