// Package telemetry tells how the service does: metrics for Prometheus, and traces over OTLP. Models and the store are
// wrapped, and do what they did; requests, answers and jobs are told by whoever has them.
//
// Labels take their values from the program and its catalog, never from a request, so that their number is bounded. No
// text of a question, an answer or a document is told, unless Config.Content asks for it in traces.
package telemetry
