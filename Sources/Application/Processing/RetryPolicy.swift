import Pacing

/// Which fault is passing and which is final, and what is done about each: the one place that says so.
///
/// | what happens | it is | and so |
/// | --- | --- | --- |
/// | database or broker away, without disk, without a table | nobody's | consuming stops, the same is tried again `whileAway` without end, nothing is counted |
/// | another transaction in the way (`conflict`) | passing | the batch runs again, `conflictRuns` times in all; then it is split until one stands alone |
/// | a lock or a time limit (`blocked`) | passing, and costly | the same, `blockedRuns` times |
/// | the database refuses a batch (`refused`) | one command's | the batch is split until that one stands alone |
/// | a command that stands alone still fails | passing, as far as one knows | again `inPlace`, then each of `rungs` once, then a dead letter: `retries_exhausted` |
/// | … and is a replay | as an operator sees it | again `inPlace`, then a dead letter: somebody looks at it |
/// | its order, version or payment is not there yet | no fault | it waits on a rung, no attempt is counted |
/// | malformed, invalid, unknown, not permitted, another's id | final | a dead letter at once |
/// | refused by a rule of the business | an answer | `rejected`: neither tried again nor a dead letter |
///
/// How payments are tried again is in `PaymentTerms`, and what a provider's breaker does in `Breaker`.
package struct RetryPolicy: Sendable {
  /// The waits before a command is tried again where it is, before jitter.
  package let inPlace: [Duration]
  package let rungs: [RetryRung]

  package let whileAway = Backoff(first: .milliseconds(10), limit: .seconds(2))
  package let whileNotForwarded = Backoff(first: .milliseconds(50), limit: .seconds(5))
  package let betweenConflicts = Backoff(first: .milliseconds(4), limit: .milliseconds(50))
  package let conflictRuns = 10
  /// Each holds up all that comes behind it for seconds.
  package let blockedRuns = 2

  package init(inPlace: [Duration] = [.milliseconds(50), .milliseconds(100), .milliseconds(200)], rungs: [RetryRung] = RetryRung.allCases) {
    self.inPlace = inPlace
    self.rungs = rungs
  }

  package enum Step: Sendable, Equatable { case wait(Duration), rung(RetryRung), giveUp }

  /// What becomes of a command whose own try failed. `failures` counts the tries that have failed so far, this one included.
  package func step(afterFailures failures: Int, failsFast: Bool = false) -> Step {
    if failures <= inPlace.count { return .wait(inPlace[max(failures, 1) - 1]) }
    if failsFast { return .giveUp }
    let rung = failures - inPlace.count - 1
    return rung < rungs.count ? .rung(rungs[rung]) : .giveUp
  }
}
