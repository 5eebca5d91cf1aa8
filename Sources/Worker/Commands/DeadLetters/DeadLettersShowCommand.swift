import Application
import ArgumentParser
import Domain
import JSONAdapter
import Operations

struct DeadLettersShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show one dead letter: the message, why it failed, and what became of it.",
    discussion: "Payment methods are masked unless --reveal asks for them, which is told in the audit log.")

  @Argument(help: ArgumentHelp("Its id, or as much of its beginning as tells it from the others.", valueName: "ID")) var id: DeadLetterName
  @Flag(help: "Show payment methods; told in the audit log.") var reveal = false
  @OptionGroup var options: DeadLetterOptions

  func run() async throws {
    let (options, id, reveal) = (options, id, reveal)
    let (configuration, caller) = try await options.begin("show")
    let letter = try await options.withStore(configuration) { store in
      let letter = try await options.letter(id, in: store)
      if reveal { try await store.audit([AuditEntry(.reveal, of: letter, by: caller.subject, at: .now)]) }
      return letter
    }
    if options.json { return Console.print(utf8: DeadLetterJSON.write(letter, reveals: reveal)) }
    Console.print(
      DeadLetterTables.card(
        letter, body: DeadLetterJSON.readableBody(letter, reveals: reveal), headers: DeadLetterJSON.headers(letter), width: Terminal.columns))
  }
}
