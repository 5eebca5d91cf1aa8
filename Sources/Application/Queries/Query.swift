import Domain

/// Which orders a list is of.
package struct OrderFilter: Hashable, Sendable {
  package let customer: CustomerID
  package let status: OrderStatus?
  package init(customer: CustomerID, status: OrderStatus?) {
    self.customer = customer
    self.status = status
  }
}

/// Where a page of a list ends: the next begins behind it.
package struct ListPosition: Hashable, Sendable {
  package let createdAt: Timestamp
  package let order: OrderID
  package init(createdAt: Timestamp, order: OrderID) {
    self.createdAt = createdAt
    self.order = order
  }
}

package enum Query: Hashable, Sendable {
  case get(OrderID, minVersion: Int64?)
  case history(OrderID)
  case list(OrderFilter, limit: Int, after: ListPosition?)
}

package enum QueryType: String, Sendable, CaseIterable {
  case get = "order.get"
  case history = "order.history"
  case list = "order.list"
}

/// Where an answer goes.
package struct ReplyAddress: Hashable, Sendable {
  package let to: String
  package let correlationID: String?
  package init(to: String, correlationID: String?) {
    self.to = to
    self.correlationID = correlationID
  }
}

/// A query that may be answered, from a sender who is known.
package struct QueryEnvelope: Sendable {
  package let query: Query
  package let principal: Principal
  package let address: ReplyAddress
  package init(query: Query, principal: Principal, address: ReplyAddress) {
    self.query = query
    self.principal = principal
    self.address = address
  }
}

package enum QueryRefusalCode: String, Sendable, CaseIterable {
  case invalid, unauthenticated, forbidden, unavailable
  case notFound = "not_found"
  /// The database itself is behind the version that was asked for.
  case notYet = "not_yet"
  case unknownType = "unknown_type"
}

package struct QueryRefusal: Error, Hashable, Sendable {
  package let code: QueryRefusalCode
  package let message: String
  package let faults: [Fault]
  package init(_ code: QueryRefusalCode, _ message: String, faults: [Fault] = []) {
    self.code = code
    self.message = message
    self.faults = faults
  }
}

package enum QueryAnswer: Sendable {
  /// The order's JSON.
  case order([UInt8])
  /// `next` is nil on the last page.
  case orders([Order], next: ListPosition?)
  case history([HistoryEntry])
  case refused(QueryRefusal)
}

package enum DecodedQuery: Sendable {
  case query(QueryEnvelope)
  case refused(QueryRefusal, ReplyAddress)
  /// Refused so, unless the next look at the keys brings the one that its token was signed with.
  case unknownKey(QueryRefusal, ReplyAddress)
  /// Nobody waits for an answer, or it may not go where it was asked to.
  case unanswerable
}
