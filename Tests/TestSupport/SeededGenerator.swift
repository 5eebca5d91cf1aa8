import Glibc

/// A random source that can be run again: `ORDER_WORKER_SEED=n` replays what a failure has printed.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  package let seed: UInt64
  private var state: UInt64

  package init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  /// Prints the seed, so that a failure can be replayed.
  package static func forTest(_ name: String) -> SeededGenerator {
    let given = getenv("ORDER_WORKER_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: 0...UInt64.max)
    print("\(name): ORDER_WORKER_SEED=\(seed)")
    return SeededGenerator(seed: seed)
  }

  /// SplitMix64 (Steele, Lea, Flood 2014).
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
