import Application
import Domain

/// Makes the requests of `schemas/openapi/payment.yaml`.
package struct HTTPPaymentCallEncoder: PaymentCallEncoder {
  package init() {}

  package func call(for operation: PaymentOperation, of order: Order) -> PaymentCall {
    // At most 63 + 36 + 19 characters and two slashes, all ASCII.
    PaymentCall(key: "\(order.key.tenant)/\(order.key.order)/\(operation.number)", target: target(of: operation), body: body(of: operation, for: order.key))
  }

  /// What a call is for, by its target: `authorize`, `capture` or `void`.
  package static func operation(of call: PaymentCall) -> String {
    switch call.target.split(separator: "/").last {
    case "capture": PaymentKind.capture.rawValue
    case "void": PaymentKind.void.rawValue
    default: PaymentKind.authorize.rawValue
    }
  }

  private func target(of operation: PaymentOperation) -> String {
    switch operation.kind {
    case .authorize: "/authorizations"
    // The domain captures and voids what it names.
    case .capture: "/authorizations/\(PercentEncoding.encode(operation.authorization!.rawValue))/capture"
    case .void: "/authorizations/\(PercentEncoding.encode(operation.authorization!.rawValue))/void"
    }
  }

  private func body(of operation: PaymentOperation, for key: OrderKey) -> [UInt8] {
    var body: [UInt8] = []
    body.reserveCapacity(256)
    switch operation.kind {
    case .void: body += "{}".utf8
    case .capture:
      body += "{\"amount\":\"".utf8
      operation.amount.appendText(to: &body)
      body += "\"}".utf8
    case .authorize:
      body += "{\"tenant_id\":\"".utf8
      body += key.tenant.rawValue.utf8  // ASCII without anything to escape
      body += "\",\"order_id\":\"".utf8
      key.order.appendText(to: &body)
      body += "\",\"amount\":\"".utf8
      operation.amount.appendText(to: &body)
      body += "\",\"currency\":\"".utf8
      body += operation.amount.currency.code.utf8
      body += "\",\"payment_method\":\"".utf8
      // No control characters are in it; the domain authorises with a method.
      for byte in operation.method!.rawValue.utf8 {
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { body.append(UInt8(ascii: "\\")) }
        body.append(byte)
      }
      body += "\"}".utf8
    }
    return body
  }
}
