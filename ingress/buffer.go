package ingress

import "sync"

// bodyBuffer is the size of the buffers bodies are copied with.
const bodyBuffer = 32 << 10

var buffers = sync.Pool{New: func() any {
	b := make([]byte, bodyBuffer)
	return &b
}}

func getBuffer() *[]byte  { return buffers.Get().(*[]byte) }
func putBuffer(b *[]byte) { buffers.Put(b) }
