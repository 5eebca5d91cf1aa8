import Logging
import Synchronization

/// Keeps one fault that comes ten thousand times from filling the log: of one sentence with one reason only so many lines are written in a while, and
/// then how many were left out. What is that often is in the metrics.
package final class LogThrottle: Sendable {
  package struct Limits: Sendable {
    package var lines = 50
    package var interval = Duration.seconds(10)
    /// Sentences that are watched at most: ours are fewer, and what other libraries say may vary without end.
    package var sentences = 256
    package init() {}
  }

  package struct LeftOut: Sendable, Equatable {
    package let message: String
    package let reason: String?
    package let level: Logger.Level
    package let count: Int
  }

  /// What counts as the same: a flood of one reason must not hide the first line of another.
  private struct Kind: Hashable {
    let message: String
    let reason: String?
  }

  private struct Window {
    var end: ContinuousClock.Instant
    var level: Logger.Level
    var lines = 0
    var leftOut = 0
  }

  private let limits: Limits
  private let windows = Mutex<[Kind: Window]>([:])

  package init(limits: Limits = Limits()) { self.limits = limits }

  /// Whether a line may be written now. What was asked for (debug, trace) and what comes once at most (critical) always may.
  package func admits(_ message: String, reason: String? = nil, _ level: Logger.Level, at now: ContinuousClock.Instant = .now) -> Bool {
    guard level >= .info, level < .critical else { return true }
    return windows.withLock { windows in
      let kind = Kind(message: message, reason: reason)
      guard var window = windows[kind] else {
        if windows.count < limits.sentences { windows[kind] = Window(end: now + limits.interval, level: level, lines: 1) }
        return true
      }
      defer { windows[kind] = window }
      // One that has ended stays as it is until it is told.
      let isOver = now >= window.end
      if isOver && window.leftOut == 0 { window = Window(end: now + limits.interval, level: level) }
      if window.lines < limits.lines {
        window.lines += 1
        return true
      }
      window.leftOut += 1
      return false
    }
  }

  /// What was left out in the whiles that are over, once; with `all` also in those that are not.
  package func leftOut(all: Bool = false, at now: ContinuousClock.Instant = .now) -> [LeftOut] {
    windows.withLock { windows in
      var told: [LeftOut] = []
      for (kind, window) in windows where all || now >= window.end {
        if window.leftOut > 0 { told.append(LeftOut(message: kind.message, reason: kind.reason, level: window.level, count: window.leftOut)) }
        windows[kind] = nil
      }
      return told.sorted { ($0.message, $0.reason ?? "") < ($1.message, $1.reason ?? "") }
    }
  }
}
