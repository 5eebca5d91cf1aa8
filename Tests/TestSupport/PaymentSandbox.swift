import Foundation

/// The program's stand-in payment provider, for one world.
package struct PaymentSandbox: Sendable {
  /// An effect that it had, or an attempt that it declined.
  package struct Line: Decodable, Sendable, Equatable {
    package let key: String
    package let operation: String
    package let order_id: String
    package let amount: String
    package let currency: String
    package let payment_method: String
    package let result: String
    package let authorization_id: String?

    package init(
      key: String, operation: String, order_id: String, amount: String, currency: String, payment_method: String, result: String, authorization_id: String?
    ) {
      self.key = key
      self.operation = operation
      self.order_id = order_id
      self.amount = amount
      self.currency = currency
      self.payment_method = payment_method
      self.result = result
      self.authorization_id = authorization_id
    }
  }

  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  private let process: ServerProcess
  private let port: UInt16
  private var http: LoopbackHTTP { LoopbackHTTP(port: port) }

  /// Returns once it answers.
  package static func start() async throws -> PaymentSandbox {
    let port = freePort()
    let log = "/tmp/order-worker-test-sandbox-\(port).log"
    let process = await ServerProcess.start([ProductWorld.executable, "payment-sandbox", "--port", "\(port)"], log: log)
    let sandbox = PaymentSandbox(process: process, port: port)
    guard await eventually({ await sandbox.http.get("/ledger")?.status == 200 }) else {
      await process.end()
      throw Failure(description: "the payment sandbox does not answer: \(log)")
    }
    return sandbox
  }

  /// What a world's workers need to use it.
  package var settings: [String: String] { ["ORDERS_PAYMENT_PROVIDER": "http", "ORDERS_PAYMENT_URL": "http://127.0.0.1:\(port)"] }

  package func ledger() async throws -> [Line] {
    guard let answer = await http.get("/ledger"), answer.status == 200 else { throw Failure(description: "the sandbox shows no ledger") }
    return try JSONDecoder().decode([Line].self, from: Data(answer.body))
  }

  /// How it treats every call from now on: `unavailable`, `hang`, `error`, `reset`, `slow` or `ok`; for so long, then `ok` again.
  package func mode(_ mode: String, for time: Duration? = nil) async throws {
    let time = time.map { #","for_ms":\#(Int($0 / .milliseconds(1)))"# } ?? ""
    guard await http.post("/sandbox/mode", json: #"{"mode":"\#(mode)"\#(time)}"#)?.status == 200 else {
      throw Failure(description: "the sandbox does not take the mode \(mode)")
    }
  }

  package func end() async {
    await process.end()
    unlink("/tmp/order-worker-test-sandbox-\(port).log")
  }
}
