import Application
import Domain

/// Reads queries off messages, and writes their answers.
package struct JSONQueryCodec: QueryCodec {
  private let exchange: String
  private let replyTo: ReplyToPolicy
  private let authenticator: any SenderAuthenticator
  private let encoder = JSONMessageEncoder()

  /// `exchange` is the queries' own, whose routing keys must agree with the types.
  package init(exchange: String, replyTo: ReplyToPolicy, authenticator: any SenderAuthenticator) {
    self.exchange = exchange
    self.replyTo = replyTo
    self.authenticator = authenticator
  }

  package func decode(_ received: ReceivedMessage) -> DecodedQuery {
    let message = received.message
    // A sender who was not verified is answered at the broker's own addresses only.
    func address(verified: Bool) -> ReplyAddress? {
      guard let to = message.replyTo, replyTo.allows(to, verifiedSender: verified) else { return nil }
      let correlationID = [message.correlationID, message.messageID].compactMap(\.self).first { !$0.isEmpty }
      return ReplyAddress(to: to, correlationID: correlationID)
    }
    func refused(_ refusal: QueryRefusal, verified: Bool) -> DecodedQuery { address(verified: verified).map { .refused(refusal, $0) } ?? .unanswerable }
    var transport = TransportReader(received)
    let data: CommandData
    do throws(MalformedMessage) {
      data = try transport.readData(received, exchange: exchange)
    } catch {
      return refused(QueryRefusal(.invalid, error.sentence), verified: !authenticator.verifies)
    }
    let principal: Principal
    do throws(AuthenticationFault) {
      principal = try authenticator.authenticate(message)
    } catch {
      switch error {
      case .keysUnavailable(let sentence): return refused(QueryRefusal(.unavailable, sentence), verified: false)
      case .unknownKey(let sentence):
        return address(verified: false).map { .unknownKey(QueryRefusal(.unauthenticated, sentence), $0) } ?? .unanswerable
      case .refused(let sentence), .expired(_, let sentence): return refused(QueryRefusal(.unauthenticated, sentence), verified: false)
      }
    }
    guard let name = transport.typeName, let type = CommandName.query(name) else {
      let known = QueryType.allCases.map(\.rawValue).joined(separator: ", ")
      return refused(QueryRefusal(.unknownType, "the type is none that this worker knows: \(known)"), verified: true)
    }
    guard let address = address(verified: true) else { return .unanswerable }
    switch QueryBodyReader.read(type, in: data.document, body: data.object, tenant: principal.tenant) {
    case .failure(let refusal): return .refused(refusal, address)
    case .success(let query): return .query(QueryEnvelope(query: query, principal: principal, address: address))
    }
  }

  package func keysLookedAt() async { await authenticator.keysLookedAt() }

  package func order(_ order: Order) -> [UInt8] { encoder.order(order) }

  package func reply(_ answer: QueryAnswer, to envelope: QueryEnvelope?) -> [UInt8] {
    var json = JSONWriter(capacity: 1_024)
    json.raw("{")
    switch answer {
    case .order(let order):
      json.member("outcome", "ok")
      json.name("order")
      json.bytes += order
    case .orders(let orders, let next):
      json.member("outcome", "ok")
      json.name("orders")
      json.array(orders) { json, order in json.bytes += encoder.order(order) }
      if let next, let envelope, case .list(let filter, _, _) = envelope.query {
        json.member("next_cursor", QueryCursor.encode(next, filter, tenant: envelope.principal.tenant))
      } else {
        json.raw(",\"next_cursor\":null")
      }
    case .history(let entries):
      json.member("outcome", "ok")
      json.name("history")
      json.array(entries) { json, entry in json.historyEntry(entry) }
    case .refused(let refusal):
      json.member("outcome", "rejected")
      json.error(refusal.code.rawValue, refusal.message, refusal.faults)
    }
    json.raw("}")
    return json.bytes
  }
}

extension JSONWriter {
  fileprivate mutating func historyEntry(_ entry: HistoryEntry) {
    raw("{")
    member("version", entry.version)
    member("status", entry.status.rawValue)
    if let previous = entry.previousStatus { member("previous_status", previous.rawValue) } else { raw(",\"previous_status\":null") }
    member("payment_status", entry.paymentStatus.rawValue)
    member("at") { entry.at.appendText(to: &$0) }
    member("actor", entry.actor)
    member("message_id", entry.message.rawValue)
    if let reason = entry.reason { member("reason", reason) } else { raw(",\"reason\":null") }
    raw("}")
  }
}
