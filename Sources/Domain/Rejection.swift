/// Why a business rule refuses a command.
package enum RejectionCode: String, Sendable, CaseIterable {
  case outOfStock = "out_of_stock"
  case paymentDeclined = "payment_declined"
  case paymentMethodRequired = "payment_method_required"
  case paymentUnavailable = "payment_unavailable"
  case illegalTransition = "illegal_transition"
  case versionConflict = "version_conflict"
  case notFound = "not_found"
  case alreadyExists = "already_exists"
}

/// A detail's code: what is wrong with the field at `path`.
package enum FaultCode: String, Sendable, CaseIterable {
  case required, type, range, format, duplicate, overflow
  case tooLong = "too_long"
  case tooManyDecimals = "too_many_decimals"
  case outOfStock = "out_of_stock"
}

/// One fault, with the place of the field in the body: `items[0].quantity`.
package struct Fault: Hashable, Sendable {
  package let path: String
  package let code: FaultCode
  package let message: String
  /// Of `out_of_stock` only.
  package let requested: Int64?
  package let available: Int64?

  package init(path: String, code: FaultCode, message: String, requested: Int64? = nil, available: Int64? = nil) {
    self.path = path
    self.code = code
    self.message = message
    self.requested = requested
    self.available = available
  }
}

/// A business rule's no: committed, answered and acknowledged, never a dead letter.
package struct Rejection: Error, Hashable, Sendable {
  package let code: RejectionCode
  package let message: String
  package let details: [Fault]

  package init(_ code: RejectionCode, _ message: String, details: [Fault] = []) {
    self.code = code
    self.message = message
    self.details = details
  }
}
