import ClientRuntime
import PostgresClient
import Testing
import TestSupport

@Suite(.tags(.integration), .enabled(if: Stack.database != nil))
struct PostgresValueTests {
  @Test func everyScalarComesBackAsItWasSent() async throws {
    try await withClient { client in
      let row = try await client.run(deadline: .soon) { session throws(PostgresError) in
        try session.query(
          Statement(
            name: "scalars",
            sql: "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11",
            parameterTypes: [.bool, .int2, .int4, .int8, .text, .bytea, .uuid, .timestamptz, .text, .text, .bytea]),
          [
            .bool(true), .int16(.min), .int32(.max), .int64(.min), .text("Grüße, 世界 🦊"), .bytea([0, 255, 1]),
            .uuid(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210), .timestamp(1_700_000_000_123_456), .null, .text(""), .bytea([]),
          ])
      }
      #expect(row.rowCount == 1 && row.columnCount == 11 && row.affectedRows == 1)
      #expect(row.bool(0, 0))
      #expect(row.int16(0, 1) == .min && row.int32(0, 1) == Int32(Int16.min) && row.int64(0, 1) == Int64(Int16.min))
      #expect(row.int32(0, 2) == .max && row.int64(0, 2) == Int64(Int32.max))
      #expect(row.int64(0, 3) == .min)
      #expect(row.text(0, 4) == "Grüße, 世界 🦊")
      #expect(row.bytes(0, 5) == [0, 255, 1])
      #expect(row.uuid(0, 6) == (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210))
      #expect(row.timestamp(0, 7) == 1_700_000_000_123_456)
      #expect(row.isNull(0, 8))
      #expect(!row.isNull(0, 9) && row.text(0, 9) == "")
      #expect(!row.isNull(0, 10) && row.bytes(0, 10) == [])
    }
  }

  @Test func theServerReadsTheSameValues() async throws {
    try await withClient { client in
      let row = try await client.run(deadline: .soon) { session throws(PostgresError) in
        try session.query(
          Statement(
            name: "texts", sql: "SELECT $1::text, $2::text, ($3 AT TIME ZONE 'UTC')::text, $4::text, $5::text",
            parameterTypes: [.int8, .uuid, .timestamptz, .bool, .int2]),
          [
            .int64(-42), .uuid(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210), .timestamp(951_782_400_000_001), .bool(false), .int16(-7),
          ])
      }
      #expect((0..<5).map { row.text(0, $0) } == ["-42", "01234567-89ab-cdef-fedc-ba9876543210", "2000-02-29 00:00:00.000001", "false", "-7"])
    }
  }

  @Test(arguments: [Int64.min, Int64.min + 946_684_800_000_000, -300_000_000_000_000_000] as [Int64])
  func aTimeBeforePostgresCalendarIsRefused(microseconds: Int64) async throws {
    try await withClient { client in
      let error = await failure(of: client) { session throws(PostgresError) in
        try session.query(Statement(name: "t", sql: "SELECT $1", parameterTypes: [.timestamptz]), [.timestamp(microseconds)])
      }
      #expect(error?.sqlState == "22008")
    }
  }

  @Test(arguments: [0, 1, 3, 10_000])
  func columnsOfAnyLengthComeBackThroughUnnest(count: Int) async throws {
    try await withClient { client in
      let rows = try await client.run(deadline: .soon) { session throws(PostgresError) in
        try session.query(Self.unnest, Self.columns(count))
      }
      #expect(rows.rowCount == count)
      let wrong = (0..<rows.rowCount).filter { !Self.isRight(rows, $0) }
      #expect(wrong.isEmpty)
    }
  }

  @Test func aZeroTextIsRefusedByTheServerAndTheSessionLivesOn() async throws {
    try await withClient { client in
      let error = await failure(of: client) { session throws(PostgresError) in
        try session.query(Statement(name: "t", sql: "SELECT $1", parameterTypes: [.text]), [.text("a\u{0}b")])
      }
      #expect(error?.sqlState == "22021")
      let one = try await client.run(deadline: .soon) { session throws(PostgresError) in try session.query(statement("SELECT 1::int8")).int64(0, 0) }
      #expect(one == 1)
    }
  }

  static let unnest = Statement(
    name: "unnest",
    sql: """
      SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) WITH ORDINALITY
      AS columns(i2, i4, i8, flag, txt, raw, id, at, n) ORDER BY n
      """,
    parameterTypes: [.int2Array, .int4Array, .int8Array, .boolArray, .textArray, .byteaArray, .uuidArray, .timestamptzArray])

  /// Every third element is null.
  static func columns(_ count: Int) -> Parameters {
    var shorts = Int16Array(), words = Int32Array(), longs = Int64Array(capacity: count), flags = BoolArray()
    var texts = TextArray(), raws = ByteaArray(), ids = UUIDArray(capacity: count), times = TimestampArray()
    for n in 0..<count {
      if n % 3 == 2 {
        shorts.appendNull()
        words.appendNull()
        longs.appendNull()
        flags.appendNull()
        texts.appendNull()
        raws.appendNull()
        ids.appendNull()
        times.appendNull()
      } else {
        shorts.append(Int16(truncatingIfNeeded: -n))
        words.append(Int32(n) &* -70_001)
        longs.append(Int64(n) &* -5_000_000_000)
        flags.append(n % 2 == 0)
        texts.append(n == 0 ? "" : "text \(n) ü")
        raws.append([UInt8](repeating: UInt8(truncatingIfNeeded: n), count: n % 40))
        ids.append(high: UInt64(n) &* 0x9e37_79b9_7f4a_7c15, low: ~UInt64(n))
        times.append(Int64(n) * 86_400_000_001)
      }
    }
    return [.array(shorts), .array(words), .array(longs), .array(flags), .array(texts), .array(raws), .array(ids), .array(times)]
  }

  static func isRight(_ rows: ResultSet, _ n: Int) -> Bool {
    if n % 3 == 2 { return (0..<8).allSatisfy { rows.isNull(n, $0) } }
    return rows.int16(n, 0) == Int16(truncatingIfNeeded: -n)
      && rows.int32(n, 1) == Int32(n) &* -70_001
      && rows.int64(n, 2) == Int64(n) &* -5_000_000_000
      && rows.bool(n, 3) == (n % 2 == 0)
      && rows.text(n, 4) == (n == 0 ? "" : "text \(n) ü")
      && rows.bytes(n, 5) == [UInt8](repeating: UInt8(truncatingIfNeeded: n), count: n % 40)
      && rows.uuid(n, 6) == (UInt64(n) &* 0x9e37_79b9_7f4a_7c15, ~UInt64(n))
      && rows.timestamp(n, 7) == Int64(n) * 86_400_000_001
  }
}
