import TestSupport

/// What is sent: orders and the commands of their lives, all of which follow from the seed.
struct ChaosPlan: Sendable {
  /// How often a message is sent again without need, and how often two of an order in the wrong order.
  static let (duplicated, reordered) = (0.2, 0.1)
  static let (products, scarce) = (40, 5)
  private static let methods: [(name: String, share: Int)] = [
    ("pm_ok", 70), ("pm_declined", 6), ("pm_timeout", 6), ("pm_reset", 6), ("pm_error", 6), ("pm_capture_declined", 4), ("pm_slow", 1), ("pm_unavailable", 1),
  ]
  /// The statuses that an order is taken through, after its creation with or without `confirm`.
  private static let journeys: [(confirm: Bool, statuses: [String])] = [
    (false, []), (false, ["cancelled"]), (true, []), (true, ["cancelled"]), (true, ["processing", "shipped", "delivered"]),
    (true, ["on_hold", "confirmed", "processing", "on_hold", "processing", "shipped"]), (false, ["confirmed", "processing", "cancelled"]),
    (false, ["confirmed", "processing", "shipped", "delivered"]),
  ]

  let seed: UInt64
  let lives: [ChaosLife]
  let commands: Int

  init(commands: Int, seed: UInt64) {
    self.seed = seed
    var random = SeededGenerator(seed: seed)
    var lives: [ChaosLife] = []
    var count = 0
    while count < commands {
      let life = Self.life(lives.count, &random)
      lives.append(life)
      count += life.steps.count
    }
    self.lives = lives
    self.commands = count
  }

  /// The step of the life that has this message id.
  func place(of id: String) -> (life: Int, step: Int)? {
    let parts = id.split(separator: "-")
    guard parts.count == 3, parts[0] == "chaos", let life = Int(parts[1]), let step = Int(parts[2]) else { return nil }
    return lives.indices.contains(life) && lives[life].steps.indices.contains(step) ? (life, step) : nil
  }

  /// A scarce product suffices for half of what is asked of it.
  var stock: [String: Int64] {
    var asked: [String: Int64] = [:]
    for life in lives { for line in life.lines { asked[line.product, default: 0] += line.quantity } }
    for number in 0..<Self.scarce { asked["product-\(number)"] = asked["product-\(number)", default: 0] / 2 }
    return asked
  }

  private static func life(_ number: Int, _ random: inout SeededGenerator) -> ChaosLife {
    var life = ChaosLife(number: number)
    if Int.random(in: 0..<25, using: &random) == 0 {
      life.steps = [ChaosStep(kind: .wrong(ChaosStep.Wrong.allCases.randomElement(using: &random)!), copies: copies(&random))]
      life.bursts = [[0]]
      return life
    }
    let first = Int.random(in: 0..<products, using: &random)
    life.lines = (0..<Int.random(in: 1...3, using: &random)).map {
      (product: "product-\((first + 7 * $0) % products)", quantity: Int64.random(in: 1...4, using: &random))
    }
    life.priceMinor = Int64.random(in: 0..<20, using: &random) == 0 ? 0 : Int64.random(in: 1...9_999, using: &random)
    var left = Int.random(in: 0..<100, using: &random)
    life.method =
      methods.first { method in
        defer { left -= method.share }
        return left < method.share
      }?.name ?? "pm_ok"
    let journey = journeys.randomElement(using: &random)!
    life.steps = [ChaosStep(kind: .create(confirm: journey.confirm), copies: copies(&random))]
    for status in journey.statuses { life.steps.append(ChaosStep(kind: .update(to: status), copies: copies(&random))) }
    var step = 0
    while step < life.steps.count {
      // Two of an order the wrong way around, without waiting for the answer to either.
      if step + 1 < life.steps.count, Double.random(in: 0..<1, using: &random) < reordered {
        life.bursts.append([step + 1, step])
        step += 2
      } else {
        life.bursts.append([step])
        step += 1
      }
    }
    return life
  }

  private static func copies(_ random: inout SeededGenerator) -> ChaosStep.Copies {
    guard Double.random(in: 0..<1, using: &random) < duplicated else { return .one }
    return Bool.random(using: &random) ? .twoAtOnce : .another(after: .milliseconds(Int.random(in: 200...8_000, using: &random)))
  }
}
