import Application
import ArgumentParser
import Domain
import JSONAdapter
import Operations

struct DeadLettersExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Print dead letters as JSON, one on a line, the oldest first.",
    discussion: """
      A line is what schemas/dead-letter.json describes. Payment methods are masked unless --reveal asks for them, which is told in the audit log.

        order-worker dead-letters export --reason invalid > invalid.jsonl
      """)

  @OptionGroup var filter: DeadLetterFilterOptions
  @Option(help: ArgumentHelp("Those in this state, as for list.", valueName: "STATE")) var state = DeadLettersListCommand.State.open
  @Flag(help: "Show payment methods; told in the audit log.") var reveal = false
  @OptionGroup var options: DeadLetterOptions

  func run() async throws {
    let (filter, tenant, reveal) = (filter.filter(state.states), options.tenant, reveal)
    let (configuration, caller) = try await options.begin("export")
    try await options.withStore(configuration, byPages: true) { store in
      if reveal { try await store.audit([AuditEntry(.reveal, ofAllOf: tenant, by: caller.subject, at: .now)]) }
      var selection = try await DeadLetterSelection(filter, tenant: tenant, store: store)
      while true {
        let page = try await selection.next(200)
        if page.isEmpty { return }
        Console.print(utf8Lines: page.flatMap { DeadLetterJSON.write($0, reveals: reveal) + [UInt8(ascii: "\n")] })
      }
    }
  }
}
