/// A rung of the retry ladder: a queue whose messages come back after its time.
package enum RetryRung: String, Sendable, CaseIterable {
  case oneSecond = "1s"
  case fiveSeconds = "5s"
  case thirtySeconds = "30s"
  case twoMinutes = "2m"
  case tenMinutes = "10m"

  /// Where a command waits the first, second, … time for an open payment of its order.
  static func forPayment(wait: Int) -> RetryRung {
    switch wait {
    case ...2: .oneSecond
    case 3: .fiveSeconds
    default: .thirtySeconds
    }
  }
}
