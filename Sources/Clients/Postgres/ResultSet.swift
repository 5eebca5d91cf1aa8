import CPostgres

/// The rows that one statement returned, read in place from libpq's memory by row and column, both counted from 0.
///
/// A wrong row or column, a null where a value is asked for or a type of another width is the caller's mistake and stops the program
/// (`precondition`): what a statement returns is fixed by its SQL. Ask `isNull` first where a column can be null.
public final class ResultSet: @unchecked Sendable {
  // Sendable: a PGresult does not change after libpq has handed it out, and this object alone clears it, when nobody holds it any more.
  private let result: OpaquePointer
  public let rowCount: Int
  public let columnCount: Int

  init(owning result: OpaquePointer) {
    self.result = result
    rowCount = Int(PQntuples(result))
    columnCount = Int(PQnfields(result))
  }

  deinit { PQclear(result) }

  public var isEmpty: Bool { rowCount == 0 }

  /// Rows inserted, updated, deleted or selected; 0 for statements that count none.
  public var affectedRows: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

  /// The server's word for what it did, such as `INSERT 0 3`.
  public var commandTag: String { String(cString: PQcmdStatus(result)) }

  public func isNull(_ row: Int, _ column: Int) -> Bool {
    check(row, column)
    return PQgetisnull(result, Int32(row), Int32(column)) == 1
  }

  /// Any integer column: `int2`, `int4` or `int8`.
  public func int64(_ row: Int, _ column: Int) -> Int64 {
    let value = bytes(of: row, column)
    switch value.count {
    case 8: return Int64(bigEndian: value.loadUnaligned(as: Int64.self))
    case 4: return Int64(Int32(bigEndian: value.loadUnaligned(as: Int32.self)))
    case 2: return Int64(Int16(bigEndian: value.loadUnaligned(as: Int16.self)))
    default: mismatch(row, column, "an integer", value.count)
    }
  }

  /// An `int4` or `int2` column.
  public func int32(_ row: Int, _ column: Int) -> Int32 {
    let value = bytes(of: row, column)
    switch value.count {
    case 4: return Int32(bigEndian: value.loadUnaligned(as: Int32.self))
    case 2: return Int32(Int16(bigEndian: value.loadUnaligned(as: Int16.self)))
    default: mismatch(row, column, "an int4", value.count)
    }
  }

  public func int16(_ row: Int, _ column: Int) -> Int16 {
    Int16(bigEndian: bytes(of: row, column, width: 2, "an int2").loadUnaligned(as: Int16.self))
  }

  public func bool(_ row: Int, _ column: Int) -> Bool { bytes(of: row, column, width: 1, "a bool")[0] != 0 }

  public func text(_ row: Int, _ column: Int) -> String { String(decoding: bytes(of: row, column), as: UTF8.self) }

  /// A value as the server sent it: `bytea`, or the UTF-8 of `text`.
  public func bytes(_ row: Int, _ column: Int) -> [UInt8] { Array(bytes(of: row, column)) }

  /// The same without a copy; the buffer is valid during the call only.
  public func withBytes<R>(_ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R { body(bytes(of: row, column)) }

  public func uuid(_ row: Int, _ column: Int) -> (high: UInt64, low: UInt64) {
    let value = bytes(of: row, column, width: 16, "a uuid")
    return (
      UInt64(bigEndian: value.loadUnaligned(as: UInt64.self)), UInt64(bigEndian: value.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    )
  }

  /// A `timestamptz` in microseconds since 1970.
  public func timestamp(_ row: Int, _ column: Int) -> Int64 {
    PostgresEpoch.decode(Int64(bigEndian: bytes(of: row, column, width: 8, "a timestamp").loadUnaligned(as: Int64.self)))
  }

  private func check(_ row: Int, _ column: Int) {
    precondition(row >= 0 && row < rowCount && column >= 0 && column < columnCount, "no row \(row), column \(column) in \(rowCount) × \(columnCount)")
  }

  private func bytes(of row: Int, _ column: Int) -> UnsafeRawBufferPointer {
    check(row, column)
    let length = Int(PQgetlength(result, Int32(row), Int32(column)))
    precondition(length > 0 || PQgetisnull(result, Int32(row), Int32(column)) == 0, "row \(row), column \(column) is null")
    return UnsafeRawBufferPointer(start: PQgetvalue(result, Int32(row), Int32(column)), count: length)
  }

  private func bytes(of row: Int, _ column: Int, width: Int, _ type: String) -> UnsafeRawBufferPointer {
    let value = bytes(of: row, column)
    if value.count != width { mismatch(row, column, type, value.count) }
    return value
  }

  private func mismatch(_ row: Int, _ column: Int, _ type: String, _ count: Int) -> Never {
    preconditionFailure("row \(row), column \(column) is not \(type): \(count) bytes, type \(PQftype(result, Int32(column)))")
  }
}
