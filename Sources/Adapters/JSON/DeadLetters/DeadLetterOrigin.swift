import Application
import Domain

/// What a message of the dead-letter queue says of where it came from and why it is there.
///
/// A worker that dead-letters drops `x-death`: where it stands, the broker itself did, and nobody has looked at the message.
struct DeadLetterOrigin {
  /// The message as it stood in the queue of commands.
  let message: Message
  let reason: DeadLetterReason
  let error: String
  let worker: String?
  let attempts: Int?
  let firstFailedAt: Timestamp?
  let failedAt: Timestamp?
  let isBrokers: Bool

  init(_ message: Message) {
    var original = message
    func text(_ name: String) -> String? { message.header(name)?.text }
    original.exchange = text("x-original-exchange") ?? ""
    original.routingKey = text("x-original-routing-key") ?? ""
    if case .array(let deaths) = message.header("x-death"), case .table(let death) = deaths.first {
      func entry(_ name: String) -> HeaderValue? { death.first { $0.name == name }?.value }
      if message.header("x-original-exchange") == nil {
        original.exchange = entry("exchange")?.text ?? ""
        if case .array(let keys) = entry("routing-keys") { original.routingKey = keys.first?.text ?? "" }
      }
      let why = entry("reason")?.text ?? "unknown"
      error =
        why == "delivery_limit"
        ? "RabbitMQ gave it up: it was delivered again and again, and never acknowledged" : "RabbitMQ dead-lettered it: \(why.prefix(100))"
      var time: Timestamp?
      if case .timestamp(let seconds) = entry("time") { time = Timestamp(microseconds: Int64(clamping: min(seconds, 253_402_300_799)) * 1_000_000) }
      (reason, worker, attempts, firstFailedAt, failedAt, isBrokers) = (.deliveryLimit, nil, nil, nil, time, true)
    } else if let told = text("x-reason").flatMap(DeadLetterReason.init) {
      (reason, error, worker, isBrokers) = (told, text("x-error") ?? "", text("x-worker"), false)
      if case .int32(let count) = message.header("x-attempt") { attempts = Int(count) } else { attempts = nil }
      (firstFailedAt, failedAt) = (text("x-first-failed-at").flatMap(Timestamp.init), text("x-failed-at").flatMap(Timestamp.init))
    } else {
      (reason, error, worker, attempts, firstFailedAt, failedAt, isBrokers) = (.deliveryLimit, "put into the queue without a reason", nil, nil, nil, nil, true)
    }
    self.message = original
  }
}
