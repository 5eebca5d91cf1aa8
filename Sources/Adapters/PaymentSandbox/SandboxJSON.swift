import FoundationEssentials

/// JSON as the sandbox writes and reads it.
enum SandboxJSON {
  static func encode(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // What is encoded here is made of strings and numbers, which cannot fail.
    return (try? encoder.encode(value)).map(Array.init) ?? []
  }

  static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8]) -> T? { try? JSONDecoder().decode(type, from: Data(bytes)) }
}
