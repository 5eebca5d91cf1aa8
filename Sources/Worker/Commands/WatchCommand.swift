import ArgumentParser
import ClientRuntime
import Glibc
import Operations
import RabbitMQClient
import Synchronization

struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Print events as they come, until Ctrl-C.",
    discussion: """
      PATTERN is that of a topic exchange, matched against the event's type: * stands for one word, # for any number of them.

        order-worker watch
        order-worker watch 'order.rejected'
        order-worker watch --json | jq .data.status
      """)

  @Argument(help: ArgumentHelp("Which events.", valueName: "PATTERN")) var pattern = "#"
  @Flag(help: "Print each event as it came, a line of JSON.") var json = false
  @OptionGroup var settings: SettingOptions

  func run() async throws {
    let configuration = try settings.load()
    let signals = ShutdownSignals()
    let exchange = "\(configuration[.prefix]).events"
    let said = Mutex("")
    let events = Consumer(
      configuration: try SetupBroker.connection(configuration, purpose: "watch"),
      subscription: .exclusive(name: "", bindings: [(exchange, pattern)]), prefetch: 1_000
    ) { state in
      let sentence: String
      switch state {
      case .connected(let server): sentence = "watching \(exchange) on \(server)"
      case .disconnected(let reason) where reason.contains("no exchange"):
        sentence = "there is no exchange \(exchange): run `order-worker setup`; looking again until it is there"
      case .disconnected(let reason) where reason.contains("ACCESS_REFUSED"):
        // No later try is let in.
        Console.complain("RabbitMQ: \(reason)")
        ProgramExit.leave(ProgramExit.failed)
      case .disconnected(let reason): sentence = "RabbitMQ: \(reason); trying again"
      case .connecting, .closed: return
      }
      // Once is enough for what every try meets again.
      let isNew = said.withLock { said in
        defer { said = sentence }
        return said != sentence
      }
      if isNew { Console.complain(sentence) }
    }
    let stop = Task {
      _ = await signals.wait()
      await events.stopTaking()
    }
    await show(events)
    stop.cancel()
    await events.close()
  }

  private func show(_ events: Consumer) async {
    while true {
      switch await events.next(max: 500) {
      case .deliveries(let deliveries):
        for delivery in deliveries { json ? Console.print(utf8: Self.oneLine(delivery.body)) : Console.print(EventLine(delivery.body).text) }
        if let last = deliveries.last { events.settle([.ack(tag: last.tag, multiple: true)], generation: last.generation) }
      case .lost: Console.complain("the connection was lost: events until it is back are not shown")
      case .stopped: return
      }
    }
  }

  /// JSON has no line's end in a string, so that any there is can go.
  private static func oneLine(_ body: [UInt8]) -> [UInt8] { body.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0 } }
}
