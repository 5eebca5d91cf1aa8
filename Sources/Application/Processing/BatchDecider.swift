import Domain

/// Decides a whole batch in memory, in the order of arrival, each command on the results of those before it. Pure: the same
/// commands and facts give the same writes.
package struct BatchDecider: Sendable {
  package let commands: [CommandEnvelope]
  package let encoder: any MessageEncoder

  package init(commands: [CommandEnvelope], encoder: any MessageEncoder) {
    self.commands = commands
    self.encoder = encoder
  }

  package var keys: BatchKeys {
    var products: Set<ProductKey> = []
    var updates = false
    for command in commands {
      guard case .create(let create) = command.command else {
        updates = true
        continue
      }
      for line in create.lines { products.insert(ProductKey(tenant: command.identity.tenant, product: line.product)) }
    }
    return BatchKeys(
      identities: Set(commands.map(\.identity)).sorted(),
      orders: Set(commands.map(\.orderKey)).sorted(),
      products: products.sorted(), movesStockOfOrders: updates)
  }

  package func decide(_ facts: BatchFacts) -> (BatchWrites, BatchOutcome) {
    var fold = BatchFold(facts: facts, encoder: encoder, capacity: commands.count)
    for command in commands { fold.add(command) }
    return fold.finish()
  }
}
