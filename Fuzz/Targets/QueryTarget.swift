import Application
import Domain

@testable import JSONAdapter

/// A query's message: what is taken keeps within its limits, a page's cursor leads back to its place, and every answer is JSON.
enum QueryTarget {
  private static let codec = JSONQueryCodec(exchange: Fixed.queries, replyTo: Fixed.replyTo, authenticator: OpenAuthenticator())

  static func run(_ input: [UInt8]) {
    let received = FuzzedMessage(input, exchange: Fixed.queries, type: "order.list").received
    switch (codec.decode(received), codec.decode(received)) {
    case (.query(let envelope), .query(let again)):
      expect(envelope.query == again.query && envelope.address == again.address, "the second decoding differs")
      check(envelope)
    case (.refused(let refusal, let address), .refused(let again, _)):
      expect(refusal == again, "the second refusal differs")
      check(address)
      expect(Fixed.isObject(codec.reply(.refused(refusal), to: nil)), "the answer is no JSON")
    case (.unanswerable, .unanswerable): break
    default: fatalError("the second decoding ends otherwise, or asks for keys that there are none of")
    }
  }

  private static func check(_ envelope: QueryEnvelope) {
    check(envelope.address)
    switch envelope.query {
    case .get(_, let version): expect((version ?? 1) >= 1, "a version is none")
    case .history: break
    case .list(let filter, let limit, let position):
      expect((1...200).contains(limit), "a page is too large")
      let position = position ?? ListPosition(createdAt: Fixed.now, order: Fixed.letter.id)
      let cursor = QueryCursor.encode(position, filter, tenant: envelope.principal.tenant)
      expect(QueryCursor.decode(cursor, filter, tenant: envelope.principal.tenant) == position, "a cursor leads elsewhere")
      let other = OrderFilter(customer: filter.customer, status: filter.status == .pending ? .shipped : .pending)
      expect(QueryCursor.decode(cursor, other, tenant: envelope.principal.tenant) == nil, "a cursor is good for another list")
      expect(Fixed.isObject(codec.reply(.orders([], next: position), to: envelope)), "the answer is no JSON")
    }
  }

  private static func check(_ address: ReplyAddress) {
    expect(Fixed.replyTo.allows(address.to), "an answer would go where none may")
    expect(address.correlationID.map { !$0.isEmpty } ?? true, "the correlation id is empty")
  }
}
