import Domain

/// Tells of each dead letter what a replay would come to, by deciding it against its order as it is now. Writes nothing and publishes nothing.
package struct DeadLetterDryRun: Sendable {
  /// Makes the messages, as a replay would.
  private let replay: DeadLetterReplay
  private let decoder: any CommandDecoder
  private let encoder: any MessageEncoder
  private let orders: any OrderStore
  private let terms: OrderTerms
  private let onVerdict: @Sendable (DeadLetterKey, ReplayVerdict, String?) -> Void

  package init(
    replay: DeadLetterReplay, decoder: any CommandDecoder, encoder: any MessageEncoder, orders: any OrderStore, terms: OrderTerms,
    onVerdict: @escaping @Sendable (DeadLetterKey, ReplayVerdict, String?) -> Void
  ) {
    self.replay = replay
    self.decoder = decoder
    self.encoder = encoder
    self.orders = orders
    self.terms = terms
    self.onVerdict = onVerdict
  }

  /// Returns how many letters each verdict has.
  package func run(_ selection: DeadLetterSelection) async throws(StoreError) -> [ReplayVerdict: Int] {
    var selection = selection
    var counts: [ReplayVerdict: Int] = [:]
    while !Task.isCancelled {
      let page = try await selection.next(200)
      if page.isEmpty { break }
      for (key, verdict, why) in try await judge(page) {
        counts[verdict, default: 0] += 1
        onVerdict(key, verdict, why)
      }
    }
    return counts
  }

  private typealias Judgement = (key: DeadLetterKey, verdict: ReplayVerdict, why: String?)

  private func judge(_ page: [DeadLetter]) async throws(StoreError) -> [Judgement] {
    var judgements: [Judgement?] = []
    var commands: [(position: Int, envelope: CommandEnvelope)] = []
    for (position, letter) in page.enumerated() {
      if letter.state == .resolved {
        judgements.append((letter.key, .alreadyApplied, "it is resolved"))
        continue
      }
      switch read(letter) {
      case .success(let envelope):
        judgements.append(nil)
        commands.append((position, envelope))
      case .failure(let obstacle): judgements.append((letter.key, .illegal, obstacle.why))
      }
    }
    for (command, judged) in zip(commands, try await decide(commands.map(\.envelope))) {
      judgements[command.position] = (page[command.position].key, judged.verdict, judged.why)
    }
    return judgements.compactMap(\.self)
  }

  private func read(_ letter: DeadLetter) -> Result<CommandEnvelope, DeadLetterReplay.Obstacle> {
    do throws(DeadLetterReplay.Obstacle) {
      let message = try replay.message(of: letter).message
      let received = ReceivedMessage(tag: DeliveryTag(generation: 0, number: 0), redelivered: false, message: message)
      switch decoder.decode(received) {
      case .refused(let refusal), .unknownKey(let refusal):
        throw DeadLetterReplay.Obstacle(why: "\(refusal.reason.rawValue): \(refusal.error)")
      case .keysUnavailable(let reason): throw DeadLetterReplay.Obstacle(why: reason)
      case .command(let envelope):
        if let refusal = Permissions.refusal(of: envelope) { throw DeadLetterReplay.Obstacle(why: "\(refusal.reason.rawValue): \(refusal.error)") }
        return .success(envelope)
      }
    } catch {
      return .failure(error)
    }
  }

  private typealias Judged = (verdict: ReplayVerdict, why: String?)

  /// Each alone on the same facts, and nothing of it written.
  private func decide(_ envelopes: [CommandEnvelope]) async throws(StoreError) -> [Judged] {
    guard !envelopes.isEmpty else { return [] }
    let (encoder, terms) = (encoder, terms)
    let all = BatchDecider(commands: envelopes, encoder: encoder, terms: terms)
    var runs = 0
    while true {
      do throws(StoreError) {
        return try await orders.transact(all.keys, sent: []) { facts in
          let judged = envelopes.map { envelope -> Judged in
            let disposition = BatchDecider(commands: [envelope], encoder: encoder, terms: terms).decide(facts).1.dispositions[0]
            return (ReplayVerdict(disposition, of: envelope, facts), ReplayVerdict.reason(disposition))
          }
          return (BatchWrites(), judged)
        }
      } catch {
        runs += 1
        guard case .conflict = error, runs < 5 else { throw error }
      }
    }
  }
}
