import ArgumentParser
import ClientRuntime
import PostgresAdapter
import PostgresClient
import RabbitMQAdapter
import RabbitMQClient

struct SetupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "setup",
    abstract: "Make tables, exchanges and queues, or see what is missing.",
    discussion: """
      Safe to repeat, and to run from many at once: what is there already stays as it is. Waits up to half a minute for servers that are still starting.

        order-worker setup
        order-worker setup --check     changes nothing; exit 1 where something is missing
      """)

  @Flag(help: "Change nothing; say what is missing, and exit 1 if anything is.")
  var check = false

  @OptionGroup var settings: SettingOptions

  func run() async throws {
    // It is given the workers' settings, and need not have their secrets.
    let configuration = try settings.load(secrets: [Setting.amqpURL.name, Setting.databaseURL.name])
    if check { try await lookOnly(configuration) } else { try await make(configuration) }
  }

  private func make(_ configuration: Configuration) async throws {
    let schema = configuration[.databaseSchema]
    let done = try await database(configuration) { migrator throws in try await migrator.migrate(deadline: .after(.seconds(600))) }
    let applied = done.applied
    Console.print(applied.isEmpty ? "PostgreSQL: schema \(schema) is up to date" : "PostgreSQL: schema \(schema), applied \(applied.joined(separator: ", "))")
    if let why = done.tenantsAreNotApart { Console.complain("PostgreSQL: \(why)") }

    let topology = Topology(prefix: configuration[.prefix])
    let connection = try SetupBroker.connection(configuration)
    try await SetupBroker.retrying(until: .after(SetupBroker.patience)) { () async throws(AMQPError) in try await topology.declare(connection) }
    Console.print("RabbitMQ: \(topology.exchanges.count) exchanges and \(topology.queues.count) queues are there, named \(configuration[.prefix]).…")
  }

  private func lookOnly(_ configuration: Configuration) async throws {
    let pending = try await database(configuration) { migrator throws in try await migrator.pending(deadline: .after(.seconds(30))) }
    let connection = try SetupBroker.connection(configuration)
    let faults = try await SetupBroker.retrying(until: .after(SetupBroker.patience)) { () async throws(AMQPError) in
      try await Topology(prefix: configuration[.prefix]).faults(connection)
    }
    let sentences = pending.map { "migration \($0) is not applied" } + faults.map(\.description)
    if sentences.isEmpty {
      for remark in try await database(configuration, { migrator throws in try await migrator.remarks(deadline: .after(.seconds(30))) }) {
        Console.complain(remark)
      }
      return Console.print("nothing is missing")
    }
    var advice: [String] = []
    if !pending.isEmpty || faults.contains(where: \.isMissing) { advice.append("`order-worker setup` makes what is missing") }
    if faults.contains(where: { !$0.isMissing }) {
      advice.append("a queue's arguments cannot be changed: empty and delete it, then run `order-worker setup`")
    }
    throw CommandFailure(sentences: sentences + advice)
  }

  private func database<T: Sendable>(_ configuration: Configuration, _ body: @Sendable (Migrator) async throws -> T) async throws -> T {
    do {
      return try await SetupDatabase.withClient(configuration, as: nil, wait: SetupBroker.patience) { client in
        try await body(Migrator(client: client, schema: configuration[.databaseSchema]))
      }
    } catch let error as PostgresError {
      throw CommandFailure(SetupDatabase.sentence(error))
    }
  }
}
