import Domain

/// What the worker needs or uses from outside, by the name that operators see.
package enum DependencyName: String, Sendable, CaseIterable {
  case rabbitmq, postgres, redis, payment, inventory
  /// Of senders' tokens.
  case keys

  /// Whether the worker is unready without it. A cache or a provider that is away slows or delays; it stops nothing.
  package var isRequired: Bool {
    switch self {
    case .rabbitmq, .postgres, .keys: true
    case .redis, .payment, .inventory: false
    }
  }
}

package enum DependencyState: String, Sendable {
  case up, down
  /// It answers, but not as it should.
  case degraded
  /// Not configured.
  case unused

  package var isGoodEnough: Bool { self != .down }

  /// The more, the worse.
  var severity: Int {
    switch self {
    case .unused: 0
    case .up: 1
    case .degraded: 2
    case .down: 3
    }
  }
}

/// A dependency's state, since when, and a sentence about it that holds no secret.
package struct DependencyHealth: Sendable, Equatable {
  package let name: DependencyName
  package let state: DependencyState
  package let since: Timestamp
  package let detail: String?
  /// What the server says that it is: `3.10.8`.
  package var version: String?
  /// The last round trip that was measured while it was up.
  package var latency: Duration?
}
