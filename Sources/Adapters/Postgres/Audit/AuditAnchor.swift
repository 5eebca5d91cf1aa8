import Application
import Domain
import PostgresClient

/// What a row of one chain tells of others: where they stood.
enum AuditAnchor {
  struct Head: Equatable {
    let chain: UUIDValue
    let sequence: Int64
    let hash: [UInt8]
  }

  private static let headsPerRow = 50

  /// As many texts as it takes rows to tell of them.
  static func texts(_ heads: [Head]) -> [String] {
    stride(from: 0, to: heads.count, by: headsPerRow).map { text(heads[$0..<min($0 + headsPerRow, heads.count)]) }
  }

  /// Of each head chain, number and hash of its last row.
  static func text(_ heads: some Sequence<Head>) -> String {
    heads.map { "\($0.chain) \($0.sequence) \(Fingerprint($0.hash).hexadecimal)" }.joined(separator: ", ")
  }

  /// Nil for a text that is none.
  static func heads(_ text: String) -> [Head]? {
    var heads: [Head] = []
    for head in text.split(separator: ",") {
      let parts = head.split(separator: " ")
      guard parts.count == 3, let chain = UUIDValue(String(parts[0])), let sequence = Int64(parts[1]), let hash = bytes(parts[2]) else { return nil }
      heads.append(Head(chain: chain, sequence: sequence, hash: hash))
    }
    return heads
  }

  private static func bytes(_ hexadecimal: Substring) -> [UInt8]? {
    let digits = hexadecimal.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    guard digits.count == 64, hexadecimal.utf8.count == 64 else { return nil }
    return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  static func columns(_ heads: [Head]) -> Parameters {
    var chain = UUIDArray(capacity: heads.count)
    var sequence = Int64Array(capacity: heads.count)
    for head in heads {
      chain.append(high: head.chain.high, low: head.chain.low)
      sequence.append(head.sequence)
    }
    return Parameters([.array(chain), .array(sequence)])
  }

  /// Chains that have grown since a row told of them.
  static let grown = Statement(
    name: "audit_grown",
    sql: "SELECT chain_id, seq, hash, clock_timestamp() FROM audit_heads WHERE seq > anchored_seq ORDER BY chain_id LIMIT 10000", parameterTypes: [])

  static let mark = Statement(
    name: "audit_mark",
    sql: """
      UPDATE audit_heads h SET anchored_seq = k.seq FROM unnest($1::uuid[], $2::bigint[]) AS k (chain_id, seq) WHERE h.chain_id = k.chain_id
      """, parameterTypes: [.uuidArray, .int8Array])
}
