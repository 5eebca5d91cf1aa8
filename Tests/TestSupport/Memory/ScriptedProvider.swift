import Application
import Domain
import Synchronization

/// A payment provider in memory. It keeps a ledger of the effects that it had, one for each key; what the caller hears of a call is the script's to say.
package final class ScriptedProvider: PaymentProvider {
  package enum Behaviour: Sendable {
    case succeed
    case decline
    /// The effect happens; the caller does not hear of it.
    case loseAnswer
    /// No effect.
    case refuse
    /// The caller hears nothing; the effect happens when the provider is let go on.
    case holdOnItsWay
    /// Waits until the provider is let go on, then succeeds.
    case hang
  }

  package struct Effect: Sendable, Equatable {
    package let key: String
    package let target: String
    package let isDecline: Bool
  }

  private struct State {
    var ledger: [Effect] = []
    var calls = 0
    var most = 0
    var underWay = 0
    var isHanging = true
    var onTheirWay: [PaymentCall] = []
  }
  private let state = Mutex(State())
  private let script: @Sendable (_ call: PaymentCall, _ number: Int) -> Behaviour

  /// `script` says what the call does; `number` counts the calls from 1.
  package init(_ script: @escaping @Sendable (_ call: PaymentCall, _ number: Int) -> Behaviour = { _, _ in .succeed }) { self.script = script }

  package var ledger: [Effect] { state.withLock { $0.ledger } }
  package var calls: Int { state.withLock { $0.calls } }
  package var mostAtOnce: Int { state.withLock { $0.most } }
  package func goOn() {
    let arrived = state.withLock { state in
      state.isHanging = false
      defer { state.onTheirWay = [] }
      return state.onTheirWay
    }
    for call in arrived { _ = effect(of: call, isDecline: false) }
  }

  package func perform(_ call: PaymentCall, isRepeat: Bool, trace: CommandReference) async -> PaymentAnswer {
    let number = state.withLock { state in
      state.calls += 1
      state.underWay += 1
      state.most = max(state.most, state.underWay)
      return state.calls
    }
    defer { state.withLock { $0.underWay -= 1 } }
    await Task.yield()
    switch script(call, number) {
    case .refuse: return .noEffect(reason: "refused", retryAfter: nil)
    case .loseAnswer:
      _ = effect(of: call, isDecline: false)
      return .unknown(reason: "cut")
    case .holdOnItsWay:
      state.withLock { $0.onTheirWay.append(call) }
      return .unknown(reason: "held")
    case .decline: return effect(of: call, isDecline: true)
    case .succeed: return effect(of: call, isDecline: false)
    case .hang:
      _ = await eventually { self.state.withLock { !$0.isHanging } }
      return effect(of: call, isDecline: false)
    }
  }

  package func lookUp(_ call: PaymentCall, trace: CommandReference) async -> PaymentAnswer {
    state.withLock { state in state.ledger.first { $0.key == call.key }.map(Self.answer) ?? .neverCame }
  }

  /// The first effect of a key is its last, and is told again.
  private func effect(of call: PaymentCall, isDecline: Bool) -> PaymentAnswer {
    state.withLock { state in
      let known = state.ledger.first { $0.key == call.key }
      let effect = known ?? Effect(key: call.key, target: call.target, isDecline: isDecline)
      if known == nil { state.ledger.append(effect) }
      return Self.answer(effect)
    }
  }

  private static func answer(_ effect: Effect) -> PaymentAnswer {
    effect.isDecline ? .known(.declined(code: "card_declined")) : .known(.succeeded(AuthorizationID("auth-\(effect.key)")!))
  }
}
