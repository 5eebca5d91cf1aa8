import Glibc
import Logging
import Synchronization

/// The level of the whole process's log, which SIGUSR1 and SIGUSR2 change while it runs.
package final class LogLevelSwitch: Sendable {
  private let configured: Logger.Level
  private let index: Atomic<Int>

  package init(_ level: Logger.Level) {
    configured = level
    index = Atomic(Self.position(level))
  }

  package var level: Logger.Level { Logger.Level.allCases[index.load(ordering: .relaxed)] }

  /// One step more talkative; after the most talkative as configured again.
  package func more() {
    let current = index.load(ordering: .relaxed)
    index.store(current > 0 ? current - 1 : Self.position(configured), ordering: .relaxed)
  }

  /// As configured.
  package func reset() { index.store(Self.position(configured), ordering: .relaxed) }

  /// While the answer lives, SIGUSR1 is `more` and SIGUSR2 `reset`.
  package func listen(onChange: @escaping @Sendable (Logger.Level) -> Void) -> SignalWatch {
    SignalWatch([SIGUSR1, SIGUSR2]) { [self] number in
      if number == SIGUSR1 { more() } else { reset() }
      onChange(level)
    }
  }

  private static func position(_ level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level)! }  // it is one of them
}
