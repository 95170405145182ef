// Package change holds az's rules for changing the definition of an app: what
// "az containerapp update", "ingress traffic set", "revision label add" and
// their like make of what is there and what is asked for. All of it is pure:
// lists that come in are not changed, the ones that come out are new.
package change
