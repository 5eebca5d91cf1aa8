import Domain

package enum SourceEvent: Sendable {
  case deliveries([ReceivedMessage])
  /// The channel is gone: its deliveries come again, and their tags mean nothing any more.
  case lost(generation: UInt64)
  /// No more deliveries will come.
  case stopped
}

package enum Settlement: Sendable, Equatable {
  case acknowledge(upTo: UInt64)
  case acknowledgeOne(UInt64)
}

/// Where commands come from.
package protocol CommandSource: Sendable {
  /// Whatever has arrived, 1 to `max` messages; waits only while there is nothing.
  func next(max: Int) async -> SourceEvent
  /// Takes effect in order, without waiting; void where the generation is over.
  func settle(_ settlements: [Settlement], generation: UInt64)
  /// `next` answers `stopped` from here on. What was delivered and not handed out goes back.
  func stopTaking() async
}

/// Publishes events to the events exchange.
package protocol EventPublisher: Sendable {
  /// For each event whether the broker confirmed it before the publisher's own deadline.
  func publish(_ events: [EncodedEvent]) async -> [Bool]
}

/// Publishes messages to queues by name, mandatory: retries and dead letters.
package protocol MessageForwarder: Sendable {
  func forward(_ messages: [Message]) async -> [ForwardOutcome]
}

package enum ForwardOutcome: Sendable, Equatable {
  /// Confirmed, and not returned.
  case safe
  /// As far as is known; with the reason, for people.
  case notTaken(String)
}

extension [ForwardOutcome] {
  /// Why the first that was not taken was not; nil where all are safe.
  var firstReason: String? {
    for case .notTaken(let reason) in self { return reason }
    return nil
  }
}

package struct Reply: Sendable, Equatable {
  package let to: String
  package let correlationID: String?
  package let body: [UInt8]
  /// W3C `traceparent`.
  package let traceparent: String?
  package init(to: String, correlationID: String?, body: [UInt8], traceparent: String? = nil) {
    self.to = to
    self.correlationID = correlationID
    self.body = body
    self.traceparent = traceparent
  }
}

/// Sends replies on a connection of their own; one that cannot be delivered is lost.
package protocol ReplySender: Sendable {
  /// Returns when they are out of this process's hands, or lost, and soon in any case: a command is acknowledged only afterwards, so that a
  /// process that dies leaves it to be answered again.
  func send(_ replies: [Reply]) async
}

package struct Snapshot: Sendable, Equatable {
  package let key: OrderKey
  package let version: Int64
  package let json: [UInt8]
  package init(key: OrderKey, version: Int64, json: [UInt8]) {
    self.key = key
    self.version = version
    self.json = json
  }
}

/// The cache of orders. It may be away, slow or full: nothing here fails or waits longer than its own deadline.
package protocol SnapshotCache: Sendable {
  func store(_ snapshots: [Snapshot]) async
  /// What is known of these orders: committed versions, if not always the latest.
  func load(_ keys: [OrderKey]) async -> [OrderKey: Snapshot]
  /// Removes what may be behind the database.
  func remove(_ keys: [OrderKey]) async
}
