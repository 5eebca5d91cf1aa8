import Application
import PostgresClient

/// The SQL of `dead_letters`.
enum DeadLetterStatements {
  /// A letter's history keeps its beginning and what was last.
  static func appended(_ event: String) -> String {
    "CASE WHEN jsonb_array_length(d.history) < 100 THEN d.history || \(event) ELSE (d.history - 50) || \(event) END"
  }

  /// A copy that does not say when it failed changes nothing where there is a row. A replay may fail at a worker whose clock is behind: its failure
  /// is a new one where the history does not know it.
  static let ingest = Statement(
    name: "dead_letters_ingest",
    sql: """
      INSERT INTO dead_letters AS d (tenant_id, id, message_id, type, order_id, reason, error, error_pattern, attempts, state, body, body_size,
        body_sha256, headers, properties, principal, command, subject, fingerprint, history, first_failed_at, failed_at)
      SELECT a.tenant_id, a.id, a.message_id, a.type, a.order_id, a.reason, a.error, a.error_pattern, a.attempts, 'parked', a.body, a.body_size,
             a.body_sha256, a.headers::jsonb, a.properties::jsonb, a.principal::jsonb, a.command, a.subject, a.fingerprint, a.history::jsonb,
             a.first_failed_at, a.failed_at
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::int[], $10::bytea[],
                  $11::bigint[], $12::bytea[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::bytea[], $19::text[],
                  $20::timestamptz[], $21::timestamptz[], $22::boolean[])
        AS a (tenant_id, id, message_id, type, order_id, reason, error, error_pattern, attempts, body, body_size, body_sha256, headers, properties,
              principal, command, subject, fingerprint, history, first_failed_at, failed_at, is_dated)
      WHERE a.is_dated OR NOT EXISTS (SELECT FROM dead_letters o WHERE o.tenant_id = a.tenant_id AND o.id = a.id)
      ORDER BY a.tenant_id, a.id
      ON CONFLICT (tenant_id, id) DO UPDATE SET
        reason = excluded.reason, error = excluded.error, error_pattern = excluded.error_pattern, attempts = excluded.attempts, state = 'parked',
        first_failed_at = least(d.first_failed_at, excluded.first_failed_at), failed_at = greatest(d.failed_at, excluded.failed_at), claimed_at = NULL,
        published_at = NULL, settled_at = NULL,
        history = \(appended("excluded.history"))
      WHERE excluded.failed_at > d.failed_at
         OR d.state = 'replaying' AND excluded.history -> 0 ->> 'what' LIKE '\(DeadLetterEvent.failure(isReplay: true))%' AND NOT d.history @> excluded.history
      RETURNING d.tenant_id, d.id
      """,
    parameterTypes: [
      .textArray, .uuidArray, .textArray, .textArray, .uuidArray, .textArray, .textArray, .textArray, .int4Array, .byteaArray, .int8Array,
      .byteaArray, .textArray, .textArray, .textArray, .textArray, .textArray, .byteaArray, .textArray, .timestamptzArray, .timestamptzArray,
      .boolArray,
    ])

  /// `$1` to `$6` are those of `parameters(of:)`. The states stand in the text: only so does the planner see that the index of open ones serves.
  static func condition(_ states: Set<DeadLetterState>?) -> String {
    let named = states.map { states in "AND d.state IN (\(DeadLetterState.allCases.filter(states.contains).map { "'\($0.rawValue)'" }.joined(separator: ", ")))"
    }
    return """
      d.tenant_id = $1 \(named ?? "") AND ($2::text IS NULL OR d.reason = $2) AND ($3::text IS NULL OR d.type = $3 OR d.command = $3)
        AND ($4::timestamptz IS NULL OR d.failed_at >= $4) AND ($5::uuid IS NULL OR d.order_id = $5)
        AND ($6::text IS NULL OR strpos(d.error, $6) > 0 OR d.error_pattern = $6)
      """
  }

  /// One name for each text.
  static func name(_ verb: String, _ states: Set<DeadLetterState>?) -> String {
    "dead_letters_\(verb)_" + (states.map { states in DeadLetterState.allCases.filter(states.contains).map(\.rawValue).joined(separator: "_") } ?? "all")
  }

  static let filterTypes: [OID] = [.text, .text, .text, .timestamptz, .uuid, .text]

  static func newest(_ states: Set<DeadLetterState>?) -> Statement {
    Statement(
      name: name("newest", states),
      sql: """
        SELECT \(StoredDeadLetter.columns) FROM dead_letters d
        WHERE \(condition(states)) AND (d.failed_at, d.id) < ($7, $8)
        ORDER BY d.failed_at DESC, d.id DESC LIMIT $9
        """, parameterTypes: filterTypes + [.timestamptz, .uuid, .int8])
  }

  static func groups(_ states: Set<DeadLetterState>?, by grouping: DeadLetterGrouping) -> Statement {
    let column =
      switch grouping {
      case .reason: "d.reason"
      case .error: "d.error_pattern"
      case .type: "coalesce(d.command, d.type)"
      }
    return Statement(
      name: name("by_\(grouping.rawValue)", states),
      sql: """
        SELECT \(column), count(*), min(d.failed_at), max(d.failed_at) FROM dead_letters d
        WHERE \(condition(states)) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $7
        """, parameterTypes: filterTypes + [.int8])
  }

  static func count(_ states: Set<DeadLetterState>?) -> Statement {
    Statement(
      name: name("count", states), sql: "SELECT count(*) FROM dead_letters d WHERE \(condition(states))", parameterTypes: filterTypes)
  }

  static let find = Statement(
    name: "dead_letters_find",
    sql: """
      SELECT \(StoredDeadLetter.columns) FROM dead_letters d WHERE d.tenant_id = $1 AND d.id BETWEEN $2 AND $3 ORDER BY d.id LIMIT $4
      """, parameterTypes: [.text, .uuid, .uuid, .int8])

  static func oldest(_ states: Set<DeadLetterState>?) -> Statement {
    Statement(
      name: name("oldest", states),
      sql: """
        SELECT \(StoredDeadLetter.columns) FROM dead_letters d
        WHERE \(condition(states)) AND (d.failed_at, d.id) > ($7, $8) AND d.failed_at <= $9
        ORDER BY d.failed_at, d.id LIMIT $10
        """, parameterTypes: filterTypes + [.timestamptz, .uuid, .timestamptz, .int8])
  }
}
