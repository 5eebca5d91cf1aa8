import Application
import Domain
import Operations
import Synchronization

/// What a replay prints: on the way how far it is, on standard error; at the end what it came to. JSON goes out as it comes, however long it gets.
final class ReplayOutput: Sendable {
  private struct State {
    var isFirst = true
    var told = 0
    var lastProgress = ContinuousClock.now
    var report: DeadLetterReplay.Report?
  }
  private let state = Mutex(State())
  private let json: Bool
  /// So many letters are named one by one for people.
  private static let mostTold = 20

  init(json: Bool) {
    self.json = json
    if json { Console.print(utf8Lines: Array(#"{"verdicts":["#.utf8)) }
  }

  func note(_ note: DeadLetterReplay.Note) { tell(note.key, note.kind.rawValue, note.why) }

  func tell(_ key: DeadLetterKey, _ verdict: String, _ why: String?) {
    state.withLock { state in
      if json {
        var text = JSONText()
        text.object { text in
          text.member("id", key.id.description)
          text.member("verdict", verdict)
          if let why { text.member("why", why) }
        }
        Console.print(utf8Lines: (state.isFirst ? [] : [UInt8(ascii: ",")]) + text.bytes)
        state.isFirst = false
      } else {
        state.told += 1
        if state.told <= Self.mostTold { Console.complain("\(key.id) \(verdict)\(why.map { ": \(TextTable.printable($0))" } ?? "")") }
        if state.told == Self.mostTold { Console.complain("… and so on: --json names them all") }
      }
    }
  }

  private static func counts(_ report: DeadLetterReplay.Report) -> String {
    let known = [(report.rejected, "rejected"), (report.underWay, "still under way")].filter { $0.0 > 0 }.map { ", \($0.0) \($0.1)" }
    return "\(report.skipped) skipped, \(report.failed) failed\(known.joined())"
  }

  func progress(_ report: DeadLetterReplay.Report) {
    state.withLock { state in
      state.report = report
      guard ContinuousClock.now - state.lastProgress >= .seconds(2) else { return }
      state.lastProgress = .now
      Console.complain("\(report.replayed) of \(report.matched) replayed, \(Self.counts(report))")
    }
  }

  /// How far it was when it was last told of, for one that ends in an error; false where it had not begun.
  func finishWithWhatIsKnown() -> Bool {
    let report = state.withLock(\.report)
    if json || report != nil { finish(report ?? DeadLetterReplay.Report()) }
    return report != nil
  }

  /// What is not told one by one is counted.
  func finish(_ counts: [ReplayVerdict: Int]) {
    let matched = counts.values.reduce(0, +)
    guard json else {
      let parts = ReplayVerdict.allCases.filter { counts[$0] != nil }.map { "\(counts[$0]!) \($0.rawValue)" }
      return Console.print((["\(matched) matched"] + parts).joined(separator: ", "))
    }
    var report = DeadLetterReplay.Report()
    report.matched = Int64(matched)
    report.skipped = matched - (counts[.applies] ?? 0)
    finish(report)
  }

  func finish(_ report: DeadLetterReplay.Report) {
    guard json else {
      return Console.print("\(report.matched) matched, \(report.replayed) replayed, \(Self.counts(report))")
    }
    Console.print(
      #"],"matched":\#(report.matched),"replayed":\#(report.replayed),"skipped":\#(report.skipped),"failed":\#(report.failed)}"#)
  }
}
