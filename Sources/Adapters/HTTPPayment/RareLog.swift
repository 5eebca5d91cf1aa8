import Application
import Logging
import Synchronization

/// Says loudly that calls are refused as mistaken, but not for each of them.
final class RareLog: Sendable {
  private static let interval = Duration.seconds(60)

  private let log: Logger
  private let said = Mutex([Int: ContinuousClock.Instant]())

  init(log: Logger) { self.log = log }

  func note(status: Int, code: String?, operation: String, trace: CommandReference) {
    let now = ContinuousClock.now
    let isDue = said.withLock { said in
      if let last = said[status], now - last < Self.interval { return false }
      said[status] = now
      return true
    }
    guard isDue else { return }
    log.error(
      "the payment provider refuses calls that it should take: look at ORDERS_PAYMENT_URL, its token, and what it supports",
      metadata: trace.fields.mapValues { .string($0) }
        .merging(["status": "\(status)", "code": "\(code ?? "")", "operation": "\(operation)"]) { $1 })
  }
}
