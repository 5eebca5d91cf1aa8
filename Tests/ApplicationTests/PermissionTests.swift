import Application
import Domain
import TestSupport
import Testing

/// Who may do what, cell by cell.
@Suite struct PermissionTests {
  /// customer, service, viewer, operator.
  private static let expected: [Act: [Reach]] = [
    .createOrder: [.own, .tenant, .none, .tenant], .chooseOrderID: [.none, .tenant, .none, .tenant], .cancelOrder: [.own, .tenant, .none, .tenant],
    .updateOrder: [.none, .tenant, .none, .tenant], .readOrders: [.own, .tenant, .tenant, .tenant],
    .handleDeadLetters: [.none, .none, .none, .tenant], .countStock: [.none, .none, .none, .tenant],
    .readAudit: [.none, .none, .none, .tenant],
  ]

  @Test(arguments: Act.allCases) func everyCellIsAsExpected(act: Act) throws {
    let row = try #require(Self.expected[act])
    #expect([Role.customer, .service, .viewer, .operator].map { Permissions.reach(of: $0, in: act) } == row)
    #expect(Permissions.reach(of: Principal(subject: "nobody", roles: [], tenant: .standard), in: act) == .none)
  }

  private enum Wish: String, CaseIterable {
    case createOwn, createOwnWithID, createOthers, createOthersWithID, cancel, ship
  }

  private static func envelope(_ wish: Wish, _ roles: Set<Role>, expired: String? = nil) -> CommandEnvelope {
    let order = PipelineFixture.order(1)
    let usd = Currency("USD")!
    let lines = [OrderLine(product: ProductID("p")!, quantity: Quantity(1)!, unitPrice: Money(minorUnits: 1, currency: usd))!]
    func create(_ customer: String, choosing: Bool) -> Command {
      .create(
        CreateOrder(
          order: order, choosesOrderID: choosing, customer: CustomerID(customer)!, currency: usd, lines: lines, paymentMethod: nil, confirm: true,
          metadata: [])!)
    }
    let command: Command =
      switch wish {
      case .createOwn: create("me", choosing: false)
      case .createOwnWithID: create("me", choosing: true)
      case .createOthers: create("you", choosing: false)
      case .createOthersWithID: create("you", choosing: true)
      case .cancel: .updateStatus(UpdateStatus(order: order, status: .cancelled))
      case .ship: .updateStatus(UpdateStatus(order: order, status: .shipped))
      }
    return CommandEnvelope(
      identity: CommandIdentity(tenant: .standard, message: MessageID("m")!), principal: Principal(subject: "me", roles: roles, tenant: .standard),
      tokenExpired: expired, command: command, fingerprint: Fingerprint([]), data: [], correlationID: "c", replyTo: nil, traceparent: nil,
      journey: Journey())
  }

  /// Roles, and what they may of all wishes.
  private static let allowed: [(roles: Set<Role>, wishes: Set<Wish>)] = [
    ([], []), ([.viewer], []), ([.customer], [.createOwn, .cancel]), ([.customer, .viewer], [.createOwn, .cancel]), ([.service], Set(Wish.allCases)),
    ([.operator], Set(Wish.allCases)), ([.customer, .service], Set(Wish.allCases)), (Set(Role.allCases), Set(Wish.allCases)),
  ]

  @Test(arguments: allowed.indices) func aCommandIsRefusedWhereNoRoleOfItsSenderMay(index: Int) {
    let (roles, wishes) = Self.allowed[index]
    for wish in Wish.allCases {
      let refusal = Permissions.refusal(of: Self.envelope(wish, roles))
      #expect((refusal == nil) == wishes.contains(wish), "\(wish)")
      #expect(refusal.map { $0.reason == .forbidden } ?? true)
    }
  }

  @Test func anExpiredTokenIsNotCalledForbidden() {
    #expect(Permissions.refusal(of: Self.envelope(.ship, [.viewer], expired: "token_expired")) == nil)
  }
}
