import ArgumentParser
import Operations
import PaymentSandbox

struct PaymentSandboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "payment-sandbox",
    abstract: "Run a stand-in payment provider that moves no money, for development and tests.",
    discussion: """
      Speaks schemas/openapi/payment.yaml. Prints a line of JSON with its address once it listens, and ends with 0 at SIGTERM or SIGINT.

        order-worker payment-sandbox --port 9090
        ORDERS_PAYMENT_PROVIDER=http ORDERS_PAYMENT_URL=http://127.0.0.1:9090 order-worker run
        curl -s 'http://127.0.0.1:9090/ledger?order_id=…'

      The payment method decides what happens:

        pm_ok, any other      authorised, captured, voided as asked
        pm_declined           402 card_declined
        pm_declined_funds     402 insufficient_funds
        pm_unavailable        503, no effect, at each try
        pm_timeout            authorised; the first answer never comes
        pm_reset              authorised; the first answer is a cut connection
        pm_error              authorised; the first answer is 500
        pm_slow               authorised; the answer takes 5 s
        pm_capture_declined   authorised; the capture is 402 card_declined

      GET /ledger tells what was done, in order. POST /sandbox/mode {"mode": "hang", "for_ms": 60000} changes how all calls are treated, for so long \
      or until the next one: ok; unavailable (503, no effect); hang (nothing is done or answered until it ends); error (done, answered 500); reset \
      (done, connection cut); slow (done, answered after 5 s).
      """)

  @Option(help: "Where to listen; 0 takes any free port.") var port: Int
  @Option(help: "On which address.") var host = "127.0.0.1"
  @Option(help: ArgumentHelp("Keep what was done in this file, also over a kill.", valueName: "file")) var ledger: String?

  func validate() throws {
    guard (0...65_535).contains(port) else { throw ValidationError("--port is 0 to 65535") }
  }

  func run() async throws {
    let signals = ShutdownSignals()
    let server: PaymentSandboxServer
    do {
      server = try await PaymentSandboxServer.start(host: host, port: port, ledger: ledger)
    } catch {
      throw CommandFailure("\(error)")
    }
    var line = JSONText()
    line.object { json in
      json.member("port", Int64(server.port))
      json.member("url", "http://\(host.contains(":") ? "[\(host)]" : host):\(server.port)")
    }
    Console.print(line.text)
    _ = await signals.wait()
    await server.stop()
  }
}
