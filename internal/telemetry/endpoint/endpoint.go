// Package endpoint says where apps of an environment send their telemetry: a
// name that only resolves inside the environment, and the variables that lead
// SDKs there.
package endpoint

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
)

// Host is the name of the endpoint in every environment's network. No app can
// have it, as names of apps have no dots.
const Host = "telemetry.acalocal.internal"

// Port is that of App Insights' ingestion and of OTLP over HTTP alike.
const Port = 80

// The variables that SDKs read.
const (
	ConnectionStringVariable = "APPLICATIONINSIGHTS_CONNECTION_STRING"
	OTLPVariable             = "OTEL_EXPORTER_OTLP_ENDPOINT"
	OTLPProtocolVariable     = "OTEL_EXPORTER_OTLP_PROTOCOL"
)

// OTLPProtocol is the protocol the endpoint speaks, in the words of
// OTEL_EXPORTER_OTLP_PROTOCOL. Many SDKs would choose gRPC.
const OTLPProtocol = "http/protobuf"

// Key is an app's instrumentation key: the same on every machine, another one
// for every app, so that records tell who sent them.
func Key(app string) string {
	h := sha256.Sum256([]byte("acalocal telemetry of " + app))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80 // some SDKs check that it is a random UUID
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// ConnectionString is an app's connection string, in the form of
// https://learn.microsoft.com/azure/azure-monitor/app/connection-strings. The
// live endpoint is ours too, so that nothing leaves the machine.
func ConnectionString(app string) string {
	return fmt.Sprintf("InstrumentationKey=%s;IngestionEndpoint=http://%s/;LiveEndpoint=http://%s/;ApplicationId=%s", Key(app), Host, Host, Key(app))
}

// IsOurs reports whether a connection string or an OTLP endpoint leads here.
func IsOurs(value string) bool { return strings.Contains(value, "http://"+Host+"/") }

// pathOfApps is before the name of the app in the paths of its OTLP endpoint.
const pathOfApps = "/apps/"

// OTLP is an app's OTLP endpoint. SDKs append /v1/traces and so on to it; its
// path tells who sent the records.
func OTLP(app string) string { return "http://" + Host + pathOfApps + url.PathEscape(app) }
