import Glibc
import Synchronization
import TestSupport

/// Holds something up until it is opened, for 30 seconds at most.
final class Gate: Sendable {
  private let state = Atomic(false)

  func open() { state.store(true, ordering: .releasing) }

  var isOpen: Bool { state.load(ordering: .acquiring) }

  /// For a client's own thread.
  func block() {
    for _ in 0..<30_000 where !isOpen { usleep(1_000) }
  }

  /// For a test, which must not block the cooperative pool.
  func opened() async -> Bool { await eventually(within: .seconds(30)) { isOpen } }
}
