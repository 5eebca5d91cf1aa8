import Application
import ArgumentParser
import Domain
import Operations
import PostgresAdapter
import PostgresClient

struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "See who did what, and whether the audit log is whole.",
    discussion: """
      order-worker audit list --order 6f1c2d3e-…       what was done to an order, in the last 24 hours
      order-worker audit list --outcome forbidden --since 24h
      order-worker audit verify
      order-worker audit drop --keep-months 24 --dry-run
      """,
    subcommands: [AuditListCommand.self, AuditVerifyCommand.self, AuditDropCommand.self])
}

struct AuditOptions: ParsableArguments {
  @Flag(help: "Print JSON instead of text.") var json = false
  @OptionGroup var caller: CallerOptions
  @OptionGroup var settings: SettingOptions

  /// The settings in force, and who may do this: an operator of the tenant, or, of what is about all of them, of `default`.
  func begin(_ action: String, tenant: TenantID = .standard) async throws -> (configuration: Configuration, caller: Principal) {
    let configuration = try settings.load()
    return (configuration, try await caller.allowed(.readAudit, in: tenant, configuration, asking: "audit.\(action)"))
  }

  /// For however long a statement takes: a log of years is read as a whole.
  static func withClient<T: Sendable>(
    _ configuration: Configuration, as role: DatabaseRole?, _ body: @Sendable (PostgresClient) async throws -> T
  ) async throws -> T {
    do {
      return try await SetupDatabase.withClient(configuration, as: role, wait: .seconds(10), settings: ["statement_timeout=0"], body)
    } catch {
      throw CommandFailure(SetupDatabase.sentence(error))
    }
  }
}

struct AuditListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Show who did what, the newest first.",
    discussion:
      "BEFORE and AFTER are status/payment/reservation/version of an order, or on hand/reserved of a product. There is no index by order or message: the longer the time, the longer it takes."
  )

  @Option(help: ArgumentHelp("Only what was done to this order.", valueName: "ORDER_ID"), transform: DeadLetterFilterOptions.order) var order: OrderID?
  @Option(help: ArgumentHelp("Only what this one did.", valueName: "NAME")) var actor: String?
  @Option(help: ArgumentHelp("Only this, such as order.create or stock.set.", valueName: "ACTION")) var action: String?
  @Option(help: ArgumentHelp("Only what ended so, such as accepted, forbidden or out_of_stock.", valueName: "WORD")) var outcome: String?
  @Option(help: ArgumentHelp("Only what came of this message.", valueName: "ID")) var message: String?
  @Option(
    help: ArgumentHelp("Only within this time, such as 30m or 48h, or since then: 2026-11-25T02:14:07Z. (default: 24h)", valueName: "TIME"),
    transform: DeadLetterFilterOptions.time) var since: Timestamp?
  @Option(help: ArgumentHelp("So many at most, 1 to 10000.", valueName: "N")) var limit = 50
  @Option(help: "Whose log it is.") var tenant = TenantID.standard
  @OptionGroup var options: AuditOptions

  func validate() throws {
    if !(1...10_000).contains(limit) { throw ValidationError("--limit must be from 1 to 10000.") }
  }

  func run() async throws {
    var filter = PostgresAuditLog.Filter()
    filter.order = order
    filter.actor = actor
    filter.action = action
    filter.outcome = outcome
    filter.message = message
    filter.since = since ?? .now + .seconds(-86_400)
    let (tenant, limit) = (tenant, limit)
    let configuration = try await options.begin("list", tenant: tenant).configuration
    let entries = try await AuditOptions.withClient(configuration, as: .tenants) { [filter] in
      try await PostgresAuditLog(client: $0).newest(filter, tenant: tenant, limit: limit)
    }
    if options.json { return Console.print(utf8: Self.json(entries)) }
    let rows = entries.map { entry in
      [
        String(entry.at.description.prefix(19)) + "Z", entry.actor, entry.action, entry.outcome, entry.order?.description ?? entry.correlationID,
        entry.before ?? "", entry.after ?? "", entry.messageID,
      ]
    }
    Console.print(
      TextTable(
        columns: [
          .left("WHEN"), .left("WHO"), .left("WHAT"), .left("OUTCOME"), .left("OF"), .left("BEFORE"), .left("AFTER"), .left("MESSAGE"),
        ], rows: rows, width: Terminal.columns
      ).text)
  }

  private static func json(_ entries: [PostgresAuditLog.Entry]) -> [UInt8] {
    var json = JSONText(capacity: 256 + entries.count * 320)
    json.object { json in
      json.name("audit")
      json.array(entries) { json, entry in
        json.object { json in
          func member(_ name: String, _ text: String?) { if let text { json.member(name, text) } else { json.null(name) } }
          json.member("at", entry.at.description)
          json.member("actor", entry.actor)
          json.member("action", entry.action)
          json.member("outcome", entry.outcome)
          json.member("message_id", entry.messageID)
          member("order_id", entry.order?.description)
          json.member("correlation_id", entry.correlationID)
          member("traceparent", entry.traceparent)
          member("before", entry.before)
          member("after", entry.after)
          json.member("chain_id", entry.chain.description)
          json.member("seq", entry.sequence)
        }
      }
    }
    return json.bytes
  }
}

