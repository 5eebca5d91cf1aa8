import Foundation

/// A random source that can be run again: `ORDER_WORKER_SEED=n` replays what a failure has printed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// Prints the seed, so that a failure can be replayed.
  static func forTest(_ name: String) -> SeededGenerator {
    let seed = ProcessInfo.processInfo.environment["ORDER_WORKER_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0...UInt64.max)
    print("\(name): ORDER_WORKER_SEED=\(seed)")
    return SeededGenerator(seed: seed)
  }

  /// SplitMix64 (Steele, Lea, Flood 2014).
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
