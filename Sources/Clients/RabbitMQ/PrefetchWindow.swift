/// How many deliveries of one channel are in hand: handed out by the server and not settled.
struct PrefetchWindow {
  private let size: Int
  private var highest: UInt64 = 0
  /// All up to here are settled.
  private var settled: UInt64 = 0
  private var settledBeyond: Set<UInt64> = []

  init(size: UInt16) { self.size = Int(size) }

  private var inHand: Int { Int(highest - settled) - settledBeyond.count }

  /// The server may hand out no more before something is settled.
  var isFull: Bool { inHand >= size }

  mutating func received(_ tag: UInt64) { highest = max(highest, tag) }

  mutating func settle(_ settlement: Settlement) {
    switch settlement {
    case .ack(let tag, false), .nack(let tag, _, false):
      if tag > settled { settledBeyond.insert(tag) }
    case .ack(let tag, true), .nack(let tag, _, true):
      settled = max(settled, tag == 0 ? highest : tag)
      settledBeyond = settledBeyond.filter { $0 > settled }
    }
    while settledBeyond.remove(settled + 1) != nil { settled += 1 }
  }
}
