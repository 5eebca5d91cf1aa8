import ArgumentParser
import Operations

struct HealthCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "health",
    abstract: "Ask a running worker whether it is ready.",
    discussion: """
      Asks at ORDERS_HTTP_HOST and ORDERS_HTTP_PORT, prints the answer, and ends with 0 where it is good, else with 1: the health check of containers \
      that hold no other program.

        order-worker health
        order-worker health --path /health/live
        order-worker health --http-port 8090 --path /ledger     the payment sandbox
      """)

  @Option(help: ArgumentHelp("What to ask for.", valueName: "PATH"))
  var path = "/health/ready"

  @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "TIME"), transform: SendCommand.duration)
  var timeout = Duration.seconds(3)

  @OptionGroup var settings: SettingOptions

  func validate() throws {
    guard path.utf8.first == UInt8(ascii: "/"), path.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw ValidationError("--path begins with / and holds no blanks, and got \"\(path)\"")
    }
  }

  func run() async throws {
    // Not settings.load(): what looks mistaken was said by the worker itself, and need not be said at each probe.
    let configuration = try ConfigurationLoader.load(flags: try settings.flags())
    let (host, port) = (configuration[.httpHost], configuration[.httpPort])
    guard port > 0 else { throw CommandFailure("ORDERS_HTTP_PORT is 0: the port that the worker took is in its log; name it with --http-port") }
    let answer: HealthProbe.Answer
    do {
      // 0.0.0.0 and ::, where a worker listens on every address, lead to this machine's own on Linux.
      answer = try await HealthProbe(host: host, port: port, path: path).ask(within: timeout)
    } catch HealthProbe.Fault.late {
      throw CommandFailure("no answer from \(host):\(port) within \(DurationText.format(timeout))")
    } catch {
      throw CommandFailure("no answer from \(host):\(port): is a worker running there?")
    }
    Console.print(answer.body.last == "\n" ? String(answer.body.dropLast()) : answer.body)
    if !answer.isGood { throw CommandFailure("\(path) answered \(answer.status)") }
  }
}
