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

/// What becomes of a command whose own try failed: again in place, up the ladder, or to the dead letters.
package struct RetryPolicy: Sendable {
  package let inPlace: [Duration]
  package let rungs: [RetryRung]

  package init(inPlace: [Duration] = [.milliseconds(50), .milliseconds(100), .milliseconds(200)], rungs: [RetryRung] = RetryRung.allCases) {
    self.inPlace = inPlace
    self.rungs = rungs
  }

  package enum Step: Sendable, Equatable { case wait(Duration), rung(RetryRung), giveUp }

  /// `failures` counts the tries that have failed so far, this one included. What fails fast does not go up the ladder: somebody looks at it.
  package func step(afterFailures failures: Int, failsFast: Bool = false) -> Step {
    if failures <= inPlace.count { return .wait(inPlace[max(failures, 1) - 1]) }
    if failsFast { return .giveUp }
    let rung = failures - inPlace.count - 1
    return rung < rungs.count ? .rung(rungs[rung]) : .giveUp
  }
}
