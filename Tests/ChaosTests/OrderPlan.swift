import TestSupport

/// The orders of a run, each of which follows from the seed and its number, so that none need be kept.
struct OrderPlan: Sendable {
  static let products = 50
  let count: Int
  let seed: UInt64

  func messageID(_ order: Int) -> String { "order-\(order)" }

  /// The number of the order that has this message id.
  func order(_ messageID: String) -> Int? {
    guard messageID.hasPrefix("order-"), let order = Int(messageID.dropFirst(6)), (0..<count).contains(order) else { return nil }
    return order
  }

  /// One to three products, in no order.
  func lines(_ order: Int) -> [(product: String, quantity: Int64)] {
    var random = SeededGenerator(seed: seed &+ UInt64(order) &* 0x2545_F491_4F6C_DD1D)
    let first = Int.random(in: 0..<Self.products, using: &random)
    let step = Int.random(in: 1..<Self.products, using: &random)
    // Two steps of 25 lead back to where they began, and a product may stand in one line only.
    let most = step == 25 ? 2 : 3
    return (0..<Int.random(in: 1...most, using: &random)).map {
      (product: "product-\((first + $0 * step) % Self.products)", quantity: Int64.random(in: 1...5, using: &random))
    }
  }

  /// What all orders together take of each product.
  var ordered: [String: Int64] {
    var sum: [String: Int64] = [:]
    for order in 0..<count { for line in lines(order) { sum[line.product, default: 0] += line.quantity } }
    return sum
  }

  /// Every order twice, shuffled.
  var copies: [Int32] {
    var random = SeededGenerator(seed: seed)
    return (0..<2 * Int32(count)).map { $0 / 2 }.shuffled(using: &random)
  }
}
