import Application
import ArgumentParser
import Domain
import Operations
import PostgresAdapter

struct StockCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stock",
    abstract: "Look at the built-in stock, and count it.",
    discussion: """
      order-worker stock list
      order-worker stock set product-456 100
      order-worker stock import count.csv
      """,
    subcommands: [StockListCommand.self, StockSetCommand.self, StockImportCommand.self])
}

/// What all commands about stock take.
struct StockOptions: ParsableArguments {
  @Option(help: "Whose stock it is.")
  var tenant = TenantID.standard

  @Flag(help: "Print JSON instead of a table.")
  var json = false

  @OptionGroup var caller: CallerOptions
  @OptionGroup var settings: SettingOptions

  func withLedger<T: Sendable>(_ action: String, _ body: @Sendable (any StockLedger, Principal) async throws(StockLedgerError) -> T) async throws -> T {
    let configuration = try settings.load()
    let caller = try await caller.allowed(.countStock, in: tenant, configuration, asking: "stock.\(action)")
    do {
      return try await SetupDatabase.withClient(configuration, as: .tenants, wait: .seconds(10)) { client in
        try await body(PostgresStockLedger(client: client), caller)
      }
    } catch let error as StockLedgerError {
      switch error {
      case .belowReserved(let rows): throw CommandFailure(sentences: rows.map(Self.sentence))
      case .notSetUp: throw CommandFailure("the tables are not there: run `order-worker setup`")
      case .store(.refused(let reason)), .store(.conflict(let reason)), .store(.blocked(let reason)), .store(.unavailable(let reason)):
        throw CommandFailure(reason)
      }
    } catch {
      throw CommandFailure(SetupDatabase.sentence(error))
    }
  }

  static func sentence(_ row: StockRow) -> String {
    "\(row.product): orders hold \(row.level.reserved) of it, so that no less can be on hand; nothing was changed"
  }

  func show(_ rows: [StockRow]) {
    guard json else {
      let cells = rows.map { [$0.product.rawValue, "\($0.level.onHand)", "\($0.level.reserved)", "\($0.level.available)"] }
      return Console.print(TextTable(columns: [.left("PRODUCT"), .right("ON HAND"), .right("RESERVED"), .right("AVAILABLE")], rows: cells).text)
    }
    var json = JSONText(capacity: 64 + rows.count * 96)
    json.object { json in
      json.member("tenant_id", tenant.rawValue)
      json.name("stock")
      json.array(rows) { json, row in json.object { Self.write(row, to: &$0) } }
    }
    Console.print(utf8: json.bytes)
  }

  static func write(_ row: StockRow, to json: inout JSONText) {
    json.member("product_id", row.product.rawValue)
    json.member("on_hand", row.level.onHand)
    json.member("reserved", row.level.reserved)
    json.member("available", row.level.available)
  }
}

extension TenantID: ExpressibleByArgument {
  package init?(argument: String) { self.init(argument) }
}

extension ProductID: ExpressibleByArgument {
  package init?(argument: String) { self.init(argument) }
}

struct StockListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Show what is on hand, reserved and available of each product.")

  @OptionGroup var options: StockOptions

  func run() async throws {
    let tenant = options.tenant
    options.show(try await options.withLedger("list") { ledger, _ throws(StockLedgerError) in try await ledger.list(tenant: tenant) })
  }
}

struct StockSetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Set what is on hand of one product.",
    discussion: "Refused below what orders hold of it.\n\n  order-worker stock set product-456 100")

  @Argument(help: "The product's id.") var product: ProductID
  @Argument(help: "How many are on hand.") var quantity: Int64
  @OptionGroup var options: StockOptions

  func validate() throws {
    guard (0...StockFile.largestQuantity).contains(quantity) else {
      throw ValidationError("QUANTITY must be a whole number from 0 to \(StockFile.largestQuantity).")
    }
  }

  func run() async throws {
    let (tenant, count) = (options.tenant, StockCount(product: product, onHand: quantity))
    let rows = try await options.withLedger("set") { ledger, caller throws(StockLedgerError) in
      try await ledger.set([count], tenant: tenant, by: caller.subject, at: .now)
    }
    guard options.json else { return Console.print("\(product): \(quantity) on hand") }
    var json = JSONText()
    json.object { json in
      json.member("tenant_id", tenant.rawValue)
      for row in rows { StockOptions.write(row, to: &json) }
    }
    Console.print(utf8: json.bytes)
  }
}

struct StockImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Set what is on hand of many products from a CSV file.",
    discussion: """
      The file's first line is product_id,quantity; quantity is what is on hand. All of it counts or, where anything is wrong, nothing, and each fault \
      is named with its line. A product that the file does not name keeps what it has.

        order-worker stock import count.csv
        cat count.csv | order-worker stock import -
      """)

  @Argument(help: "The CSV file, or - for standard input.") var file: String
  @OptionGroup var options: StockOptions

  func run() async throws {
    let stock: StockFile
    do {
      stock = StockFile(try WholeFile.readOrStandardInput(file))
    } catch {
      throw CommandFailure("\(file) cannot be read: \(error.reason)")
    }
    if !stock.faults.isEmpty { throw CommandFailure(sentences: stock.faults.map { "\(file): \($0)" } + ["nothing was changed"]) }
    let (tenant, counts) = (options.tenant, stock.counts)
    let short: [StockRow] = try await options.withLedger("import") { ledger, caller throws(StockLedgerError) in
      do throws(StockLedgerError) {
        _ = try await ledger.set(counts, tenant: tenant, by: caller.subject, at: .now)
        return []
      } catch {
        guard case .belowReserved(let rows) = error else { throw error }
        return rows
      }
    }
    if !short.isEmpty {
      throw CommandFailure(sentences: short.map { "\(file): line \(stock.lines[$0.product] ?? 0): \(StockOptions.sentence($0))" })
    }
    guard options.json else { return Console.print("\(counts.count) products counted") }
    var json = JSONText()
    json.object { $0.member("counted", Int64(counts.count)) }
    Console.print(utf8: json.bytes)
  }
}
