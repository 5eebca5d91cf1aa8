import Domain

/// The worker's own inventory: stock and reservations stand beside the orders, and move in the transaction that decides them.
struct BuiltInInventory: Inventory {
  private(set) var writes = InventoryWrites()
  private var stock: [ProductKey: StockLevel]
  private let orders: [OrderKey: Order]

  /// `facts` are locked until the batch is committed.
  init(_ facts: BatchFacts) {
    stock = facts.stock
    orders = facts.orders
  }

  func available(_ product: ProductKey) -> Int64 { stock[product]?.available ?? 0 }

  mutating func perform(_ request: InventoryRequest, for order: Order) {
    let state = writes.made[order.key] ?? writes.moved[order.key] ?? orders[order.key]?.reservation ?? .none
    guard request.applies(to: state) else { return }
    if state == .none || writes.made[order.key] != nil { writes.made[order.key] = request.result } else { writes.moved[order.key] = request.result }
    for movement in request.movements(of: order.lines) {
      let key = ProductKey(tenant: order.key.tenant, product: movement.product)
      stock[key]?.move(movement)
      writes.levels[key, default: StockLevel(onHand: 0, reserved: 0)].move(movement)
    }
  }
}

extension StockLevel {
  fileprivate mutating func move(_ movement: StockMovement) {
    onHand += movement.onHand
    reserved += movement.reserved
  }
}
