import Synchronization

/// Counts up from 0, for one caller after the other.
final class Turn: Sendable {
  private let count = Atomic<Int>(0)
  func take() -> Int { count.add(1, ordering: .relaxed).oldValue }
}
