import Glibc
import Synchronization

/// A place where a worker dies or stands still, for tests: `ORDER_WORKER_FAILPOINT=name[:nth][:kill|pause]`.
///
/// This folder is part of the program only where `Package.swift` finds `ORDER_WORKER_FAILPOINTS=1`. Its types then stand before the adapters of the same
/// names, so that the composition takes them instead: any other build has nothing of it.
enum Failpoint: String, CaseIterable, Sendable {
  case beforeCommit = "before-commit"
  case afterCommit = "after-commit"
  case beforePublish = "before-publish"
  case afterPublish = "after-publish"
  case afterConfirm = "after-confirm"
  case beforeForward = "before-forward"
  case afterForward = "after-forward"
  case beforeAck = "before-ack"
  case afterAck = "after-ack"
  case beforeForget = "before-forget"
  case beforeLease = "before-lease"
  case afterLease = "after-lease"
  case beforeCall = "before-call"
  case afterCall = "after-call"
  case beforeRelay = "before-relay"
  case afterRelay = "after-relay"

  private struct Order: Sendable {
    let point: Failpoint
    let nth: Int
    let isKill: Bool
  }

  private static let reached = Atomic<Int>(0)
  private static let order: Order? = {
    guard let text = getenv("ORDER_WORKER_FAILPOINT").map({ String(cString: $0) }), !text.isEmpty else { return nil }
    let parts = text.split(separator: ":")
    let (nth, end) = (parts.dropFirst().first.flatMap { Int($0) } ?? 1, parts.count > 1 && Int(parts.last!) == nil ? parts.last! : "kill")
    guard let point = Failpoint(rawValue: String(parts[0])), ["kill", "pause"].contains(end) else {
      fatalError("\(text) is no failpoint: \(allCases.map(\.rawValue).joined(separator: ", ")), each with :nth and :kill or :pause")
    }
    return Order(point: point, nth: nth, isKill: end == "kill")
  }()

  /// Whether this worker is to come to its end here, sooner or later.
  var isAwaited: Bool { Self.order?.point == self }

  /// Does not return where the worker is killed, and late where it stands still.
  func reach() {
    guard let order = Self.order, order.point == self, Self.reached.add(1, ordering: .relaxed).newValue == order.nth else { return }
    let line = "{\"message\":\"failpoint reached\",\"failpoint\":\"\(rawValue)\"}\n"
    _ = write(STDERR_FILENO, line, line.utf8.count)
    kill(getpid(), order.isKill ? SIGKILL : SIGSTOP)
  }
}
