import Glibc
import Synchronization

/// Holds up a client's own thread until a test lets it go; at most 30 seconds.
final class Gate: Sendable {
  private let isOpen = Atomic(false)

  func open() { isOpen.store(true, ordering: .releasing) }

  func wait() {
    for _ in 0..<30_000 where !isOpen.load(ordering: .acquiring) { usleep(1_000) }
  }
}
