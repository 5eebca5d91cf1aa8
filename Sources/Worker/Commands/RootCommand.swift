import ArgumentParser

struct RootCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "order-worker",
    abstract: "Takes orders from RabbitMQ, keeps them in PostgreSQL, and tells what became of them in events.",
    discussion: """
      First steps, with the three servers at their usual local addresses:

        export ORDERS_AUTH=off                      for a first look: nobody is asked who he is
        order-worker setup                          tables, exchanges and queues
        order-worker stock set product-456 100      something to sell
        order-worker run                            the worker
        order-worker send order.create FILE --wait  a first order
        order-worker watch                          events as they come

      Settings are ORDERS_… variables of the environment, lines of the file that ORDERS_CONFIG_FILE names, or flags of any command; \
      `order-worker run --help` lists them. Exit codes: 0 done, 1 failed, 64 wrong usage, 78 wrong configuration.
      """,
    version: ProgramVersion.text,
    subcommands: [
      RunCommand.self, SetupCommand.self, SendCommand.self, GetCommand.self, HistoryCommand.self, ListCommand.self, WatchCommand.self,
      StockCommand.self, DeadLettersCommand.self, AuditCommand.self, TokenCommand.self, ValidateCommand.self, PaymentSandboxCommand.self, HealthCommand.self,
      DoctorCommand.self,
    ])

  /// The parser itself shows the help of the program where a command that is none is followed by --help.
  static func refuseUnknown(_ name: String?) throws {
    guard let name, !name.hasPrefix("-"), name != "help" else { return }
    guard !configuration.subcommands.contains(where: { $0.configuration.commandName == name }) else { return }
    throw ValidationError("There is no command '\(name)'.")
  }
}
