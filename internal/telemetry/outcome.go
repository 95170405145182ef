package telemetry

import (
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// outcome is what became of a request for export. The zero value says that all
// of it is kept.
type outcome struct {
	rejected int    // records that are not kept
	field    string // of the answer in JSON, "rejectedSpans"
}

// message says why records were rejected.
func (o outcome) message() string {
	return fmt.Sprintf("no more than %d records are taken at once", maxRecords)
}

// Numbers of fields, the same in the answers to traces, logs and metrics.
// https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto/collector
const (
	partialSuccess = 1 // of the answer
	rejected       = 1 // of partialSuccess, a number
	errorMessage   = 2 // of partialSuccess, a text
)

// proto is the answer in protobuf: nothing when all is well.
func (o outcome) proto() []byte {
	if o.rejected == 0 {
		return nil
	}
	var partial []byte
	partial = protowire.AppendVarint(protowire.AppendTag(partial, rejected, protowire.VarintType), uint64(o.rejected))
	partial = protowire.AppendString(protowire.AppendTag(partial, errorMessage, protowire.BytesType), o.message())
	return protowire.AppendBytes(protowire.AppendTag(nil, partialSuccess, protowire.BytesType), partial)
}

// write answers over HTTP.
func (o outcome) write(w http.ResponseWriter, asJSON bool) {
	switch {
	case asJSON && o.rejected > 0:
		writeJSON(w, http.StatusOK, map[string]any{"partialSuccess": map[string]string{o.field: fmt.Sprint(o.rejected), "errorMessage": o.message()}})
	case asJSON:
		writeJSON(w, http.StatusOK, struct{}{})
	default:
		w.Header().Set("Content-Type", "application/x-protobuf")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(o.proto()) // who asked has gone
	}
}

// refusedAs are the codes of the statuses that refuse a request.
var refusedAs = map[int]codes.Code{
	http.StatusBadRequest:            codes.InvalidArgument,
	http.StatusRequestEntityTooLarge: codes.ResourceExhausted,
	http.StatusTooManyRequests:       codes.ResourceExhausted,
	http.StatusServiceUnavailable:    codes.Unavailable,
}

// refuse answers a request over HTTP that fails with a Status message, in the
// request's encoding (https://opentelemetry.io/docs/specs/otlp/#failures-1).
func refuse(w http.ResponseWriter, r *http.Request, httpStatus int, err error) {
	if httpStatus == http.StatusTooManyRequests || httpStatus == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	st := status.New(refusedAs[httpStatus], strings.ToValidUTF8(err.Error(), "\ufffd")).Proto()
	if isJSON(r) {
		writeJSON(w, httpStatus, map[string]any{"code": st.Code, "message": st.Message})
		return
	}
	body, err := proto.Marshal(st)
	if err != nil {
		panic("bug: a status does not encode: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(httpStatus)
	_, _ = w.Write(body) // who asked has gone
}
