import Application
import ArgumentParser
import Domain
import Operations

struct DeadLettersDiscardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard",
    abstract: "Let go of dead letters that nobody needs.",
    discussion: """
      There is no way back: a discarded letter cannot be replayed, only sent again by its sender. It is kept for 30 days; who discarded it is in the \
      audit log.

        order-worker dead-letters discard 3f5f020c
        order-worker dead-letters discard --reason malformed
      """)

  @OptionGroup var selection: DeadLetterSelectionOptions
  @OptionGroup var options: DeadLetterOptions

  func run() async throws {
    let (selection, options) = (selection, options)
    let (configuration, caller) = try await options.begin("discard")
    let report = try await options.withStore(configuration, byPages: true) { store in
      let letters = try await selection.selection(options, store, states: [.parked])
      return try await DeadLetterDiscard(store: store, actor: caller.subject, now: { .now }).run(letters)
    }
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("discarded", Int64(report.discarded))
        json.member("skipped", Int64(report.skipped))
      }
      Console.print(utf8: json.bytes)
    } else {
      Console.print("\(report.discarded) discarded, \(report.skipped) skipped")
    }
    if report.discarded == 0, report.skipped > 0 { throw CommandFailure("only parked ones can be discarded") }
  }
}
