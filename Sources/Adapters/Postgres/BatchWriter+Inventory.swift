import Application
import Domain
import PostgresClient

/// What a batch writes of the built-in inventory.
extension BatchWriter {
  func addInventory(to pipeline: inout Pipeline) {
    if !writes.inventory.made.isEmpty {
      let (columns, count) = (Self.columns(writes.inventory.made), writes.inventory.made.count)
      var created = TimestampArray(capacity: count)
      for _ in 0..<count { created.append(now.microseconds) }
      pipeline.append(BatchStatements.insertReservations, Parameters(columns + [.array(created)]))
    }
    if !writes.inventory.moved.isEmpty { pipeline.append(BatchStatements.updateReservations, Parameters(Self.columns(writes.inventory.moved))) }
    addLevels(to: &pipeline)
  }

  private static func columns(_ reservations: [OrderKey: ReservationState]) -> [Parameter] {
    var tenant = TextArray(capacity: reservations.count)
    var order = UUIDArray(capacity: reservations.count)
    var state = TextArray(capacity: reservations.count)
    for (key, reached) in reservations {
      tenant.append(key.tenant.rawValue)
      order.append(key.order)
      state.append(reached.rawValue)
    }
    return [.array(tenant), .array(order), .array(state)]
  }

  private func addLevels(to pipeline: inout Pipeline) {
    let moved = writes.inventory.levels.filter { $0.value.onHand != 0 || $0.value.reserved != 0 }.sorted { $0.key < $1.key }
    guard !moved.isEmpty else { return }
    var tenant = TextArray()
    var product = TextArray()
    var onHand = Int64Array()
    var reserved = Int64Array()
    for (key, level) in moved {
      tenant.append(key.tenant.rawValue)
      product.append(key.product.rawValue)
      onHand.append(level.onHand)
      reserved.append(level.reserved)
    }
    pipeline.append(BatchStatements.moveStock, Parameters([.array(tenant), .array(product), .array(onHand), .array(reserved)]))
  }
}
