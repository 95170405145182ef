package kql

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"
)

var encodeFns = []scalarFn{
	{name: "base64_encode_tostring", sig: "string -> string", make: textMap(encodeBase64)},
	{name: "base64_encodestring", sig: "string -> string", make: textMap(encodeBase64)},
	{name: "base64_decode_tostring", sig: "string -> string", make: textMap(decodeBase64)},
	{name: "base64_decodestring", sig: "string -> string", make: textMap(decodeBase64)},
	{name: "base64_decode_toarray", sig: "string -> dynamic", make: rows(decodeToArray)},
	{name: "base64_encode_fromarray", sig: "dynamic -> string", make: rows(encodeFromArray)},
	{name: "base64_encode_fromguid", sig: "guid -> string", make: strict(func(a []Value) Value {
		b := netBytes(a[0].uuid())
		return stringValue(base64.StdEncoding.EncodeToString(b[:]))
	})},
	{name: "base64_decode_toguid", sig: "string -> guid", make: rows(decodeToGUID)},
	{name: "url_encode", sig: "string -> string", make: textMap(func(s string) string {
		return strings.ReplaceAll(urlEncode(s), "%20", "+")
	})},
	{name: "url_encode_component", sig: "string -> string", make: textMap(urlEncode)},
	{name: "url_decode", sig: "string -> string", make: textMap(urlDecode)},
	{name: "gzip_compress_to_base64_string", sig: "string -> string", make: textMap(gzipText)},
	{name: "gzip_decompress_from_base64_string", sig: "string -> string", make: textMap(gunzipText)},
	{name: "zlib_compress_to_base64_string", sig: "string -> string", make: textMap(zlibText)},
	{name: "zlib_decompress_from_base64_string", sig: "string -> string", make: textMap(unzlibText)},
}

func encodeBase64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// decodeBase64 gives "" for what is no base64 or no text.
func decodeBase64(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || !utf8.Valid(b) {
		return ""
	}
	return string(b)
}

func decodeToArray(a []Value) Value {
	b, err := base64.StdEncoding.DecodeString(a[0].Str)
	if err != nil {
		return nullValue(Dynamic)
	}
	out := make([]any, len(b))
	for i, c := range b {
		out[i] = int64(c)
	}
	return dynamicValue(out)
}

func encodeFromArray(a []Value) Value {
	list, ok := a[0].Any.([]any)
	if !ok {
		return stringValue("")
	}
	b := make([]byte, len(list))
	for i, e := range list {
		v := convert(fromDynamic(e), Long)
		if v.Null || v.Int < 0 || v.Int > 255 {
			return stringValue("")
		}
		b[i] = byte(v.Int)
	}
	return stringValue(base64.StdEncoding.EncodeToString(b))
}

// netBytes orders a guid's bytes as .NET does: the first three fields have
// their low byte first.
func netBytes(u UUID) [16]byte {
	return [16]byte{u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]}
}

func decodeToGUID(a []Value) Value {
	b, err := base64.StdEncoding.DecodeString(a[0].Str)
	if err != nil || len(b) != 16 {
		return nullValue(GUID)
	}
	return uuidValue(netBytes(UUID(b)))
}

// urlEncode percent-encodes in lower case everything but the unreserved.
func urlEncode(s string) string {
	const hexDigits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.!*()", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

func urlDecode(s string) string {
	out, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return out
}

// maxInflated bounds what a compressed string may grow to.
const maxInflated = 64 << 20

func gzipText(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, s); err != nil || w.Close() != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func gunzipText(s string) string {
	return inflate(s, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) })
}

func zlibText(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := io.WriteString(w, s); err != nil || w.Close() != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func unzlibText(s string) string {
	return inflate(s, func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) })
}

// inflate decodes and decompresses; anything invalid gives "".
func inflate(s string, open func(io.Reader) (io.Reader, error)) string {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	r, err := open(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	out, err := io.ReadAll(io.LimitReader(r, maxInflated))
	if err != nil {
		return ""
	}
	return string(out)
}
