import PostgresClient

/// The SQL of what is done with dead letters. Rows are locked sorted by their keys, so that two of these cannot wait for each other.
enum ReplayStatements {
  /// The state is looked at where it is used, not here: only so does the planner take the primary key, whatever it believes of the states.
  private static let locked = """
    SELECT d.tenant_id, d.id, d.state, d.published_at FROM \(keys) JOIN dead_letters d USING (tenant_id, id) ORDER BY 1, 2 FOR UPDATE OF d
    """

  private static let keys = "unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)"

  static let claim = Statement(
    name: "dead_letters_claim",
    sql: """
      WITH mine AS (
        SELECT d.tenant_id, d.id, k.subject, k.fingerprint, k.event
        FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bytea[], $5::text[]) AS k (tenant_id, id, subject, fingerprint, event)
        JOIN dead_letters d USING (tenant_id, id)
        WHERE d.state = 'parked'
           OR d.state = 'replaying' AND d.published_at IS NULL AND d.claimed_at < clock_timestamp() - $6 * interval '1 millisecond'
           OR d.state = 'replaying' AND d.published_at < clock_timestamp() - interval '1 hour'
        ORDER BY d.tenant_id, d.id
        FOR UPDATE OF d SKIP LOCKED
      )
      UPDATE dead_letters d
      SET state = 'replaying', claimed_at = clock_timestamp(), published_at = NULL, replay_subject = mine.subject,
          replay_fingerprint = mine.fingerprint, history = \(DeadLetterStatements.appended("mine.event::jsonb"))
      FROM mine WHERE d.tenant_id = mine.tenant_id AND d.id = mine.id
      RETURNING d.tenant_id, d.id
      """, parameterTypes: [.textArray, .uuidArray, .textArray, .byteaArray, .textArray, .int8])

  /// Somebody has looked: that workers died over it counts no longer against it.
  static let forgetTrials = Statement(
    name: "dead_letters_forget_trials",
    sql: """
      DELETE FROM delivery_trials t USING \(keys) JOIN dead_letters d USING (tenant_id, id)
      WHERE t.message = sha256(convert_to(coalesce(d.message_id, 'dl-' || d.id::text), 'UTF8') || '\\x00'::bytea || d.body)
      """, parameterTypes: [.textArray, .uuidArray])

  /// It may be parked again, or done, before its confirm is noted.
  static let published = Statement(
    name: "dead_letters_published",
    sql: """
      WITH mine AS (\(locked))
      UPDATE dead_letters d SET published_at = clock_timestamp() FROM mine
      WHERE d.tenant_id = mine.tenant_id AND d.id = mine.id AND mine.state = 'replaying'
      """, parameterTypes: [.textArray, .uuidArray])

  static let giveBack = Statement(
    name: "dead_letters_give_back",
    sql: """
      WITH mine AS (\(locked))
      UPDATE dead_letters d SET state = 'parked', claimed_at = NULL, history = \(DeadLetterStatements.appended("$3::jsonb")) FROM mine
      WHERE d.tenant_id = mine.tenant_id AND d.id = mine.id AND mine.state = 'replaying' AND mine.published_at IS NULL
      """, parameterTypes: [.textArray, .uuidArray, .text])

  static let discard = Statement(
    name: "dead_letters_discard",
    sql: """
      WITH mine AS (\(locked))
      UPDATE dead_letters d
      SET state = 'discarded', settled_at = clock_timestamp(), history = \(DeadLetterStatements.appended("$3::jsonb")) FROM mine
      WHERE d.tenant_id = mine.tenant_id AND d.id = mine.id AND mine.state = 'parked'
      RETURNING d.tenant_id, d.id
      """, parameterTypes: [.textArray, .uuidArray, .text])

  /// Whether a claim of this letter's command is there: `p` is the row of processed_commands, `d` that of dead_letters.
  private static let isSameCommand = """
    p.tenant_id = d.tenant_id AND p.message_id = coalesce(d.message_id, 'dl-' || d.id::text) AND p.type = d.command
      AND (p.subject = d.subject AND p.fingerprint = d.fingerprint OR p.subject = d.replay_subject AND p.fingerprint = d.replay_fingerprint)
    """

  static let progress = Statement(
    name: "dead_letters_progress",
    sql: """
      SELECT d.tenant_id, d.id, d.state, p.message_id IS NOT NULL, p.outcome, p.rejection
      FROM \(keys) JOIN dead_letters d USING (tenant_id, id) LEFT JOIN processed_commands p ON \(isSameCommand)
      """, parameterTypes: [.textArray, .uuidArray])

