/// The keys of log metadata, declared once so that the same thing has the same name everywhere; a command's are in `CommandReference`.
package enum LogKey {
  package static let type = "type"
  package static let outcome = "outcome"
  package static let reason = "reason"
  package static let error = "error"
  package static let attempt = "attempt"
  package static let rung = "rung"
  package static let count = "count"
  package static let dependency = "dependency"
  package static let state = "state"
  package static let detail = "detail"
  package static let host = "host"
  package static let port = "port"
  package static let signal = "signal"
  package static let timeout = "timeout"
  package static let version = "version"
}
