// Package telemetry is the local stand-in for Application Insights: an HTTP
// endpoint that takes what SDKs send and stores it as rows of AppRequests,
// AppDependencies, AppTraces, AppExceptions and AppEvents.
//
// It speaks three protocols. SDKs of Application Insights post envelopes to
// /v2.1/track. SDKs of OpenTelemetry post spans and logs by OTLP over HTTP, in
// protobuf or JSON; they become what Azure Monitor's exporters make of them. The
// managed OpenTelemetry agent of an environment takes the same over gRPC.
//
// What cannot be read is answered as the service does, and never ends anything.
// Metrics are accepted, so that SDKs are content, and not kept.
package telemetry
