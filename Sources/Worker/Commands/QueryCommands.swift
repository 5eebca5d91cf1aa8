import ArgumentParser
import Domain
import FoundationEssentials
import JSONAdapter

/// What all commands that ask the worker take.
struct QueryOptions: ParsableArguments {
  @Flag(help: "Print JSON instead of a table.") var json = false
  @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "TIME"), transform: SendCommand.duration) var timeout = Duration.seconds(10)
  @OptionGroup var caller: CallerOptions
  @OptionGroup var whose: TenantOption
  @OptionGroup var settings: SettingOptions

  func ask(_ type: String, _ body: some Encodable) async throws -> [UInt8] {
    let configuration = try settings.load()
    let authorization = try await caller.bearer(configuration, tenant: whose.tenant)
    do {
      return try await QueryClient(configuration, timeout: timeout, authorization: authorization).ask(type, body)
    } catch is DecodingError {
      throw CommandFailure("the answer is none of this version's")
    }
  }

  /// The member `name` of an answer, as it came.
  static func member(_ name: StaticString, of answer: [UInt8]) throws -> [UInt8] {
    guard let document = try? JSONParser.parse(answer), let node = document.member(name, of: document.root) else {
      throw CommandFailure("the answer is none of this version's")
    }
    let source = Array(document.source(node))
    // A string's source is what stands between its quotation marks.
    let quote = node.kind == .string ? [UInt8(ascii: "\"")] : []
    return quote + source + quote
  }

  static func orderID(_ text: String) throws -> String {
    guard OrderID(text) != nil else { throw ValidationError("\(text) is no order id: a UUID like 6f1c2d3e-0000-4000-8000-000000000000.") }
    return text
  }
}

struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "get", abstract: "Show an order.")

  @Argument(help: ArgumentHelp("The order's id.", valueName: "ORDER_ID"), transform: QueryOptions.orderID) var order: String
  @Option(help: ArgumentHelp("The version that it must have at least.", valueName: "N")) var minVersion: Int64?
  @OptionGroup var options: QueryOptions

  private struct Body: Encodable {
    let order_id: String
    let min_version: Int64?
  }

  func validate() throws {
    if let minVersion, minVersion < 1 { throw ValidationError("--min-version must be 1 or more.") }
  }

  func run() async throws {
    let bytes = try QueryOptions.member("order", of: try await options.ask("order.get", Body(order_id: order, min_version: minVersion)))
    if options.json { return Console.print(utf8: bytes) }
    let order = try JSONDecoder().decode(ShownOrder.self, from: Data(bytes))
    Console.print(order.card(width: Terminal.columns))
  }
}

struct HistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "history", abstract: "Show every version of an order, the oldest first.")

  @Argument(help: ArgumentHelp("The order's id.", valueName: "ORDER_ID"), transform: QueryOptions.orderID) var order: String
  @OptionGroup var options: QueryOptions

  func run() async throws {
    let bytes = try QueryOptions.member("history", of: try await options.ask("order.history", ["order_id": order]))
    if options.json { return Console.print(utf8: bytes) }
    let entries = try JSONDecoder().decode([ShownVersion].self, from: Data(bytes))
    Console.print(
      TextTable(
        columns: [.right("VERSION"), .left("STATUS"), .left("PAYMENT"), .left("AT"), .left("ACTOR"), .left("REASON")],
        rows: entries.map { ["\($0.version)", $0.status, $0.payment_status, ShownOrder.time($0.at), $0.actor, $0.reason ?? ""] },
        width: Terminal.columns
      ).text)
  }
}

struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Show a customer's orders, the newest first.")

  @Option(help: ArgumentHelp("Whose orders.", valueName: "ID")) var customer: String
  @Option(help: ArgumentHelp("Only those of this status.", valueName: "STATUS")) var status: String?
  @Option(help: ArgumentHelp("So many on a page, 1 to 200.", valueName: "N")) var limit = 50
  @Option(help: ArgumentHelp("Go on behind the page that gave this.", valueName: "CURSOR")) var cursor: String?
  @OptionGroup var options: QueryOptions

  private struct Body: Encodable {
    let customer_id: String
    let status: String?
    let limit: Int
    let cursor: String?
  }

  func validate() throws {
    if !(1...200).contains(limit) { throw ValidationError("--limit must be from 1 to 200.") }
    if let status, OrderStatus(rawValue: status) == nil {
      throw ValidationError("--status must be one of \(OrderStatus.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
  }

  func run() async throws {
    let answer = try await options.ask("order.list", Body(customer_id: customer, status: status, limit: limit, cursor: cursor))
    if options.json { return Console.print(utf8: try Self.withoutOutcome(answer)) }
    let page = try JSONDecoder().decode(Page.self, from: Data(answer))
    Console.print(
      TextTable(
        columns: [.left("ORDER"), .left("STATUS"), .right("TOTAL"), .left("CREATED")],
        rows: page.orders.map { [$0.order_id, $0.status, "\($0.total_amount) \($0.currency)", ShownOrder.time($0.created_at)] },
        width: Terminal.columns
      ).text)
    if let next = page.next_cursor { Console.complain("there are more: --cursor \(next)") }
  }

  /// `{"orders": […], "next_cursor": …}`: that it went well is said by the exit code.
  private static func withoutOutcome(_ answer: [UInt8]) throws -> [UInt8] {
    Array("{\"orders\":".utf8) + (try QueryOptions.member("orders", of: answer)) + Array(",\"next_cursor\":".utf8)
      + (try QueryOptions.member("next_cursor", of: answer)) + Array("}".utf8)
  }

  private struct Page: Decodable {
    let orders: [ShownOrder]
    let next_cursor: String?
  }
}
