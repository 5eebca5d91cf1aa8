/// A decoder, and what must hold of whatever it reads.
struct FuzzTarget {
  let name: String
  /// Bytes of an input at most.
  let longest: Int
  /// Ends the process where something does not hold.
  let body: ([UInt8]) -> Void

  /// A new decoder is one more line here, and a folder of seeds in `Fuzz/corpus`.
  nonisolated(unsafe) static let all = [
    FuzzTarget("json", longest: 65_536, JSONTarget.run),
    FuzzTarget("command", longest: 300_000, CommandTarget.run),
    FuzzTarget("query", longest: 16_384, QueryTarget.run),
    FuzzTarget("line", longest: 65_536, LineTarget.run),
    FuzzTarget("seal", longest: 20_000, SealTarget.run),
    FuzzTarget("token", longest: 10_000, TokenTarget.run),
    FuzzTarget("keys", longest: 65_536, KeysTarget.run),
    FuzzTarget("patch", longest: 65_536, PatchTarget.run),
    FuzzTarget("dead-letter", longest: 300_000, DeadLetterTarget.run),
    FuzzTarget("properties", longest: 131_072, PropertiesTarget.run),
    FuzzTarget("provider", longest: 16_384, ProviderTarget.run),
    FuzzTarget("configuration", longest: 16_384, ConfigurationTarget.run),
    FuzzTarget("stock", longest: 65_536, StockTarget.run),
    FuzzTarget("values", longest: 4_096, ValuesTarget.run),
  ]

  private init(_ name: String, longest: Int, _ body: @escaping ([UInt8]) -> Void) {
    self.name = name
    self.longest = longest
    self.body = body
  }
}
