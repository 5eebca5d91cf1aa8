import Application
import Domain
import HTTPPaymentAdapter
import JSONAdapter
import Operations
import PostgresAdapter

/// `replay --dry-run`: says of each letter what a replay would come to, and does nothing.
struct DryRun: Sendable {
  let selection: DeadLetterSelectionOptions
  let options: DeadLetterOptions
  let settings: DeadLetterReplay.Settings

  func run(_ configuration: Configuration) async throws {
    let output = ReplayOutput(json: options.json)
    let exchange = "\(configuration[.prefix]).commands"
    let codec = try DeadLetterOptions.codec(configuration)
    let counts = try await options.withClient(configuration, byPages: true) { letters in
      try await options.withClient(configuration, as: .tenants, byPages: false) { orders in
        let store = PostgresDeadLetterStore(client: letters, deadline: DeadLetterOptions.deadline)
        let replay = DeadLetterReplay(
          ports: .init(store: store, codec: codec, forwarder: NoForwarder(), now: { .now }), settings: settings)
        let dryRun = DeadLetterDryRun(
          replay: replay,
          decoder: JSONCommandDecoder(
            commandsExchange: exchange, defaultCurrency: configuration[.defaultCurrency],
            replyTo: ReplyToPolicy(patterns: configuration[.replyToAllow], ownPrefix: configuration[.prefix]),
            seal: codec.seal, authenticator: OpenAuthenticator()),
          encoder: JSONMessageEncoder(), orders: PostgresOrderStore(client: orders), terms: Self.terms(configuration)
        ) { [json = options.json] key, verdict, why in
          // What goes through needs no word of its own.
          if json || verdict != .applies { output.tell(key, verdict.rawValue, why) }
        }
        return try await dryRun.run(try await selection.selection(options, store, states: [.parked, .replaying]))
      }
    }
    output.finish(counts)
  }

  /// As the worker decides with the same settings.
  private static func terms(_ configuration: Configuration) -> OrderTerms {
    OrderTerms(
      payments: PaymentTerms(
        encoder: HTTPPaymentCallEncoder(), hasProvider: configuration[.paymentProvider] != .none, timeout: configuration[.paymentTimeout],
        giveUp: configuration[.paymentGiveUp]),
      reservationTTL: configuration[.reservationTTL])
  }

  private struct NoForwarder: MessageForwarder {
    func forward(_ messages: [Message]) async -> [ForwardOutcome] { messages.map { _ in .notTaken("a dry run sends nothing") } }
  }
}
