import Logging
import Domain
import Glibc

/// Writes each log entry as one line of JSON: `time`, `level`, `message`, then the metadata, sorted by key.
package struct JSONLogHandler: LogHandler {
  /// The process's, but for a logger that was given one of its own.
  package var logLevel: Logger.Level {
    get { ownLevel ?? levels.level }
    set { ownLevel = newValue }
  }
  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?
  private let label: String
  private let levels: LogLevelSwitch
  private var ownLevel: Logger.Level?
  private let throttle: LogThrottle
  private let write: @Sendable ([UInt8]) -> Void

  package init(
    label: String, levels: LogLevelSwitch, throttle: LogThrottle = LogThrottle(), write: @escaping @Sendable ([UInt8]) -> Void = Self.writeToStandardError
  ) {
    self.label = label
    self.levels = levels
    self.throttle = throttle
    self.write = write
  }

  /// Makes this the handler of every logger in the process; once, at the start.
  package static func bootstrap(levels: LogLevelSwitch, throttle: LogThrottle) {
    LoggingSystem.bootstrap { JSONLogHandler(label: $0, levels: levels, throttle: throttle) }
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    guard throttle.admits(event.message.description, reason: event.metadata?[LogKey.reason]?.description, event.level) else { return }
    write(Self.line(time: .now, label: label, event: event, metadata: everything(of: event)))
  }

  private func everything(of event: LogEvent) -> Logger.Metadata {
    var all = metadata
    if let provided = metadataProvider?.get(), !provided.isEmpty { all.merge(provided) { _, new in new } }
    if let own = event.metadata, !own.isEmpty { all.merge(own) { _, new in new } }
    return all
  }

  static func line(time: Timestamp, label: String, event: LogEvent, metadata: Logger.Metadata) -> [UInt8] {
    var json = JSONText(capacity: 384)
    json.object { json in
      json.name("time")
      json.quoted { time.appendText(to: &$0) }
      json.member("level", event.level.rawValue)
      json.member("message", event.message.description)
      json.member("logger", label)
      if let error = event.error, metadata["error"] == nil { json.member("error", "\(error)") }
      // The line's own names are not to be had twice.
      for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where !["time", "level", "message", "logger"].contains(key) {
        json.name(key)
        Self.append(value, to: &json)
      }
    }
    json.newline()
    return json.bytes
  }

  private static func append(_ value: Logger.MetadataValue, to json: inout JSONText) {
    switch value {
    case .string(let text): json.string(text)
    case .stringConvertible(let number as any BinaryInteger): json.raw("\(number)")
    case .stringConvertible(let flag as Bool): json.raw(flag ? "true" : "false")
    case .stringConvertible(let other): json.string(other.description)
    case .array(let values): json.array(values) { Self.append($1, to: &$0) }
    case .dictionary(let members):
      json.object { json in
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
          json.name(key)
          Self.append(value, to: &json)
        }
      }
    }
  }

  /// In one write(2), so that lines of several threads, or of several processes that share a pipe, do not mix up to PIPE_BUF bytes.
  /// A reader that is gone is no reason to stop.
  package static let writeToStandardError: @Sendable ([UInt8]) -> Void = { line in
    line.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let count = Glibc.write(STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { return }
        rest = rest.dropFirst(count)
      }
    }
  }
}
