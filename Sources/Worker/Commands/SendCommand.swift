import ArgumentParser
import ClientRuntime
import Domain
import RabbitMQClient

struct SendCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "send",
    abstract: "Publish a command as an upstream service would.",
    discussion: """
      The message goes to the exchange PREFIX.commands, persistent, confirmed, and with its type as routing key. With --wait the worker's reply is printed as \
      JSON; exit 1 where it is not accepted (a duplicate of what was accepted counts as accepted), or where none comes in time.

        order-worker send order.create samples/order.json --wait
        echo '{"customer_id":"c-1","items":[…]}' | order-worker send order.create -
        order-worker send order.create order.json --count 10000 --rate 500
      """)

  @Argument(help: ArgumentHelp("The command's type, such as order.create.", valueName: "TYPE")) var type: String
  @Argument(help: ArgumentHelp("The file with its body; - for standard input.", valueName: "FILE")) var file = "-"

  @Flag(help: "Wait for the reply and print it.") var wait = false
  @Option(help: ArgumentHelp("The message's id, 1 to 128 characters. (default: a new UUID)", valueName: "ID")) var id: String?
  @Option(help: ArgumentHelp("Send the body so many times, each with an id of its own.", valueName: "N")) var count = 1
  @Option(help: ArgumentHelp("Send so many a second at most.", valueName: "N")) var rate: Double?
  @Option(help: ArgumentHelp("How long to wait for RabbitMQ, and then for the replies.", valueName: "TIME"), transform: Self.duration)
  var timeout = Duration.seconds(30)
  @OptionGroup var caller: CallerOptions
  @OptionGroup var whose: TenantOption
  @OptionGroup var settings: SettingOptions

  static func duration(_ text: String) throws -> Duration {
    guard let duration = DurationText.parse(text), duration > .zero else { throw ValidationError("--timeout takes a time such as 250ms, 10s or 15m.") }
    return duration
  }

  func validate() throws {
    if identifierFault(type) != nil { throw ValidationError("TYPE must have 1 to 128 characters, none of them a control character.") }
    if let id, identifierFault(id) != nil { throw ValidationError("--id must have 1 to 128 characters, none of them a control character.") }
    if count < 1 { throw ValidationError("--count must be 1 or more.") }
    if id != nil && count > 1 { throw ValidationError("--id names one message: it does not go with --count.") }
    if let rate, !(rate > 0) { throw ValidationError("--rate must be more than 0.") }
  }

  func run() async throws {
    let configuration = try settings.load()
    let body: [UInt8]
    do {
      body = try WholeFile.readOrStandardInput(file)
    } catch {
      throw CommandFailure("\(file) cannot be read: \(error.reason)")
    }
    var random = SystemRandomNumberGenerator()
    let sender = CommandSender(
      connection: try SetupBroker.connection(configuration, purpose: "send"), exchange: "\(configuration[.prefix]).commands", type: type, body: body,
      id: count > 1 ? nil : id ?? UUIDValue.random(using: &random).description, timeout: timeout,
      authorization: try await caller.bearer(configuration, tenant: whose.tenant))
    if wait { try await sender.sendAndWait(count: count, rate: rate) } else { try await sender.send(count: count, rate: rate) }
  }
}
