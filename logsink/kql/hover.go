package kql

// hoverSink records what expressions mean, for editors.
type hoverSink struct {
	offset int
	best   *bound
	at     span
}

// see keeps the innermost expression around the offset.
func (h *hoverSink) see(n node, x *bound) {
	at := n.pos()
	if at.start <= h.offset && h.offset <= at.end && (h.best == nil || at.end-at.start <= h.at.end-h.at.start) {
		h.best, h.at = x, at
	}
}
