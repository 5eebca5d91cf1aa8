import TestSupport

/// Orders with a payment each, whose method and price follow from the seed and their number.
struct PaymentPlan: Sendable {
  /// How many of a hundred orders have each method.
  private static let shares: [(method: String, share: Int)] = [
    ("pm_ok", 44), ("pm_unavailable", 6), ("pm_declined", 8), ("pm_declined_funds", 8), ("pm_timeout", 8), ("pm_reset", 10), ("pm_error", 10), ("pm_slow", 6),
  ]

  struct Item: Sendable {
    let number: Int
    let order: String
    let method: String
    /// Of one of two pieces, in cents.
    let priceMinor: Int64
    var id: String { "storm-\(number)" }
    var totalMinor: Int64 { 2 * priceMinor }

    /// How its command must end: accepted, or the code of its rejection.
    var end: String {
      switch method {
      case "pm_declined", "pm_declined_funds": "payment_declined"
      case "pm_unavailable": "payment_unavailable"
      default: "accepted"
      }
    }
  }

  let items: [Item]

  init(count: Int, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    items = (0..<count).map { number in
      var left = Int.random(in: 0..<100, using: &random)
      let method = Self.shares.first { entry in
        defer { left -= entry.share }
        return left < entry.share
      }
      return Item(
        number: number, order: CommandFlow.orderID(number + 1), method: method?.method ?? "pm_ok", priceMinor: Int64.random(in: 1...99_999, using: &random))
    }
  }

  static func create(_ item: Item, in world: ProductWorld) -> OrderCommands {
    OrderCommands(world: world, order: item.order, product: "p", price: money(item.priceMinor), method: item.method)
  }

  static func money(_ minor: Int64) -> String { "\(minor / 100).\(minor % 100 / 10)\(minor % 10)" }
}
