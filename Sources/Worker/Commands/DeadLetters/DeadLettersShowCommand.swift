import Application
import ArgumentParser
import Domain
import JSONAdapter

struct DeadLettersShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show one dead letter: the message, why it failed, and what became of it.",
    discussion: "Payment methods are masked.")

  @Argument(help: ArgumentHelp("Its id, or as much of its beginning as tells it from the others.", valueName: "ID")) var id: DeadLetterName
  @OptionGroup var options: DeadLetterOptions

  func run() async throws {
    let (options, id) = (options, id)
    let configuration = try options.settings.load()
    let letter = try await options.withStore(configuration) { try await options.letter(id, in: $0) }
    if options.json { return Console.print(utf8: DeadLetterJSON.write(letter, reveals: false)) }
    Console.print(
      DeadLetterTables.card(
        letter, body: DeadLetterJSON.readableBody(letter, reveals: false), headers: DeadLetterJSON.headers(letter), width: Terminal.columns))
  }
}
