import Domain
import Synchronization

/// Answers queries: taken in batches as they arrive, answered once, and never tried again.
package final class QueryService: Sendable {
  private let source: any CommandSource
  private let codec: any QueryCodec
  private let reader: any OrderReader
  private let cache: any SnapshotCache
  private let replies: any ReplySender
  private let acks = Mutex(AckLedger())

  package init(source: any CommandSource, codec: any QueryCodec, reader: any OrderReader, cache: any SnapshotCache, replies: any ReplySender) {
    self.source = source
    self.codec = codec
    self.reader = reader
    self.cache = cache
    self.replies = replies
  }

  /// Takes no more; `run` returns when what was taken is answered.
  package func drain() async { await source.stopTaking() }

  package func run() async {
    await withDiscardingTaskGroup { waitingForKeys in
      while true {
        switch await source.next(max: 200) {
        case .deliveries(let received):
          acks.withLock { $0.received(received.map(\.tag)) }
          let unknown = await answer(received)
          if !unknown.isEmpty { waitingForKeys.addTask { await self.answerAgain(unknown) } }
        case .lost(let generation): acks.withLock { $0.lost(generation: generation) }
        case .stopped:
          waitingForKeys.cancelAll()
          return
        }
      }
    }
  }

  /// Returns those whose tokens name a key that is not known yet: they wait, and the others do not.
  private func answer(_ received: [ReceivedMessage]) async -> [ReceivedMessage] {
    let queries = received.map { ($0, codec.decode($0)) }
    let unknown = queries.filter { if case .unknownKey = $0.1 { true } else { false } }.map(\.0)
    await answer(queries.map(\.1))
    settle(queries.filter { if case .unknownKey = $0.1 { false } else { true } }.map(\.0))
    return unknown
  }

  /// After the next look at the keys, or without one where the worker stops: an answer is better than none.
  private func answerAgain(_ received: [ReceivedMessage]) async {
    await codec.keysLookedAt()
    await answer(
      received.map { message in
        if case .unknownKey(let refusal, let address) = codec.decode(message) { .refused(refusal, address) } else { codec.decode(message) }
      })
    settle(received)
  }

  /// The settlements of one channel must leave in the order in which they were found, so they leave under the lock; it never waits.
  private func settle(_ received: [ReceivedMessage]) {
    acks.withLock { acks in
      let settlements = acks.settle(received.map(\.tag))
      if !settlements.isEmpty { source.settle(settlements, generation: acks.generation) }
    }
  }

  private func answer(_ queries: [DecodedQuery]) async {
    var sent: [Reply] = []
    var gets: [(envelope: QueryEnvelope, order: OrderID, minVersion: Int64?)] = []
    // Each look waits a while for a database that is away: one such wait is enough for a batch.
    var isAway = false
    for query in queries {
      switch query {
      case .unanswerable, .unknownKey: continue
      case .refused(let refusal, let address): sent.append(reply(.refused(refusal), to: nil, at: address))
      case .query(let envelope):
        if let refusal = Permissions.refusal(of: envelope) {
          sent.append(reply(.refused(refusal), to: envelope, at: envelope.address))
        } else if case .get(let order, let minVersion) = envelope.query {
          gets.append((envelope, order, minVersion))
        } else {
          let answer = isAway ? .refused(Self.unavailable) : await answer(envelope, isAway: &isAway)
          sent.append(reply(answer, to: envelope, at: envelope.address))
        }
      }
    }
    let found = await lookUp(gets)
    for (get, order) in zip(gets, found) { sent.append(reply(order, to: get.envelope, at: get.envelope.address)) }
    if !sent.isEmpty { await replies.send(sent) }
  }

  /// From the cache where it may know enough, the rest from the database in one look.
  private func lookUp(_ gets: [(envelope: QueryEnvelope, order: OrderID, minVersion: Int64?)]) async -> [QueryAnswer] {
    guard !gets.isEmpty else { return [] }
    let keys = gets.map { OrderKey(tenant: $0.envelope.principal.tenant, order: $0.order) }
    // Whose an order is stands in the database only.
    let cacheable = zip(gets, keys).filter { $0.0.envelope.principal.readsEveryOrder }.map(\.1)
    let cached = await cache.load(Array(Set(cacheable)))
    func isEnough(_ snapshot: Snapshot, _ minVersion: Int64?) -> Bool { snapshot.version >= minVersion ?? 0 }
    var missing: Set<OrderKey> = []
    for (get, key) in zip(gets, keys) where cached[key].map({ !isEnough($0, get.minVersion) }) ?? true { missing.insert(key) }
    let found: [OrderKey: Order]?
    do throws(StoreError) {
      found = missing.isEmpty ? [:] : try await reader.orders(missing.sorted())
    } catch {
      found = nil
    }
    let answers = zip(gets, keys).map { get, key -> QueryAnswer in
      let principal = get.envelope.principal
      if principal.readsEveryOrder, let snapshot = cached[key], isEnough(snapshot, get.minVersion) { return .order(snapshot.json) }
      guard let found else { return .refused(Self.unavailable) }
      guard let order = found[key], principal.mayRead(order) else { return .refused(Self.notFound(get.order)) }
      if let minVersion = get.minVersion, order.version < minVersion {
        return .refused(QueryRefusal(.notYet, "order \(get.order) is at version \(order.version), and \(minVersion) was asked for"))
      }
      return .order(codec.order(order))
    }
    // Committed versions only, and never over a higher one.
    let fresh = (found ?? [:]).values.map { Snapshot(key: $0.key, version: $0.version, json: codec.order($0)) }
    if !fresh.isEmpty { await cache.store(fresh) }
    return answers
  }

  private func answer(_ envelope: QueryEnvelope, isAway: inout Bool) async -> QueryAnswer {
    let tenant = envelope.principal.tenant
    do throws(StoreError) {
      switch envelope.query {
      case .get: preconditionFailure("gets are answered together")
      case .history(let id):
        let key = OrderKey(tenant: tenant, order: id)
        if !envelope.principal.readsEveryOrder {
          guard let order = try await reader.orders([key])[key], envelope.principal.mayRead(order) else { return .refused(Self.notFound(id)) }
        }
        let entries = try await reader.history(of: key)
        return entries.isEmpty ? .refused(Self.notFound(id)) : .history(entries)
      case .list(let filter, let limit, let position):
        let orders = try await reader.list(filter, tenant: tenant, after: position, limit: limit + 1)
        let page = Array(orders.prefix(limit))
        let next = orders.count > limit ? page.last.map { ListPosition(createdAt: $0.createdAt, order: $0.key.order) } : nil
        return .orders(page, next: next)
      }
    } catch {
      if case .unavailable = error { isAway = true }
      return .refused(Self.unavailable)
    }
  }

  private func reply(_ answer: QueryAnswer, to envelope: QueryEnvelope?, at address: ReplyAddress) -> Reply {
    Reply(to: address.to, correlationID: address.correlationID, body: codec.reply(answer, to: envelope))
  }

  private static let unavailable = QueryRefusal(.unavailable, "the database cannot be asked just now")
  private static func notFound(_ order: OrderID) -> QueryRefusal { QueryRefusal(.notFound, "there is no order \(order)") }
}
