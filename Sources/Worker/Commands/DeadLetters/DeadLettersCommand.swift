import Application
import ArgumentParser
import Domain
import JSONAdapter
import Operations
import PostgresAdapter
import PostgresClient

struct DeadLettersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead-letters",
    abstract: "Find, understand and replay the messages that could not be done.",
    discussion: """
      order-worker dead-letters list --by error            what is wrong, and how often
      order-worker dead-letters list --reason invalid --since 2h
      order-worker dead-letters show 3f5f020c              the message, why it failed, and what became of it
      order-worker dead-letters replay --reason retries_exhausted --ramp
      """,
    subcommands: [
      DeadLettersListCommand.self, DeadLettersShowCommand.self, DeadLettersReplayCommand.self, DeadLettersDiscardCommand.self,
      DeadLettersExportCommand.self,
    ])
}

/// What all commands about dead letters take.
struct DeadLetterOptions: ParsableArguments {
  @Option(help: "Whose messages they are.") var tenant = TenantID.standard
  @Flag(help: "Print JSON instead of tables.") var json = false
  @OptionGroup var caller: CallerOptions
  @OptionGroup var settings: SettingOptions

  /// The settings in force, and who may do this: an operator.
  func begin(_ action: String) async throws -> (configuration: Configuration, caller: Principal) {
    let configuration = try settings.load()
    return (configuration, try await caller.allowed(.handleDeadLetters, in: tenant, configuration, asking: "dead_letter.\(action)"))
  }

  func withStore<T: Sendable>(
    _ configuration: Configuration, byPages: Bool = false, _ body: @Sendable (any DeadLetterStore) async throws -> T
  ) async throws -> T {
    try await withClient(configuration, byPages: byPages) { try await body(PostgresDeadLetterStore(client: $0, deadline: Self.deadline)) }
  }

  /// Seals replays as the worker does. Senders are not verified here: what it writes has the one that a worker verified.
  static func codec(_ configuration: Configuration) throws -> JSONDeadLetterCodec {
    let seal: any JourneySeal
    if let keys = try AuthRules.sealingKeys(configuration) {
      seal = SignedJourneySeal(keys: keys, now: { .now })
    } else if configuration[.auth] == .off {
      seal = UnsignedJourneySeal()
    } else {
      throw CommandFailure("ORDERS_SIGNING_KEY_FILE is not set: a worker believes no replay that is not signed by its keys")
    }
    return JSONDeadLetterCodec(commandsExchange: "\(configuration[.prefix]).commands", seal: seal, authenticator: OpenAuthenticator())
  }

  /// A look at very many takes its time.
  static let deadline = Duration.seconds(600)

  /// `byPages` for who goes through many in their order: statistics lag behind a table that fills fast, and a plan that reads all for each page is slow.
  func withClient<T: Sendable>(
    _ configuration: Configuration, as role: DatabaseRole = .system, byPages: Bool, _ body: @Sendable (PostgresClient) async throws -> T
  ) async throws -> T {
    let planner = ["seqscan", "bitmapscan", "hashjoin", "mergejoin"].map { "enable_\($0)=off" } + ["plan_cache_mode=force_generic_plan", "jit=off"]
    do {
      return try await SetupDatabase.withClient(configuration, as: role, wait: .seconds(10), settings: byPages ? planner : [], body)
    } catch let error as StoreError {
      throw CommandFailure(Self.sentence(error))
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(SetupDatabase.sentence(error))
    }
  }

  static func sentence(_ error: StoreError) -> String {
    // undefined_table
    error.reason.contains("42P01")
      ? "the table of dead letters is not there: is ORDERS_DATABASE_SCHEMA the worker's? If so, run `order-worker setup`" : error.reason
  }

  /// The one letter that an argument names.
  func letter(_ name: DeadLetterName, in store: any DeadLetterStore) async throws -> DeadLetter {
    let found = try await store.find(name.ids, tenant: tenant, limit: 2)
    guard let letter = found.first else { throw CommandFailure("there is no dead letter \(name.text) of tenant \(tenant)") }
    if found.count > 1 { throw CommandFailure("\(name.text) stands for several dead letters: give more of the id") }
    return letter
  }
}

/// A dead letter's id, or as much of its beginning as tells it from the others.
struct DeadLetterName: ExpressibleByArgument {
  let text: String
  let ids: ClosedRange<UUIDValue>

  init?(argument: String) {
    let form = "00000000-0000-0000-0000-000000000000"
    let digits = argument.lowercased()
    guard (4...form.count).contains(digits.count), let lowest = UUIDValue(digits + form.dropFirst(digits.count)),
      let highest = UUIDValue(digits + form.replacing("0", with: "f").dropFirst(digits.count))
    else { return nil }
    text = argument
    ids = lowest...highest
  }
}

extension DeadLetterReason: ExpressibleByArgument {}
extension DeadLetterGrouping: ExpressibleByArgument {}

/// Which dead letters a command is about.
struct DeadLetterFilterOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Only those dead-lettered for this reason.", valueName: "REASON")) var reason: DeadLetterReason?
  @Option(help: ArgumentHelp("Only commands of this type.", valueName: "TYPE")) var type: String?
  @Option(
    help: ArgumentHelp("Only those that failed within this time, such as 30m or 2h, or since then: 2026-11-25T02:14:07Z.", valueName: "TIME"),
    transform: Self.time) var since: Timestamp?
  @Option(help: ArgumentHelp("Only commands about this order.", valueName: "ORDER_ID"), transform: Self.order) var order: OrderID?
  @Option(help: ArgumentHelp("Only those whose error has this in it, or is this line of `list --by error`.", valueName: "TEXT")) var error: String?

  static func time(_ text: String) throws -> Timestamp {
    if let duration = DurationText.parse(text), duration > .zero { return .now + (.zero - duration) }
    let whole = text.hasSuffix("Z") && !text.contains(".") ? "\(text.dropLast()).000000Z" : text
    guard let timestamp = Timestamp(whole) else {
      throw ValidationError("--since takes a time such as 30m or 2h, or one as it is listed: 2026-11-25T02:14:07Z.")
    }
    return timestamp
  }

  static func order(_ text: String) throws -> OrderID {
    guard let order = OrderID(text) else { throw ValidationError("--order takes an order's id, a UUID.") }
    return order
  }

  var isEmpty: Bool { reason == nil && type == nil && since == nil && order == nil && error == nil }

  func filter(_ states: Set<DeadLetterState>?) -> DeadLetterFilter {
    DeadLetterFilter(states: states, reason: reason, type: type, since: since, order: order, error: error)
  }
}
