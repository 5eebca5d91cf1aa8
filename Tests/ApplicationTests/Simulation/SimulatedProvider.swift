import Application
import Domain
import TestSupport

/// The payment provider: what it did by key, and what is held for whom.
final class SimulatedProvider: @unchecked Sendable {  // touched by the one thread of its simulation
  private enum Holding { case held, captured, voided }

  private unowned let world: SimulatedWorld
  private var calls: [String: PaymentCall] = [:]
  private var results: [String: PaymentResult] = [:]
  private var holdings: [OrderID: [String: Holding]] = [:]
  private var underWay: [String: Int] = [:]
  /// Keys of which the network has held a call, and how many it still holds.
  private var held: (keys: Set<String>, count: Int) = ([], 0)
  private static let cutOff = Duration.seconds(24)
  private(set) var cutOffUntil = Duration.zero
  /// Keys that it has said never to have seen.
  private(set) var denied: Set<String> = []

  init(world: SimulatedWorld) { self.world = world }

  var isAtRest: Bool { underWay.isEmpty && held.count == 0 }

  /// Whether the key had an effect.
  func hasDone(_ key: String) -> Bool { if case .succeeded? = results[key] { true } else { false } }

  func held(of order: OrderID) -> Int { count(order, .held) }
  func captured(of order: OrderID) -> Int { count(order, .captured) }
  private func count(_ order: OrderID, _ state: Holding) -> Int { holdings[order, default: [:]].values.filter { $0 == state }.count }

  static let deadline = Duration.seconds(2)

  /// `kill`: what ends the worker that asks.
  func perform(_ call: PaymentCall, kill: () -> Void) async -> PaymentAnswer {
    world.tell("provider is asked to \(call.target) by \(call.key)")
    if world.mutation != .changesKeys, !world.database.tables.records.values.contains(where: { $0.call == call }) {
      world.violated("the provider was called without a committed row")
    }
    if let known = calls[call.key], known != call { world.violated("a key was sent with another call") }
    calls[call.key] = call
    let fault = world.isOut(.provider) ? .nack : world.fault(.provider)
    begin(call.key)
    switch fault {
    case .callLost?:
      end(call.key)
      await untilCancelled()
      return .unknown(reason: "lost")
    case .nack?:
      end(call.key)
      return .noEffect(reason: "busy", retryAfter: Bool.random(using: &world.executor.random) ? .seconds(1) : nil)
    case .late?:
      // It comes after the caller has gone, and before its lease is over.
      world.executor.at(world.executor.now + Self.deadline + .milliseconds(2_500)) { [unowned self] _ in
        _ = answer(call, declines: false)
        end(call.key)
      }
      await untilCancelled()
      return .unknown(reason: "late")
    case .held(let seconds, let cutsOff)?:
      if cutsOff { cutOffUntil = world.executor.now + Self.cutOff }
      end(call.key)
      held.keys.insert(call.key)
      held.count += 1
      world.executor.at(world.executor.now + .seconds(seconds)) { [unowned self] _ in
        _ = answer(call, declines: false)
        held.count -= 1
      }
      await untilCancelled()
      return .unknown(reason: "held")
    default:
      // Whoever called may be gone by then.
      let time = Duration.milliseconds(Int.random(in: 0...(Bool.random(using: &world.executor.random) ? 50 : 1_900), using: &world.executor.random))
      world.executor.at(world.executor.now + time) { [unowned self] _ in
        _ = answer(call, declines: fault == .decline)
        end(call.key)
      }
      if fault == .dies { kill() }
      try? await world.clock.sleep(for: time + .milliseconds(1))
      guard let result = results[call.key], fault != .answerLost else { return .unknown(reason: "cut") }
      return .known(result)
    }
  }

  func lookUp(_ call: PaymentCall) async -> PaymentAnswer {
    if world.isOut(.provider) { return .noEffect(reason: "busy", retryAfter: .seconds(1)) }
    switch world.fault(.lookUp) {
    case .nack?: return .notTold
    case .callLost?:
      await untilCancelled()
      return .unknown(reason: "lost")
    case .answerLost?: return .unknown(reason: "cut")
    default: break
    }
    if underWay[call.key] != nil { world.violated("a key was looked up while a call of it was under way") }
    await world.pause()
    world.saw(results[call.key] == nil ? "looked up in vain" : "looked up")
    world.tell("provider is asked about \(call.key): \(results[call.key].map { "\($0)" } ?? "never came")")
    if let result = results[call.key] { return .known(result) }
    denied.insert(call.key)
    return .neverCame
  }

  /// Whoever called waits no longer than its deadline.
  private func untilCancelled() async { try? await world.clock.sleep(for: .seconds(600)) }

  private func begin(_ key: String) { underWay[key, default: 0] += 1 }
  private func end(_ key: String) { underWay[key] = underWay[key] == 1 ? nil : underWay[key]! - 1 }

  /// Whether one of the authorisations came so late that the order may have another by now.
  private func holdsLate(_ order: OrderID) -> Bool {
    holdings[order, default: [:]].contains { id, state in state == .held && held.keys.contains(String(id.dropFirst("auth-".count))) }
  }

  /// The first effect of a key is its last.
  private func answer(_ call: PaymentCall, declines: Bool) -> PaymentResult {
    if let known = results[call.key] { return known }
    let order = OrderID(String(call.key.prefix(36)))!
    let result: PaymentResult
    switch call.target {
    case "authorize":
      result = declines ? .declined(code: "no") : .succeeded(AuthorizationID("auth-\(call.key)")!)
      if !declines { holdings[order, default: [:]]["auth-\(call.key)"] = .held }
      if !held.keys.contains(call.key), held(of: order) > 1, !holdsLate(order) { world.violated("two authorisations are held for one order") }
    default:
      let id = String(String(decoding: call.body, as: UTF8.self).split(separator: " ").last!)
      let capture = call.target == "capture"
      if holdings[order]?[id] != .held {
        result = .conflict
      } else if capture && declines {
        result = .declined(code: "no")
      } else {
        holdings[order]![id] = capture ? .captured : .voided
        result = .succeeded(AuthorizationID(id)!)
      }
      if captured(of: order) > 1 { world.violated("an order was charged twice") }
    }
    results[call.key] = result
    world.tell("provider: \(call.target) by \(call.key): \(result)")
    return result
  }
}
