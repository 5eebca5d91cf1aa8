import Application
import Domain
import TestSupport

/// What happens in a simulation, as it follows from its seed: commands, workers and faults. The schedule follows from the seed as well.
struct SimulationPlan: Sendable {
  struct Sending: Sendable {
    /// Among all commands of the seed.
    let number: Int
    let milliseconds: Int
    let message: Message
  }

  let seed: UInt64
  var workers: Int
  var stock: [String: Int64]
  /// What is left of the seed's commands and faults, by their numbers.
  var keptCommands: [Int]
  var keptFaults: [Int]
  private var allCommands: [Sending] = []
  private var allFaults: [Fault] = []
  /// By how much timers may be late.
  var slack: Int
  /// How long a pending order holds its stock.
  let reservationSeconds: Int
  /// Whether a worker is called the same in its next life.
  var keepsNames: Bool

  init(seed: UInt64) {
    self.seed = seed
    var random = SeededGenerator(seed: seed)
    workers = Int.random(in: 1...3, using: &random)
    stock = ["p": Int64.random(in: 0...9, using: &random), "q": Int64.random(in: 2...9, using: &random)]
    slack = [20, 150, 500].randomElement(using: &random)!
    reservationSeconds = [2, 6, 20].randomElement(using: &random)!
    keepsNames = Bool.random(using: &random)
    keptCommands = []
    keptFaults = []
    for order in 1...UInt64.random(in: 1...4, using: &random) { addLife(of: order, &random) }
    if Int.random(in: 0..<6, using: &random) == 0 { addUnreadable(&random) }
    if Int.random(in: 0..<6, using: &random) == 0 { addConflict(&random) }
    if Int.random(in: 0..<6, using: &random) == 0 {
      send(at: Int.random(in: 0...3_000, using: &random)) { PipelineFixture.create($0, order: 1) }
    }
    let count = Int.random(in: 0...14, using: &random)
    allFaults = (0..<count).map { _ in Fault.random(commands: allCommands.count, workers: workers, using: &random) }
    keptCommands = Array(allCommands.indices)
    keptFaults = Array(allFaults.indices)
  }

  /// A plan that was made small.
  init(seed: UInt64, commands: [Int], faults: [Int]) {
    self.init(seed: seed)
    keptCommands = commands
    keptFaults = faults
  }

  var commands: [Sending] { keptCommands.map { allCommands[$0] } }
  var faults: [Fault] { keptFaults.map { allFaults[$0] } }

  var size: Int { keptFaults.count + keptCommands.count }

  /// It without these of its faults and commands, in this order.
  func without(_ range: Range<Int>) -> SimulationPlan {
    var plan = self
    plan.keptFaults.removeSubrange(range.clamped(to: 0..<keptFaults.count))
    let commands = range.clamped(to: keptFaults.count..<size)
    plan.keptCommands.removeSubrange(commands.lowerBound - keptFaults.count..<commands.upperBound - keptFaults.count)
    return plan
  }

  private mutating func addLife(of order: UInt64, _ random: inout SeededGenerator) {
    var time = Int.random(in: 0...2_000, using: &random)
    var lines: [(String, Int64)] = [("p", Int64.random(in: 1...3, using: &random))]
    if Bool.random(using: &random) { lines.append(("q", 1)) }
    let pays = Int.random(in: 0..<8, using: &random) > 0
    send(at: time) { PipelineFixture.create($0, order: order, lines, pay: pays, confirm: Int.random(in: 0..<3, using: &random) > 0) }
    let path = ["confirmed", "processing", "on_hold", "processing", "shipped", "shipped another", "delivered", "cancelled"]
    for status in path where Int.random(in: 0..<3, using: &random) > 0 {
      // Now and then it comes before what it follows on.
      time = max(0, time + Int.random(in: -100...1_500, using: &random))
      send(at: time) { id in
        var message = PipelineFixture.update(id, order: order, to: .pending)
        message.body = Array("\(PipelineFixture.order(order)) \(status)".utf8)
        return message
      }
    }
  }

  private mutating func send(at time: Int, _ message: (String) -> Message) {
    allCommands.append(Sending(number: allCommands.count, milliseconds: time, message: message("m\(allCommands.count)")))
  }

  private mutating func addUnreadable(_ random: inout SeededGenerator) {
    send(at: Int.random(in: 0...3_000, using: &random)) { id in
      var message = PipelineFixture.create(id, order: 1)
      message.body = Array("?".utf8)
      return message
    }
  }

  /// The id of another command with other data.
  private mutating func addConflict(_ random: inout SeededGenerator) {
    let other = allCommands.randomElement(using: &random)!.message
    send(at: Int.random(in: 0...3_000, using: &random)) { _ in
      PipelineFixture.create(other.messageID!, order: 99)
    }
  }

  static func isUnreadable(_ message: Message) -> Bool { message.body == Array("?".utf8) }

  /// The index of a command by its id.
  static func index(of id: String) -> Int? { Int(id.dropFirst()) }
}
