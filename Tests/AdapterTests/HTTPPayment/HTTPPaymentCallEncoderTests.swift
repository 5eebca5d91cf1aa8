import Application
import Domain
import HTTPPaymentAdapter
import Testing

@Suite struct HTTPPaymentCallEncoderTests {
  private static func order(currency: String = "USD") -> Order {
    let currency = Currency(currency)!
    let price = Money(minorUnits: 2_999, currency: currency)
    let line = OrderLine(product: ProductID("p")!, quantity: Quantity(2)!, unitPrice: price)!
    let start = Timestamp(microseconds: 0)
    return Order(
      restoring: OrderKey(tenant: TenantID("shop.eu-1")!, order: OrderID("0B8F1D2E-0000-4000-8000-00000000ABCD")!), customer: CustomerID("c")!,
      lines: [line], total: line.total, metadata: [], paymentMethod: nil, status: .pending, heldFrom: nil, paymentStatus: .none, reservation: .held,
      version: 1, createdAt: start, updatedAt: start)
  }

  private static func call(
    _ kind: PaymentKind, number: Int = 3, method: String? = nil, authorization: String? = nil, currency: String = "USD"
  ) -> PaymentCall {
    let order = order(currency: currency)
    return HTTPPaymentCallEncoder().call(
      for: PaymentOperation(
        number: number, kind: kind, purpose: .ship, amount: order.total, method: method.flatMap(PaymentMethod.init),
        authorization: authorization.flatMap(AuthorizationID.init)), of: order)
  }

  @Test func anAuthorisationNamesOrderAmountAndMethod() {
    let call = Self.call(.authorize, method: #"pm "a\b" é"#)
    #expect(call.target == "/authorizations")
    #expect(
      String(decoding: call.body, as: UTF8.self)
        == #"{"tenant_id":"shop.eu-1","order_id":"0b8f1d2e-0000-4000-8000-00000000abcd","amount":"59.98","currency":"USD","payment_method":"pm \"a\\b\" é"}"#)
  }

  @Test(arguments: [("JPY", "5998"), ("USD", "59.98"), ("KWD", "5.998")])
  func theAmountHasTheCurrencysDecimals(currency: String, amount: String) {
    #expect(String(decoding: Self.call(.capture, authorization: "a", currency: currency).body, as: UTF8.self) == #"{"amount":"\#(amount)"}"#)
  }

  @Test(arguments: [
    ("auth_1-a.b~", "auth_1-a.b~"), ("a/b", "a%2Fb"), ("a b?#%", "a%20b%3F%23%25"), ("é", "%C3%A9"), ("../x", "..%2Fx"),
  ])
  func theAuthorisationIsOneSegmentOfThePath(id: String, segment: String) {
    #expect(Self.call(.capture, authorization: id).target == "/authorizations/\(segment)/capture")
    #expect(Self.call(.void, authorization: id).target == "/authorizations/\(segment)/void")
    #expect(String(decoding: Self.call(.void, authorization: id).body, as: UTF8.self) == "{}")
  }

  @Test func theKeyIsTheOperationsForEver() {
    #expect(Self.call(.authorize, number: 12, method: "m").key == "shop.eu-1/0b8f1d2e-0000-4000-8000-00000000abcd/12")
    #expect(Self.call(.void, number: Int.max, authorization: "a").key.utf8.count <= 255)
    #expect(Self.call(.authorize, method: "m") == Self.call(.authorize, method: "m"))
  }

  @Test(arguments: PaymentKind.allCases)
  func theTargetTellsTheOperation(kind: PaymentKind) {
    #expect(HTTPPaymentCallEncoder.operation(of: Self.call(kind, method: "m", authorization: "capture")) == kind.rawValue)
  }
}
