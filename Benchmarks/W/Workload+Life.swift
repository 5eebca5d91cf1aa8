import RabbitMQClient

/// The commands of an order's whole life, by the order's number and the step: 0 creates it.
extension Workload {
  /// With `pm_ok`, of the payment sandbox; where `replyTo` is nil nobody hears of it.
  mutating func create(order: Int, replyTo: String?) -> Publication {
    command("order.create", id: messageID(order, 0), replyTo: replyTo, body: body(more: #""order_id": "\#(orderID(order))", "payment_method": "pm_ok", "#))
  }

  /// Of W, but paid with `pm_ok` and confirmed at once.
  mutating func confirmed(_ number: Int) -> Publication {
    command("order.create", id: "bench-\(run)-confirm-\(number)", body: body(more: #""confirm": true, "payment_method": "pm_ok", "#))
  }

  func update(order: Int, step: Int, to status: String, replyTo: String?) -> Publication {
    let body = #"{"order_id": "\#(orderID(order))", "status": "\#(status)"}"#
    return command("order.update_status", id: messageID(order, step), replyTo: replyTo, body: body)
  }

  /// The order and the step that a message id is of.
  func place(of id: String) -> (order: Int, step: Int)? {
    let parts = id.split(separator: "-")
    guard parts.count == 4, let order = Int(parts[2]), let step = Int(parts[3]) else { return nil }
    return (order, step)
  }

  private func messageID(_ order: Int, _ step: Int) -> String { "bench-\(run)-\(order)-\(step)" }

  private func orderID(_ order: Int) -> String {
    let digits = String(String(repeating: "0", count: 16) + run).suffix(16)
    let number = String(order, radix: 16)
    return "\(digits.prefix(8))-\(digits.dropFirst(8).prefix(4))-4\(digits.suffix(3))-8\(digits.dropFirst(12).prefix(3))-"
      + String(repeating: "0", count: 12 - number.count) + number
  }
}
