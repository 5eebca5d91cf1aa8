import Domain
import Pacing

/// A message that may have killed workers: it is tried alone, after a committed note, so that its bystanders are told from it.
extension CommandPipeline {
  /// A worker that dies takes all that it holds along in the broker's count, the culprit and those that stood beside it.
  private static let suspicious: Int64 = 3
  /// So many workers that died over it are enough.
  private static let mostDeaths = 2

  static func isSuspect(_ received: ReceivedMessage) -> Bool { received.deliveryCount >= suspicious }

  /// Waits until everything before it is settled, tries it, and returns when it is settled itself: also where the worker is told to stop, for each
  /// time that a message goes back counts against it. Left as it is where a server is away then.
  func tryAlone(_ received: ReceivedMessage, into prepared: Handover<PreparedBatch>) async {
    let message = received.message
    let key = TrialKey(settings.forwarding.bodyHash(Array((message.messageID ?? "").utf8) + [0] + message.body))
    guard await reached({ $0.isFirst(received.tag) }), let deaths = await note(key) else { return }
    ports.journal.note(.triedAlone(messageID: message.messageID, deliveries: received.deliveryCount, deaths: deaths))
    var isHandedOver = true
    if deaths >= Self.mostDeaths {
      let error = "\(deaths) workers died while they handled this message"
      let sealed = sealed(message)
      let sender = sealed?.principal ?? ports.decoder.sender(of: message)
      let refusal = Refusal(
        .deliveryLimit, error, unread: message, sender: sender, isTokenExpired: sealed?.isTokenExpired ?? false, journey: sealed?.journey ?? Journey())
      await prepared.send(.deliveries([PreparedDelivery(received: received, reading: .refused(refusal))]))
    } else if let unknown = await prepare([received], into: prepared) {
      if !unknown.isEmpty { isHandedOver = await prepareAgain(unknown, into: prepared) }
    } else {
      isHandedOver = false
    }
    if isHandedOver { _ = await reached { $0.isSettled(received.tag) } }
    // A note that stays counts against the message only if it comes back to another worker.
    try? await ports.trials.end(key, life: life)
  }

  /// What the worker knows of the message already: a replay returns to its row. The body is hashed, and not read.
  private func sealed(_ message: Message) -> SealedJourney? {
    message.header("x-order-principal")?.text.flatMap {
      settings.forwarding.seal.open($0, messageID: message.messageID, type: message.type, bodyHash: settings.forwarding.bodyHash(message.body))
    }
  }

  /// Nil where the worker stops before the note is committed.
  private func note(_ key: TrialKey) async -> Int? {
    var backoff = settings.retries.whileAway
    while !givesBack && !Task.isCancelled {
      do throws(StoreError) {
        let deaths = try await ports.trials.begin(key, life: life)
        if backoff.failures > 0 { ports.journal.note(.storeAvailable) }
        return deaths
      } catch {
        if isDraining {
          giveBack()
          return nil
        }
        // Also one that answers and cannot write: nothing else would tell why all that comes after this message waits.
        if backoff.failures == 0 { ports.journal.note(.storeUnavailable(error.reason)) }
        await ports.store.untilAvailable()
        try? await clock.sleep(for: backoff.next(chance: settings.jitter()))
      }
    }
    return nil
  }

  /// Whether `condition` came to hold before the worker gave up what it had in hand.
  private func reached(_ condition: (AckLedger) -> Bool) async -> Bool {
    while !givesBack && !Task.isCancelled {
      if look(condition) { return true }
      try? await clock.sleep(for: .milliseconds(5))
    }
    return look(condition)
  }
}

extension Refusal {
  /// Of a message that nobody dares to read.
  fileprivate init(_ reason: DeadLetterReason, _ error: String, unread message: Message, sender: Principal?, isTokenExpired: Bool, journey: Journey) {
    self.init(
      reason, error, type: message.type, messageID: message.messageID, correlationID: message.correlationID, principal: sender,
      isTokenExpired: isTokenExpired, journey: journey)
  }
}