  static let settleReplaying = settle(
    "dead_letters_settle_replaying", page: "SELECT d.tenant_id, d.id FROM dead_letters d WHERE d.state = 'replaying' ORDER BY 1, 2 LIMIT $1",
    types: [.int8])

  static let settlePage = settle(
    "dead_letters_settle_page",
    page: """
      SELECT d.tenant_id, d.id FROM dead_letters d
      WHERE d.state IN ('parked', 'replaying') AND (d.tenant_id, d.id) > ($2, $3) ORDER BY 1, 2 LIMIT $1
      """, types: [.int8, .text, .uuid])

  /// Returns how many were settled, and the page's last key where it is full.
  private static func settle(_ name: String, page: String, types: [OID]) -> Statement {
    let event = """
      jsonb_build_array(jsonb_build_object('at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'what', 'resolved: the command was ' || found.outcome, 'actor', 'order-worker'))
      """
    return Statement(
      name: name,
      sql: """
        WITH page AS (\(page)), found AS (
          SELECT d.tenant_id, d.id, p.outcome FROM page JOIN dead_letters d USING (tenant_id, id) JOIN processed_commands p ON \(isSameCommand)
          WHERE p.outcome IS NOT NULL AND d.state IN ('parked', 'replaying')
          ORDER BY 1, 2 FOR UPDATE OF d SKIP LOCKED
        ), done AS (
          UPDATE dead_letters d
          SET state = 'resolved', settled_at = clock_timestamp(), history = \(DeadLetterStatements.appended(event))
          FROM found WHERE d.tenant_id = found.tenant_id AND d.id = found.id
          RETURNING 1
        )
        SELECT (SELECT count(*) FROM done), (SELECT count(*) FROM page), g.tenant_id, g.id
        FROM (SELECT 1) AS one LEFT JOIN (SELECT tenant_id, id FROM page ORDER BY 1 DESC, 2 DESC LIMIT 1) AS g ON true
        """, parameterTypes: types)
  }

  static let takeBack = Statement(
    name: "dead_letters_take_back",
    sql: """
      WITH mine AS (
        SELECT d.tenant_id, d.id FROM dead_letters d
        WHERE d.state = 'replaying' AND d.published_at IS NULL AND d.claimed_at < clock_timestamp() - $1 * interval '1 millisecond'
        ORDER BY 1, 2 LIMIT 1000 FOR UPDATE OF d SKIP LOCKED
      )
      UPDATE dead_letters d SET state = 'parked', claimed_at = NULL, history = \(DeadLetterStatements.appended("$2::jsonb")) FROM mine
      WHERE d.tenant_id = mine.tenant_id AND d.id = mine.id
      RETURNING 1
      """, parameterTypes: [.int8, .text])

  /// A good letter whose replay came back malformed, after an edit, has a sender, and stays. Each reason by itself: so the planner sees that the index
  /// of these serves.
  private static let isUnusable = "state = 'parked' AND (reason = 'malformed' AND principal IS NULL OR reason = 'unauthenticated' AND principal IS NULL)"

  static let trim = Statement(
    name: "dead_letters_trim",
    sql: """
      WITH old AS (
        (SELECT tenant_id, id FROM dead_letters
         WHERE state IN ('resolved', 'discarded') AND settled_at < statement_timestamp() - $1 * interval '1 millisecond' LIMIT $4)
        UNION
        (SELECT tenant_id, id FROM dead_letters
         WHERE \(isUnusable) AND failed_at < statement_timestamp() - $2 * interval '1 millisecond' LIMIT $4)
        UNION
        (SELECT tenant_id, id FROM dead_letters WHERE \(isUnusable) ORDER BY failed_at DESC OFFSET $3 LIMIT $4)
        LIMIT $4
      ), mine AS (
        SELECT d.tenant_id, d.id FROM old JOIN dead_letters d USING (tenant_id, id)
        WHERE d.state <> 'replaying' ORDER BY 1, 2 FOR UPDATE OF d SKIP LOCKED
      )
      DELETE FROM dead_letters d USING mine WHERE d.tenant_id = mine.tenant_id AND d.id = mine.id
      RETURNING 1
      """, parameterTypes: [.int8, .int8, .int8, .int8])
}
