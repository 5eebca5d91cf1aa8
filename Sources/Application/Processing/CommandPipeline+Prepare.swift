import Domain
import Pacing

/// The first stage: what has arrived is read, its senders are verified, and who has no role for a command is refused.
extension CommandPipeline {
  /// Hands over what can be read; returns the deliveries whose tokens name a key that is not known yet. Those must not hold up the others, or anybody
  /// could by inventing keys. Nil, and nothing is handed over, where the worker stops before there are keys.
  func prepare(_ received: ArraySlice<ReceivedMessage>, into prepared: Handover<PreparedBatch>) async -> [ReceivedMessage]? {
    guard let decoded = await decode(Array(received)) else { return nil }
    var known: [PreparedDelivery] = []
    known.reserveCapacity(decoded.count)
    var unknown: [ReceivedMessage] = []
    for (message, decoded) in zip(received, decoded) {
      switch decoded {
      case .command(let envelope): known.append(PreparedDelivery(received: message, reading: authorized(envelope)))
      case .refused(let refusal): known.append(PreparedDelivery(received: message, reading: .refused(refusal)))
      case .unknownKey, .keysUnavailable: unknown.append(message)
      }
    }
    if !known.isEmpty { await prepared.send(.deliveries(known)) }
    return unknown
  }

  /// After the next look at the keys; then whoever's key is still not known is refused. Whether all of it was handed over.
  @discardableResult
  func prepareAgain(_ received: [ReceivedMessage], into prepared: Handover<PreparedBatch>) async -> Bool {
    await ports.decoder.keysLookedAt()
    guard !Task.isCancelled, let decoded = await decode(received) else { return false }
    let deliveries = zip(received, decoded).compactMap { message, decoded -> PreparedDelivery? in
      switch decoded {
      case .command(let envelope): PreparedDelivery(received: message, reading: authorized(envelope))
      case .refused(let refusal), .unknownKey(let refusal): PreparedDelivery(received: message, reading: .refused(refusal))
      case .keysUnavailable: nil
      }
    }
    await prepared.send(.deliveries(deliveries))
    return true
  }

  /// Without keys nothing is taken on, and nothing counted: all waits here, in its order, until there are some. Nil where the worker stops before that.
  private func decode(_ received: [ReceivedMessage]) async -> [DecodedCommand]? {
    var isTold = false
    while true {
      let decoded = received.map(ports.decoder.decode)
      guard let reason = decoded.reasonWithoutKeys else {
        if isTold { ports.journal.note(.keysAvailable) }
        return decoded
      }
      if !isTold { ports.journal.note(.keysUnavailable(reason)) }
      isTold = true
      if isDraining || Task.isCancelled { return nil }
      await ports.decoder.keysLookedAt()
    }
  }

  private func authorized(_ envelope: CommandEnvelope) -> PreparedDelivery.Reading {
    Permissions.refusal(of: envelope).map { .refused($0) } ?? .command(envelope.traced(by: ports.tracer))
  }
}

extension [DecodedCommand] {
  fileprivate var reasonWithoutKeys: String? {
    for case .keysUnavailable(let reason) in self { return reason }
    return nil
  }
}
