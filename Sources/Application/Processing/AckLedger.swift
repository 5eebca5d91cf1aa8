/// Which deliveries of one channel are settled, and so which acknowledgements may go out: one up to the first delivery that is not
/// settled yet, and single ones beyond it.
package struct AckLedger: Sendable {
  package private(set) var generation: UInt64 = 0
  /// The lowest tag that is not settled.
  private var first: UInt64 = 1
  private var highest: UInt64 = 0
  private var settledBeyond: Set<UInt64> = []

  package init() {}

  /// Whether nothing that was handed out before this delivery is unsettled; of a generation that is over nothing is waited for.
  package func isFirst(_ tag: DeliveryTag) -> Bool { tag.generation != generation || first >= tag.number }

  package func isSettled(_ tag: DeliveryTag) -> Bool { tag.generation != generation || first > tag.number || settledBeyond.contains(tag.number) }

  /// Deliveries that have been handed out and not settled.
  package var unsettled: Int { Int(highest + 1 - first) - settledBeyond.count }

  package mutating func received(_ tags: [DeliveryTag]) {
    for tag in tags {
      if tag.generation > generation { begin(tag.generation) }
      if tag.generation == generation { highest = max(highest, tag.number) }
    }
  }

  package mutating func lost(generation lost: UInt64) {
    if lost >= generation { begin(lost + 1) }
  }

  /// What to send, in order, now that these are settled; tags of a generation that is over are passed over.
  package mutating func settle(_ tags: [DeliveryTag]) -> [Settlement] {
    var fresh: [UInt64] = []
    for tag in tags where tag.generation == generation && tag.number >= first {
      if settledBeyond.insert(tag.number).inserted { fresh.append(tag.number) }
    }
    while settledBeyond.remove(first) != nil { first += 1 }
    fresh.sort()
    // RabbitMQ closes the channel over a tag that it has no delivery for any more, also where it is to cover those below it.
    let covered = fresh.last { $0 < first }
    return (covered.map { [.acknowledge(upTo: $0)] } ?? []) + fresh.filter { $0 >= first }.map { .acknowledgeOne($0) }
  }

  private mutating func begin(_ next: UInt64) {
    generation = next
    first = 1
    highest = 0
    settledBeyond = []
  }
}
