import RabbitMQClient
import TestSupport

/// An order, and all that it is told.
struct ChaosLife: Sendable {
  let number: Int
  var lines: [(product: String, quantity: Int64)] = []
  /// Of each piece.
  var priceMinor: Int64 = 0
  var method = "pm_ok"
  var steps: [ChaosStep] = []
  /// Steps by number, as they are sent: those of a burst together, the next burst once these are answered.
  var bursts: [[Int]] = []

  init(number: Int) { self.number = number }

  var order: String {
    let digits = String(number + 1, radix: 16)
    return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
  }
  /// Whether its sender sends a command again that is not answered.
  var asksAgain: Bool { number.isMultiple(of: 4) }
  var totalMinor: Int64 { lines.reduce(0) { $0 + $1.quantity * priceMinor } }
  func id(_ step: Int) -> String { "chaos-\(number)-\(step)" }

  func publication(_ step: Int, in world: ProductWorld) -> Publication {
    var type = "order.update_status"
    let body: String
    switch steps[step].kind {
    case .create(let confirm):
      type = "order.create"
      let price = "\(priceMinor / 100).\(priceMinor % 100 / 10)\(priceMinor % 10)"
      let items = lines.map { #"{"product_id":"\#($0.product)","quantity":\#($0.quantity),"unit_price":"\#(price)"}"# }.joined(separator: ",")
      body =
        #"{"order_id":"\#(order)","customer_id":"c\#(number % 50)","currency":"USD","items":[\#(items)],"confirm":\#(confirm),"payment_method":"\#(method)"}"#
    case .update(let status): body = #"{"order_id":"\#(order)","status":"\#(status)"}"#
    case .wrong(.malformed): body = #"{"order_id":"#
    case .wrong(.invalid): body = #"{"order_id":"\#(order)","status":"flying"}"#
    case .wrong(.unknownType):
      type = "order.destroy"
      body = #"{"order_id":"\#(order)"}"#
    }
    return world.publication(Array(body.utf8), id: id(step), type: type)
  }
}

/// One command, and how often it is sent.
struct ChaosStep: Sendable {
  /// What nobody can do: by the reason it is dead-lettered for.
  enum Wrong: String, Sendable, CaseIterable {
    case malformed, invalid
    case unknownType = "unknown_type"
  }

  enum Kind: Sendable {
    case create(confirm: Bool)
    case update(to: String)
    case wrong(Wrong)
  }

  enum Copies: Sendable {
    case one, twoAtOnce
    case another(after: Duration)
  }

  let kind: Kind
  let copies: Copies
}