struct AuditVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Look whether a row of the audit log was changed, removed or moved.",
    discussion: """
      Reads all of it, of all tenants, for an operator of the tenant default: rows are chained by hashes, and chains tell of each other. Exit 1 where \
      something does not fit, with the place of each. It sorts the whole log: ask a standby once the log is large.
      """)

  @OptionGroup var options: AuditOptions

  func run() async throws {
    let configuration = try await options.begin("verify").configuration
    let verifier = try await AuditOptions.withClient(configuration, as: .system) { try await PostgresAuditLog(client: $0).verify() }
    if options.json {
      Console.print(utf8: Self.json(verifier))
    } else {
      for finding in verifier.findings {
        let message = finding.messageID.map { " (message \($0) of tenant \(finding.tenant ?? ""))" } ?? ""
        Console.print("chain \(finding.chain), row \(finding.sequence): \(finding.what)\(message)")
      }
      if verifier.more > 0 { Console.print("and \(verifier.more) more") }
      let result = verifier.findings.isEmpty ? "nothing was changed, removed or moved" : "\(Int64(verifier.findings.count) + verifier.more) do not fit"
      Console.print("\(verifier.rows) rows in \(verifier.chains) chains: \(result)")
    }
    if !verifier.findings.isEmpty { throw CommandFailure("the audit log is not as it was written") }
  }

  private static func json(_ verifier: AuditVerifier) -> [UInt8] {
    var json = JSONText()
    json.object { json in
      json.member("rows", verifier.rows)
      json.member("chains", verifier.chains)
      json.member("findings_not_shown", verifier.more)
      json.name("findings")
      json.array(verifier.findings) { json, finding in
        json.object { json in
          json.member("chain_id", finding.chain.description)
          json.member("seq", finding.sequence)
          json.member("what", finding.what)
          if let message = finding.messageID { json.member("message_id", message) } else { json.null("message_id") }
          if let tenant = finding.tenant { json.member("tenant_id", tenant) } else { json.null("tenant_id") }
        }
      }
    }
    return json.bytes
  }
}

struct AuditDropCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drop", abstract: "Take months out of the audit log that need not be kept any longer.",
    discussion: """
      Of all tenants, for an operator of the tenant default, and for good: export them first. It takes the rights of the user who ran `order-worker setup`, which the worker's own user lacks.
      The last hash of each chain stays, so that `audit verify` holds for what is left.
      """)

  @Option(help: ArgumentHelp("This many months before this one are kept, 1 to 1200.", valueName: "N")) var keepMonths: Int
  @Flag(help: "Say what would go, and change nothing.") var dryRun = false
  @OptionGroup var options: AuditOptions

  func validate() throws {
    if !(1...1_200).contains(keepMonths) { throw ValidationError("--keep-months must be from 1 to 1200.") }
  }

  func run() async throws {
    let (months, isTrial) = (keepMonths, dryRun)
    let (configuration, caller) = try await options.begin("drop")
    let dropped = try await AuditOptions.withClient(configuration, as: nil) {
      try await AuditRetention(client: $0, schema: configuration[.databaseSchema]).drop(keeping: months, by: caller.subject, at: .now, isTrial: isTrial)
    }
    if options.json {
      var json = JSONText()
      json.object { json in
        json.member("rows", dropped.rows)
        json.name("months")
        json.array(dropped.months) { json, name in json.string(name) }
        json.member("dry_run", isTrial)
      }
      return Console.print(utf8: json.bytes)
    }
    for name in dropped.months { Console.print(name) }
    Console.print("\(dropped.rows) rows \(isTrial ? "would go" : "are gone")")
  }
}
