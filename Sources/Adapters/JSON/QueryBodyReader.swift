import Application
import Domain

/// The rules of a query's body, without any transport.
package enum QueryBodyReader {
  /// The query, or every fault of the body. A list's cursor is good for one tenant's filter.
  static func read(_ type: QueryType, in document: JSONDocument, body: JSONNode, tenant: TenantID) -> Result<Query, QueryRefusal> {
    var fields = BodyFields(document)
    let query: Query? =
      switch type {
      case .get: get(&fields, body)
      case .history: order(&fields, body).map { .history($0) }
      case .list: list(&fields, body, tenant)
      }
    if document.hasNullCharacter { fields.addNullCharacters(in: body) }
    if let query, fields.faults.isEmpty { return .success(query) }
    let others = fields.faults.count > 1 ? " (and \(fields.faults.count - 1) more)" : ""
    return .failure(QueryRefusal(.invalid, (fields.faults.first?.message ?? "the body is invalid") + others, faults: fields.faults))
  }

  private static func get(_ fields: inout BodyFields, _ body: JSONNode) -> Query? {
    let order = order(&fields, body)
    let place = FieldPlace("min_version")
    let version = fields.optional(place, of: body).flatMap { fields.wholeNumber(place, $0, in: 1...Int64.max, "1 or more") }
    return order.map { .get($0, minVersion: version) }
  }

  private static func order(_ fields: inout BodyFields, _ body: JSONNode) -> OrderID? {
    let place = FieldPlace("order_id")
    return fields.required(place, of: body).flatMap { fields.uuid(place, $0) }
  }

  private static func list(_ fields: inout BodyFields, _ body: JSONNode, _ tenant: TenantID) -> Query? {
    let customerPlace = FieldPlace("customer_id")
    let customer = fields.required(customerPlace, of: body).flatMap { fields.identifier(customerPlace, $0, CustomerID.init) }
    let statusPlace = FieldPlace("status")
    var status: OrderStatus?
    if let node = fields.optional(statusPlace, of: body), let text = fields.text(statusPlace, node) {
      status = OrderStatus(rawValue: text)
      if status == nil { fields.add(statusPlace.path, .format, "is no status of an order") }
    }
    let limitPlace = FieldPlace("limit")
    let limit = fields.optional(limitPlace, of: body).flatMap { fields.wholeNumber(limitPlace, $0, in: 1...200, "from 1 to 200") } ?? 50
    let cursorPlace = FieldPlace("cursor")
    let cursor = fields.optional(cursorPlace, of: body).flatMap { fields.text(cursorPlace, $0) }
    guard let customer else { return nil }
    let filter = OrderFilter(customer: customer, status: status)
    var position: ListPosition?
    if let cursor {
      position = QueryCursor.decode(cursor, filter, tenant: tenant)
      if position == nil { fields.add(cursorPlace.path, .format, "is no cursor of this list: begin again without one") }
    }
    return .list(filter, limit: Int(limit), after: position)
  }
}
